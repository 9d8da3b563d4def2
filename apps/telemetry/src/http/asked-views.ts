import type { z } from 'zod'
import type { Window } from '#libs/aggregates'
import { ALGORITHM } from '#libs/aggregates'
import type { CorrectedReading, Correction } from '#libs/corrections'
import type { Millis, SeriesKey } from '#libs/model'
import { CLOCK_TOLERANCE, DAY, EARLIEST, formatInstant, LATEST, parseInstant } from '#libs/model'
import type { AggregateQuery, AggregatesAsked, Asked, AskedWindow, Clock, ReadingsAsked } from '#libs/pipeline'
import type { AggregateViews } from './aggregate-views.js'
import { numberCursor } from './cursor.js'
import { invalidField } from './problem.js'
import type {
  AggregateList,
  AggregatesQuery,
  AggregateView,
  CorrectedList,
  ListQuery,
  ReadingList,
  ReadingView,
  SeriesReadingsQuery
} from './schemas.js'
import { toCursor } from './schemas.js'
import { readingView } from './views.js'

type AggregateJson = z.infer<typeof AggregateView>

/** Of all windows: a month. */
const LONGEST: Millis = 31 * DAY

interface Sources {
  readonly readings: Pick<ReadingsAsked, 'range' | 'preview'>
  readonly published: Pick<AggregateViews, 'find' | 'windows' | 'view'>
  readonly aggregates: Pick<AggregatesAsked, 'sumUp'>
  readonly clock: Clock
}

/** Pages of readings and aggregates, raw or corrected, as they are known now or were at an instant. */
export class AskedViews {
  readonly #sources: Sources

  constructor(sources: Sources) {
    this.#sources = sources
  }

  async readings(series: SeriesKey, query: z.infer<typeof SeriesReadingsQuery>): Promise<z.infer<typeof ReadingList>> {
    const asked = this.#asked(query)
    const from: Millis = query.after === undefined ? (query.from ?? EARLIEST) : numberCursor(query.after) + 1
    const range = { ...series, from, to: query.to ?? LATEST, limit: query.limit + 1 }
    const { readings, looked, replacedLater } = await this.#sources.readings.range(range, asked)
    const [last, more] = [looked[query.limit - 1] ?? LATEST, looked.length > query.limit]
    const shown = readings.filter(({ raw }) => raw.at <= last)
    return {
      items: shown.map(asked.as === 'raw' ? one => readingView(one.raw) : correctedView),
      next: more ? toCursor(last) : null,
      replacedLater: replacedLater.filter(at => at <= last).map(formatInstant),
      ...said(asked)
    }
  }

  /** What a correction would do, for the one who is to approve it. */
  async preview(correction: Correction, query: z.infer<typeof ListQuery>): Promise<z.infer<typeof CorrectedList>> {
    const from = query.after === undefined ? EARLIEST : numberCursor(query.after) + 1
    const { readings, looked } = await this.#sources.readings.preview(correction, { from, limit: query.limit + 1 })
    const [last, more] = [looked[query.limit - 1] ?? LATEST, looked.length > query.limit]
    return { items: readings.filter(({ raw }) => raw.at <= last).map(correctedView), next: more ? toCursor(last) : null }
  }

  async aggregates(series: SeriesKey, query: z.infer<typeof AggregatesQuery>): Promise<z.infer<typeof AggregateList>> {
    const asked = this.#asked(query)
    const from = query.after === undefined ? (query.from ?? EARLIEST) : numberCursor(query.after)
    const wanted = { ...series, period: query.period, from, to: query.to ?? LATEST, limit: query.limit }
    const { as, asOf } = asked
    const { windows, items } = await (asOf === null ? this.#now(wanted, asked) : this.#then(wanted, { as, asOf }))
    const last = windows[query.limit - 1]
    return { items, next: windows.length > query.limit && last ? toCursor(last.end) : null, ...said(asked) }
  }

  /** What is published, and in its place what corrected windows come to. */
  async #now(query: AggregateQuery, asked: Asked) {
    const published = await this.#sources.published.find(query)
    const windows = published.map(windowOf)
    const shown = published.slice(0, query.limit)
    if (asked.as === 'raw') return { windows, items: shown }
    const summed = await this.#sources.aggregates.sumUp(query, windows.slice(0, query.limit), asked)
    const items = shown.flatMap((view, n) => {
      const one = summed.get(windows[n]?.end ?? 0)
      return one ? this.#computed(query, one, asked) : [{ ...view, corrections: [] }]
    })
    return { windows, items }
  }

  /**
   * Published aggregates keep no history: every window is summed up from what was known. Those that begin later hold nothing but readings
   * of clocks that ran ahead, which enter no figure: they are left out.
   */
  async #then(query: AggregateQuery, asked: Asked & { readonly asOf: Millis }) {
    const beginning = asked.asOf + CLOCK_TOLERANCE
    const found = await this.#sources.published.windows({ ...query, to: Math.min(query.to, beginning + LONGEST) })
    const windows = found.filter(({ start }) => start < beginning)
    const summed = await this.#sources.aggregates.sumUp(query, windows.slice(0, query.limit), asked)
    return { windows, items: [...summed.values()].flatMap(one => this.#computed(query, one, asked)) }
  }

  #computed({ station, parameter }: SeriesKey, one: AskedWindow, { as, asOf }: Asked): AggregateJson[] {
    const { summary, unit, corrections, replacedLater } = one
    if (!summary) return []
    const aggregate = { station, parameter, ...summary, unit, revision: 0, algorithm: ALGORITHM }
    const view = this.#sources.published.view(aggregate, summary.end > (asOf ?? this.#sources.clock()))
    return [{ ...view, ...(as === 'corrected' ? { corrections: [...corrections] } : {}), ...(asOf === null ? {} : { replacedLater }) }]
  }

  /** @throws HttpProblem for an instant that is still to come: what will be known then, nobody can say. */
  #asked({ as, asOf }: { readonly as: Asked['as']; readonly asOf?: Millis | undefined }): Asked {
    if (asOf === undefined || asOf <= this.#sources.clock()) return { as, asOf: asOf ?? null }
    throw invalidField('asOf', 'an instant that has passed')
  }
}

const said = ({ as, asOf }: Asked) => ({ as, asOf: asOf === null ? null : formatInstant(asOf) })

function correctedView({ reading, raw, corrections, excluded }: CorrectedReading): z.infer<typeof ReadingView> {
  const view = { ...readingView(reading), corrections: [...corrections], excluded }
  return raw.value === reading.value && raw.flag === reading.flag ? view : { ...view, raw: { value: raw.value, flag: raw.flag } }
}

const windowOf = ({ period, start, end }: AggregateJson): Window => ({
  period,
  start: parseInstant(start) ?? EARLIEST,
  end: parseInstant(end) ?? EARLIEST
})
