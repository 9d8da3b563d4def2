import type { z } from 'zod'
import type { Aggregate, Window } from '#libs/aggregates'
import { ALGORITHM, foldParts } from '#libs/aggregates'
import type { SeriesKey } from '#libs/model'
import { formatInstant } from '#libs/model'
import type { AggregateLog, AggregateQuery, SeriesTerms, Standards } from '#libs/pipeline'
import { questionOf } from '#libs/pipeline'
import type { Aggregating } from '../wiring/aggregates.js'
import { csvText } from './csv.js'
import type { AggregateView } from './schemas.js'

type AggregateJson = z.infer<typeof AggregateView>

interface Sources extends Aggregating {
  readonly aggregates: Pick<AggregateLog, 'find' | 'marked'>
  readonly standards: Pick<Standards, 'judge'>
}

/** Days of a month, at most. */
const MONTH_DAYS = 31

/** Aggregates as the contract shows them: those that are published, and what windows come to so far that never were. */
export class AggregateViews {
  readonly #sources: Sources

  constructor(sources: Sources) {
    this.#sources = sources
  }

  /** Ascending in time, one more than `limit` where there is more. */
  async find(query: AggregateQuery): Promise<AggregateJson[]> {
    const wanted = { ...query, limit: query.limit + 1 }
    const published = await this.#sources.aggregates.find(wanted)
    const ends = new Set(published.map(({ end }) => end))
    const last = published.length > query.limit ? (published.at(-1)?.end ?? query.to) : query.to
    const marked = (await this.#sources.aggregates.marked({ ...wanted, to: last })).filter(({ end }) => !ends.has(end))
    const views = published.map(aggregate => this.view(aggregate, false))
    for (const window of marked) {
      const aggregate = await this.#provisional(query, window)
      if (aggregate) views.push(this.view(aggregate, true))
      // Each may read a day: others of the thread have their turn in between.
      await new Promise(resolve => setImmediate(resolve))
    }
    return views.sort((a, b) => (a.end < b.end ? -1 : 1)).slice(0, wanted.limit)
  }

  /** Windows with readings, published or not; ascending, one more than `limit` where there is more. */
  async windows(query: AggregateQuery): Promise<Window[]> {
    const wanted = { ...query, limit: query.limit + 1 }
    const [published, marked] = await Promise.all([this.#sources.aggregates.find(wanted), this.#sources.aggregates.marked(wanted)])
    const byEnd = new Map([...marked, ...published].map(window => [window.end, windowOf(window)]))
    return [...byEnd.values()].sort((a, b) => a.end - b.end).slice(0, wanted.limit)
  }

  async #provisional(series: SeriesKey, window: Window): Promise<Aggregate | null> {
    const known = this.#sources.termsOf(series)
    if (!known) return null
    const { summary } = await this.#sumUp(series, window, known)
    if (summary.received === 0) return null
    const { station, parameter } = series
    return { station, parameter, ...summary, unit: known.unit, revision: 0, algorithm: ALGORITHM }
  }

  /** A month that is running: its published days, and in the place of those that are marked what they come to now. */
  async #sumUp(series: SeriesKey, window: Window, known: SeriesTerms) {
    const { aggregator, aggregates } = this.#sources
    if (window.period !== 'month') return aggregator.sumUp(series, window, known)
    const { start: from, end: to } = window
    const { station, parameter } = series
    const marked = await aggregates.marked({ station, parameter, period: 'day', from, to, limit: MONTH_DAYS })
    const open = await Promise.all(marked.map(day => aggregator.sumUp(series, day, known)))
    const ends = new Set(marked.map(({ end }) => end))
    const standing = (await aggregator.daysOf(series, window, known)).filter(({ summary }) => !ends.has(summary.end))
    return foldParts(windowOf(window), [...standing, ...open.filter(({ summary }) => summary.received > 0)], known.terms)
  }

  /** One aggregate on the wire. */
  view(aggregate: Aggregate, provisional: boolean): AggregateJson {
    const { start, end, min, max } = aggregate
    return {
      ...aggregate,
      start: formatInstant(start),
      end: formatInstant(end),
      min: min?.value ?? null,
      minAt: min ? formatInstant(min.at) : null,
      max: max?.value ?? null,
      maxAt: max ? formatInstant(max.at) : null,
      provisional,
      verdict: this.#sources.standards.judge(questionOf(aggregate)).verdict
    }
  }
}

const windowOf = ({ period, start, end }: Window): Window => ({ period, start, end })

const CSV_COLUMNS = [
  ...(['station', 'parameter', 'period', 'start', 'end', 'unit', 'received', 'count', 'expected', 'completeness', 'validShare'] as const),
  ...(['sufficient', 'mean', 'min', 'minAt', 'max', 'maxAt', 'sum', 'p95', 'stddev', 'worstFlag', 'exceedanceMinutes'] as const),
  ...(['revision', 'algorithm', 'provisional', 'verdict'] as const)
]

/** Like that of readings; a figure that there is not is an empty field. */
export function aggregatesCsv(aggregates: readonly AggregateJson[], { as, asOf }: { as: string; asOf: string | null }): string {
  const more = [...(as === 'corrected' ? ['corrections' as const] : []), ...(asOf === null ? [] : ['replacedLater' as const])]
  const rows = aggregates.map(({ corrections = [], ...row }) => ({ ...row, corrections: corrections.map(String) }))
  return csvText([...CSV_COLUMNS, ...more], rows)
}
