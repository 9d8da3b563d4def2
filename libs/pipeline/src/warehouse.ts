import type { Aggregate, Period } from '#libs/aggregates'
import type { Millis } from '#libs/model'

export type { Aggregate, Period } from '#libs/aggregates'

/** Names one revision of one aggregate: `station/parameter/period/end/revision`, the end as epoch milliseconds. */
export const warehouseKey = ({ station, parameter, period, end, revision }: Aggregate): string =>
  `${station}/${parameter}/${period}/${end}/${revision}`

/**
 * What the warehouse says of one item.
 * - `known`: it has this revision, or a higher one, already; `revision` is the one it has. Higher than any of ours after a
 *   restore from an older copy: ours must then go on from there.
 * - `rejected`: the same would be refused again. Also when it holds the same revision with other figures.
 * - `retry`: nothing is certain of this one; send it again.
 */
export type ItemAnswer =
  | { readonly outcome: 'accepted' }
  | { readonly outcome: 'known'; readonly revision: number }
  | { readonly outcome: 'rejected'; readonly reason: string }
  | { readonly outcome: 'retry'; readonly reason: string }

/**
 * `answered`: one answer for each item, in their order. `retry`: nothing is certain of any of them. What is to be sent again is
 * the same as before, not earlier than told.
 */
export type SinkAnswer =
  | { readonly outcome: 'answered'; readonly items: readonly ItemAnswer[]; readonly notBefore?: Millis }
  | { readonly outcome: 'retry'; readonly reason: string; readonly notBefore?: Millis }

/** What one side holds of one station, period and day of UTC+7: two sides with the same digest hold the same revisions. */
export interface WarehouseDigest {
  readonly station: string
  readonly period: Period
  /** Date of the aggregates' ends less one millisecond, `2026-11-24` in UTC+7. */
  readonly date: string
  readonly count: number
  /** 64 bits as 16 hexadecimal digits; see `warehouseChecksum`. */
  readonly checksum: string
}

export interface DigestQuery {
  readonly period: Period
  /** Aggregates with `from < end <= to`. */
  readonly from: Millis
  readonly to: Millis
}

/**
 * The provincial data warehouse. Two real ones: over HTTP, and into a PostgreSQL schema. Sending the same item again changes
 * nothing, and a lower revision never replaces a higher one. What cannot be told is a `retry`, never a throw; a throw is a mistake of ours.
 */
export interface WarehouseSink {
  readonly name: string
  /** The most items that one call takes. */
  readonly limit: number
  /** Items in any order; where one stands twice, both have the same answer or the second is `known`. */
  send(items: readonly Aggregate[], signal: AbortSignal): Promise<SinkAnswer>
  /**
   * What the far side holds, for the daily comparison; ordered by station, then date.
   * @throws CodedError QT_WAREHOUSE_DIGEST when it cannot be asked.
   */
  digest(query: DigestQuery, signal: AbortSignal): Promise<readonly WarehouseDigest[]>
  close(): Promise<void>
}
