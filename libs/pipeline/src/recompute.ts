import type { DayRule, Period, Window } from '#libs/aggregates'
import { PERIODS, windowsBetween } from '#libs/aggregates'
import type { Millis, SeriesKey } from '#libs/model'
import { GRACE } from './aggregate-consumer.js'
import type { AggregateLog, Published, SeriesTerms } from './aggregate-ports.js'
import type { Aggregator } from './aggregator.js'

export interface RecomputeQuery extends SeriesKey {
  /** Each day and each month that touches `from < at <= to`, with all its hours and days, as far as its grace is over at `now`. */
  readonly from: Millis
  readonly to: Millis
  readonly now: Millis
}

interface Ports {
  readonly aggregates: Pick<AggregateLog, 'publish' | 'mark' | 'cursor'>
  readonly aggregator: Pick<Aggregator, 'resultsOfDay' | 'resultOf'>
  readonly known: SeriesTerms
}

export interface RecomputeProgress {
  readonly days: number
  readonly windows: number
  /** Windows whose figures are others than those that stood: they have the next revision. */
  readonly changed: number
}

/** Days whose windows are published together. */
const AT_ONCE = 8

/**
 * Sums up a stretch of one series anew where no server does, with progress after every few days. Windows for which the store holds
 * nothing stay as they are: readings that went with their retention take no figure with them.
 */
export async function* recompute(query: RecomputeQuery, { aggregates, aggregator, known }: Ports): AsyncGenerator<RecomputeProgress> {
  let [days, windows, changed] = [0, 0, 0]
  const keep = async (results: readonly Published[]): Promise<void> => {
    windows += results.length
    changed += await aggregates.publish(results)
  }
  const all = closedWindows('day', query, known.terms.dayRule)
  for (let start = 0; start < all.length; start += AT_ONCE) {
    const some = all.slice(start, start + AT_ONCE)
    const results: Published[] = []
    for (const day of some) results.push(...(await aggregator.resultsOfDay(query, day, known)))
    await keep(results)
    days += some.length
    yield { days, windows, changed }
  }
  for (const month of closedWindows('month', query, known.terms.dayRule)) {
    const result = await aggregator.resultOf({ ...markOf(query, month), sequence: 0 })
    if (result) await keep([result])
  }
  yield { days, windows, changed }
}

/** Asks a running server for the same: it finds the windows marked. Gives how many. */
export async function markAnew(query: RecomputeQuery, { aggregates, known }: Omit<Ports, 'aggregator'>): Promise<number> {
  const windows = PERIODS.flatMap(period => closedWindows(period, query, known.terms.dayRule))
  const marks = windows.map(window => ({ ...markOf(query, window), sequence: 0 }))
  await aggregates.mark(marks, await aggregates.cursor())
  return marks.length
}

/** How many days that is, for a progress bar. */
export const daysOf = (query: RecomputeQuery, { terms }: SeriesTerms): number => closedWindows('day', query, terms.dayRule).length

/** Hours are those of whole days. */
function closedWindows(period: Period, { from, to, now }: RecomputeQuery, rule: DayRule): Window[] {
  const days = windowsBetween('day', { from, to }, rule)
  const whole = { from: days[0]?.start ?? from, to: days.at(-1)?.end ?? to }
  return windowsBetween(period, whole, rule).filter(({ end }) => end + GRACE <= now)
}

const markOf = ({ station, parameter, now }: RecomputeQuery, window: Window) => ({ station, parameter, ...window, dueAt: now })
