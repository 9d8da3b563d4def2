import type { z } from 'zod'
import type { Aggregate, DayRule, Period, Window } from '#libs/aggregates'
import { ALGORITHM, foldParts, partsOf, windowAt } from '#libs/aggregates'
import type { CompiledRules } from '#libs/alarms'
import { judge } from '#libs/alarms'
import type { Millis, SeriesKey } from '#libs/model'
import { formatInstant, MEASURING } from '#libs/model'
import type { AggregateLog, AggregateQuery, Clock, SeriesTerms } from '#libs/pipeline'
import { GRACE } from '#libs/pipeline'
import type { Aggregating } from '../wiring/aggregates.js'
import { csvText } from './csv.js'
import type { AggregateView } from './schemas.js'

type AggregateJson = z.infer<typeof AggregateView>

interface Sources extends Aggregating {
  readonly aggregates: Pick<AggregateLog, 'find'>
  readonly rules: Pick<CompiledRules, 'limitsOf'>
  readonly dayRule: DayRule
  readonly clock: Clock
}

/** A window is summed up a few seconds after its grace. */
const SLACK: Millis = 60_000

/** Aggregates as the contract shows them: those that are published, and what the windows that are still open come to so far. */
export class AggregateViews {
  readonly #sources: Sources

  constructor(sources: Sources) {
    this.#sources = sources
  }

  /** Ascending in time, one more than `limit` where there is more. */
  async find(query: AggregateQuery): Promise<AggregateJson[]> {
    const published = await this.#sources.aggregates.find({ ...query, limit: query.limit + 1 })
    if (published.length > query.limit) return published.map(aggregate => this.#view(aggregate, false))
    const ends = new Set(published.map(({ end }) => end))
    const open = this.#openWindows(query.period).filter(({ end }) => end > query.from && end <= query.to && !ends.has(end))
    const provisional = await Promise.all(open.map(window => this.#provisional(query, window)))
    return [
      ...published.map(aggregate => this.#view(aggregate, false)),
      ...provisional.flat().map(aggregate => this.#view(aggregate, true))
    ]
  }

  /** The window that is running, and the one before while nobody has summed it up. */
  #openWindows(period: Period): Window[] {
    const { clock, dayRule } = this.#sources
    const [running, before] = [clock(), clock() - GRACE - SLACK].map(at => windowAt(period, at, dayRule)) as [Window, Window]
    return running.end === before.end ? [running] : [before, running]
  }

  async #provisional(series: SeriesKey, window: Window): Promise<Aggregate[]> {
    const known = this.#sources.termsOf(series)
    if (!known) return []
    const { summary } = await this.#sumUp(series, window, known)
    if (summary.received === 0) return []
    const { station, parameter } = series
    return [{ station, parameter, ...summary, unit: known.unit, revision: 0, algorithm: ALGORITHM }]
  }

  /** A month that is running: its published days, and those that are not published yet. */
  async #sumUp(series: SeriesKey, window: Window, known: SeriesTerms) {
    const { aggregator } = this.#sources
    if (window.period !== 'month') return aggregator.sumUp(series, window, known)
    const days = await aggregator.daysOf(series, window, known)
    const ends = new Set(days.map(({ summary }) => summary.end))
    const missing = partsOf(window).filter(day => !ends.has(day.end) && this.#openWindows('day').some(({ end }) => end === day.end))
    const open = await Promise.all(missing.map(day => aggregator.sumUp(series, day, known)))
    return foldParts(window, [...days, ...open.filter(({ summary }) => summary.received > 0)], known.terms)
  }

  #view(aggregate: Aggregate, provisional: boolean): AggregateJson {
    const { start, end, min, max, mean, unit } = aggregate
    const limits = this.#sources.rules.limitsOf(aggregate.station, aggregate.parameter)
    const judged = mean === null ? null : judge({ value: mean, unit, at: end, status: MEASURING, flag: 1, flags: [] }, limits)
    return {
      ...aggregate,
      start: formatInstant(start),
      end: formatInstant(end),
      min: min?.value ?? null,
      minAt: min ? formatInstant(min.at) : null,
      max: max?.value ?? null,
      maxAt: max ? formatInstant(max.at) : null,
      provisional,
      verdict: judged?.verdict ?? (limits.length === 0 ? 'no-limit' : 'not-evaluated')
    }
  }
}

const CSV_COLUMNS = [
  ...(['station', 'parameter', 'period', 'start', 'end', 'unit', 'received', 'count', 'expected', 'completeness', 'validShare'] as const),
  ...(['sufficient', 'mean', 'min', 'minAt', 'max', 'maxAt', 'sum', 'p95', 'stddev', 'worstFlag', 'exceedanceMinutes'] as const),
  ...(['revision', 'algorithm', 'provisional', 'verdict'] as const)
]

/** Like that of readings; a figure that there is not is an empty field. */
export const aggregatesCsv = (aggregates: readonly AggregateJson[]): string => csvText(CSV_COLUMNS, aggregates)
