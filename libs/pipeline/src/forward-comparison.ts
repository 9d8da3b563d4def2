import type { Period } from '#libs/aggregates'
import type { Millis } from '#libs/model'
import { DAY, MINUTE, VIETNAM_OFFSET } from '#libs/model'
import type { ComparisonOrder, ComparisonResult, ForwardBook } from './forward-ports.js'
import type { Clock } from './ports.js'
import type { WarehouseSink } from './warehouse.js'
import { digestDifferences } from './warehouse-checksum.js'

export interface DailyTime {
  /** Minutes after midnight of UTC+7. */
  readonly atMinute: number
}

/** Back-fill of 60 days is normal (Circular 10/2021: what a logger keeps); a month of leeway. */
const DAILY_SPAN: Millis = 92 * DAY
const WHOLE_SPAN: Millis = 10 * 366 * DAY
/** What is asked of the far side at once: its digests of so much time fit into memory with ease. */
const SPANS: Readonly<Record<Period, Millis>> = { hour: 31 * DAY, day: 366 * DAY, month: 366 * 10 * DAY }

const midnight = (at: Millis): Millis => Math.floor((at + VIETNAM_OFFSET) / DAY) * DAY - VIETNAM_OFFSET

/** The comparison of this day where its time has come and it was not ordered yet; it is ordered then. On the first of a month: of ten years. */
export async function dueDaily(book: ForwardBook, { atMinute }: DailyTime, now: Millis): Promise<ComparisonOrder | null> {
  const today = midnight(now)
  const at = today + atMinute * MINUTE
  const due = now >= at ? at : at - DAY
  const last = await book.lastDaily()
  if (last !== null && last >= due) return null
  const first = new Date(due + VIETNAM_OFFSET).getUTCDate() === 1
  const order = { askedAt: now, daily: true, from: midnight(due) - (first ? WHOLE_SPAN : DAILY_SPAN), to: midnight(due) }
  await book.orderComparison(order)
  return order
}

interface Sides {
  readonly book: ForwardBook
  readonly sink: WarehouseSink
  readonly clock: Clock
  readonly signal: AbortSignal
}

/**
 * Compares counts and checksums by station, period and day, and has what differs sent again. Days of which something is on its
 * way are left out: they are told apart next time.
 * @throws CodedError QT_WAREHOUSE_DIGEST when the far side cannot be asked.
 */
export async function compareSides({ from, to }: ComparisonOrder, { book, sink, clock, signal }: Sides): Promise<ComparisonResult> {
  const result = { days: 0, differing: 0, resent: 0, theirsAlone: 0 }
  for (const period of ['hour', 'day', 'month'] as const) {
    for (let start = from; start < to; start += SPANS[period]) {
      const query = { period, from: start, to: Math.min(to, start + SPANS[period]) }
      const theirs = await sink.digest(query, signal)
      const ours = await book.digests(query)
      const differences = digestDifferences(ours, theirs)
      result.days += Math.max(ours.length, theirs.length)
      for (const { ours: mine, ...day } of differences) {
        const resent = await book.resendDay(day, clock())
        if (resent === null) continue
        result.differing++
        result.resent += resent
        if (mine === null) result.theirsAlone++
      }
    }
  }
  return result
}
