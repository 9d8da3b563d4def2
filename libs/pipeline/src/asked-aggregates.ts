import type { Part, Summary, Window } from '#libs/aggregates'
import { foldParts, partsOf } from '#libs/aggregates'
import type { StandingCorrection } from '#libs/corrections'
import { touches } from '#libs/corrections'
import type { SeriesKey } from '#libs/model'
import { seriesId } from '#libs/model'
import type { AggregateLog, SeriesTerms, TermsOf } from './aggregate-ports.js'
import { Aggregator } from './aggregator.js'
import type { Asked, ReadingsAsked } from './asked-readings.js'
import { TooWideError } from './asked-readings.js'
import type { RangeQuery } from './ports.js'
import type { LimitSource } from './standards.js'

/** A window that was summed up for the one who asked. */
export interface AskedWindow {
  /** Null where no reading is left to sum up: none was received by then, or what there was has gone with its retention. */
  readonly summary: Summary | null
  readonly unit: string
  /** Corrections that are about the window, of the series or of the flow that its load rests on; ascending. */
  readonly corrections: readonly number[]
  /** Readings left out because a later revision stands in their place; see `AskedReadings`. */
  readonly replacedLater: number
}

interface Sources {
  readonly readings: ReadingsAsked
  readonly aggregates: Pick<AggregateLog, 'days' | 'marked'>
  readonly termsOf: TermsOf
  readonly limits: LimitSource
}

/** Readings that one answer may be summed up from: more than a day of one a second. */
const MOST_READINGS = 250_000

/**
 * Hours, days and months as they come to with corrections, or as they were known at an instant. What nobody corrected and was not asked
 * as of an instant is none of its business: that is published. Published aggregates keep no history, so the past is summed up again from
 * the readings that were received by then, with the limits and settings of today.
 */
export class AggregatesAsked {
  readonly #sources: Sources

  constructor(sources: Sources) {
    this.#sources = sources
  }

  /** By the end of the window: those of `windows` (ascending) that are not simply what is published. @throws TooWideError */
  async sumUp(series: SeriesKey, windows: readonly Window[], asked: Asked): Promise<Map<number, AskedWindow>> {
    const found = new Map<number, AskedWindow>()
    const [first, last] = [windows.at(0), windows.at(-1)]
    const known = this.#sources.termsOf(series)
    if (!known || !first || !last) return found
    const corrections = await this.#standing(series, { ...first, end: last.end }, { known, asked })
    const budget = { readings: MOST_READINGS }
    for (const window of windows) {
      const about = corrections.filter(correction => isAbout(correction, window))
      if (about.length === 0 && asked.asOf === null) continue
      const one = new OneWindow(this.#sources, { series, known, asked, corrections: about, budget })
      found.set(window.end, await one.sumUp(window))
      // Each may read a month: others of the thread have their turn in between.
      await new Promise(resolve => setImmediate(resolve))
    }
    return found
  }

  /** Of the series, and of the flow that its loads rest on. */
  async #standing(series: SeriesKey, { start, end }: Window, { known, asked }: { known: SeriesTerms; asked: Asked }) {
    const span = { from: start + 1, to: end }
    const { readings } = this.#sources
    const own = await readings.standing(series, span, asked)
    return known.flow ? [...own, ...(await readings.standing({ ...series, parameter: known.flow.parameter }, span, asked))] : own
  }
}

const isAbout = ({ change }: StandingCorrection, { start, end }: Window): boolean => touches(change, { from: start + 1, to: end })

interface Task {
  readonly series: SeriesKey
  readonly known: SeriesTerms
  readonly asked: Asked
  /** Those that are about the window. */
  readonly corrections: readonly StandingCorrection[]
  readonly budget: { readings: number }
}

/** One window on its way through the aggregator, which sees the readings as they were asked for. */
class OneWindow {
  readonly #sources: Sources
  readonly #task: Task
  readonly #aggregator: Aggregator
  #replacedLater = 0

  constructor(sources: Sources, task: Task) {
    this.#sources = sources
    this.#task = task
    const { termsOf, limits, aggregates } = sources
    this.#aggregator = new Aggregator({ store: { range: query => this.#range(query) }, aggregates, termsOf, limits })
  }

  async sumUp({ period, start, end }: Window): Promise<AskedWindow> {
    const { series, known, corrections } = this.#task
    const window = { period, start, end }
    const part = period === 'month' ? await this.#month(window) : await this.#aggregator.sumUp(series, window, known)
    const ids = corrections.map(({ id }) => id).sort((a, b) => a - b)
    const summary = part && part.summary.received > 0 ? part.summary : null
    return { summary, unit: known.unit, corrections: ids, replacedLater: this.#replacedLater }
  }

  /** Null where a corrected day's readings have gone: the month cannot be told any more. */
  async #month(month: Window): Promise<Part | null> {
    const { series, known, corrections, asked } = this.#task
    const published = asked.asOf === null ? await this.#publishedDays(month) : new Map<number, Part>()
    const parts: Part[] = []
    for (const day of partsOf(month)) {
      const standing = published.get(day.end)
      const isCorrected = corrections.some(correction => isAbout(correction, day))
      const part = standing && !isCorrected ? standing : await this.#aggregator.sumUp(series, day, known)
      if (part.summary.received > 0) parts.push(part)
      else if (standing) return null
    }
    return foldParts(month, parts, known.terms)
  }

  /** Those that hold: not the ones that wait to be summed up again. */
  async #publishedDays(month: Window): Promise<Map<number, Part>> {
    const { series, known } = this.#task
    const { station, parameter } = series
    const span = { from: month.start, to: month.end, limit: partsOf(month).length }
    const marked = await this.#sources.aggregates.marked({ station, parameter, period: 'day', ...span })
    const waiting = new Set(marked.map(({ end }) => end))
    const days = await this.#aggregator.daysOf(series, month, known)
    return new Map(days.flatMap(day => (waiting.has(day.summary.end) ? [] : [[day.summary.end, day] as const])))
  }

  async #range(query: RangeQuery) {
    const { budget, corrections, asked, series } = this.#task
    const limited = { ...query, limit: budget.readings + 1 }
    const span = { from: query.from, to: query.to - 1 }
    const of = corrections.filter(one => seriesId(one) === seriesId(query) && touches(one.change, span))
    const { readings, looked, replacedLater } = await this.#sources.readings.rangeWith(limited, of, asked.asOf)
    budget.readings -= looked.length
    if (budget.readings < 0) throw new TooWideError(`more than ${MOST_READINGS} readings: ask for fewer or shorter windows`)
    if (query.parameter === series.parameter) this.#replacedLater += replacedLater.length
    return readings.map(({ reading }) => reading)
  }
}
