import type { Millis, Road, SeriesKey } from '#libs/model'
import type { RefusalReason } from '#libs/wire'
import type { Spans } from './ledger-spans.js'

/** A day of UTC+7, named by its begin. */
export interface StationDay {
  /** Code of the station; empty for what named none. */
  readonly station: string
  readonly day: Millis
}

/**
 * What a station's messages brought on a day, **by day of receipt**. Counted in readings; a message that was refused as a whole counts
 * as one, since nobody can tell what was in it.
 */
export interface ReceiptDay extends StationDay {
  /** Messages about readings, by road; those refused whole, and those that the journal held already, included. */
  readonly messages: Record<Road, number>
  readonly received: Record<Road, number>
  refusedMessages: number
  repeatedMessages: number
  /** Readings of repeated messages. */
  repeated: number
  readonly refused: Partial<Record<RefusalReason, number>>
  /** When messages came. */
  readonly came: Spans
  /** When readings came whose time cannot be right. */
  readonly clock: Spans
  /** What was refused, by parameter (empty: whole messages): at its instant where that was told, otherwise when it came. */
  readonly refusedSpans: Record<string, Spans>
}

/** What became of the readings that came on a day, **by day of receipt**. */
export interface OutcomeDay extends StationDay {
  stored: number
  replaced: number
  repeated: number
  conflicts: number
  setAside: number
  /** Of those stored: older than the newest that their series had by then. */
  late: number
  /** Of those stored or replaced: more than 5 minutes ahead of the server's clock. */
  clockAhead: number
}

/** What there is of a series on a day, **by day of measurement**. */
export interface SeriesDay extends SeriesKey {
  readonly day: Millis
  /** Readings stored, whatever their status. */
  stored: number
  calibrating: number
  fault: number
  otherStatus: number
  late: number
  /** The newest of them that was not ahead of the clock; -1 where there is none. */
  newest: Millis
  /** Where the series has readings; those ahead of the clock left out. */
  readonly covered: Spans
}

/** A time during which a station had said, or its broker's will for it, that it is offline. `until` is null while it lasts. */
export interface OfflineSpan {
  readonly station: string
  readonly since: Millis
  readonly until: Millis | null
}

/** Where the ledger is kept: what comes in and what became of it are two accounts, each with a cursor that moves with its rows. */
export interface LedgerBook {
  cursor(account: LedgerAccount): Promise<number>
  /** Forgets an account from its begin, cursor included. */
  reset(account: LedgerAccount): Promise<void>
  receipts(days: readonly StationDay[]): Promise<ReceiptDay[]>
  outcomes(days: readonly StationDay[]): Promise<OutcomeDay[]>
  seriesDays(days: readonly (SeriesKey & { readonly day: Millis })[]): Promise<SeriesDay[]>
  /** The newest reading of each series that was not ahead of the clock. */
  newest(): Promise<(SeriesKey & { readonly newest: Millis })[]>
  offlineNow(): Promise<OfflineSpan[]>
  /** One transaction: rows take the place of those that stand, and the cursor moves to `upTo`. */
  saveReceipts(days: readonly ReceiptDay[], offline: readonly OfflineSpan[], upTo: number): Promise<void>
  saveOutcomes(days: readonly OutcomeDay[], series: readonly SeriesDay[], upTo: number): Promise<void>
}

export type LedgerAccount = 'ledger-receipts' | 'ledger-outcomes'
