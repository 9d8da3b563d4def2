import type { Aggregate, Period } from '#libs/aggregates'
import type { Millis } from '#libs/model'
import type { DigestQuery, WarehouseDigest } from './warehouse.js'

/** One aggregate that is to go to the warehouse, as it stands now. */
export interface ForwardItem {
  readonly aggregate: Aggregate
  /** How often the warehouse left this one open. */
  readonly attempts: number
}

export interface ForwardBatch {
  readonly items: readonly ForwardItem[]
  /** Place among all publications that is reached when these are settled. */
  readonly upTo: number
}

/** What became of an item. */
export type ForwardOutcome =
  /** The warehouse has this revision. */
  | { readonly item: ForwardItem; readonly outcome: 'done' }
  /** It has a higher one than we ever made: ours goes on from there and is sent again. */
  | { readonly item: ForwardItem; readonly outcome: 'behind'; readonly revision: number }
  /** Set aside with the reason, until people ask for it again or it changes. */
  | { readonly item: ForwardItem; readonly outcome: 'rejected'; readonly reason: string }
  | { readonly item: ForwardItem; readonly outcome: 'retry'; readonly reason: string; readonly notBefore: Millis }

/** Which aggregates: each that is left out means all. Windows with `from < end <= to`. */
export interface ForwardSelection {
  readonly station?: string
  readonly parameter?: string
  readonly period?: Period
  readonly from: Millis
  readonly to: Millis
}

/** One station, period and day, as the digests of both sides name it. */
export type ForwardDay = Pick<WarehouseDigest, 'station' | 'period' | 'date'>

/** A comparison of both sides that somebody asked for, or the daily one. */
export interface ComparisonOrder {
  readonly askedAt: Millis
  readonly daily: boolean
  readonly from: Millis
  readonly to: Millis
}

export interface ComparisonResult {
  /** Station days of one period that either side holds. */
  readonly days: number
  /** Those that were not the same on both sides. */
  readonly differing: number
  /** Aggregates that are sent again for it. */
  readonly resent: number
  /** Of the differing ones, those that the warehouse alone holds: nothing can be sent for them. */
  readonly theirsAlone: number
}

/** What is known of what the warehouse has. One reader of the publications: everything that belongs together moves in one transaction. */
export interface ForwardBook {
  /** What waits for another attempt and is due, then what was published since; at most `limit`, each aggregate once. */
  next(now: Millis, limit: number): Promise<ForwardBatch>
  /** Makes all that `next` gave survive a power cut: the warehouse must never know what we could forget. */
  secure(): Promise<void>
  /** Keeps what became of items, and the place. An aggregate that changed meanwhile comes again by its new place. */
  settle(outcomes: readonly ForwardOutcome[], upTo: number, now: Millis): Promise<void>
  /** When the first of those that wait is due; null when none waits. */
  nextDue(): Promise<Millis | null>
  /** Counts and checksums of what we hold, by station and day. */
  digests(query: DigestQuery): Promise<readonly WarehouseDigest[]>
  /** Has a day sent again but for what is set aside; null where some of it is on its way anyway. Gives how many aggregates. */
  resendDay(day: ForwardDay, now: Millis): Promise<number | null>
  /** The oldest comparison that nobody has made yet. */
  nextComparison(): Promise<ComparisonOrder | null>
  orderComparison(order: ComparisonOrder): Promise<void>
  compared(order: ComparisonOrder, finishedAt: Millis, result: ComparisonResult): Promise<void>
  /** When the daily comparison was ordered last. */
  lastDaily(): Promise<Millis | null>
}
