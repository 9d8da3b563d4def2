import type { AlarmTransition } from '#libs/alarms'
import type { Millis, Reading, SeriesKey } from '#libs/model'

/** What the pipeline needs of a logger. Fields carry a `code` of the error catalogue where something went wrong. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** The server's clock as an argument, so that tests can hold it. */
export type Clock = () => Millis

/** A reading of the journal: the record's sequence says where it stands. */
export interface StoredReading extends Reading {
  readonly sequence: number
}

/** Two values for one identity with an equal revision: the first stays, both are kept and shown (design, invariant 4). */
export interface Conflict extends SeriesKey {
  readonly at: Millis
  readonly revision: number
  readonly kept: number
  readonly other: number
  readonly sequence: number
  readonly receivedAt: Millis
}

export interface WriteOutcome {
  /** New readings, readings replaced by a higher revision, repeats of what stood already, and conflicts. */
  readonly stored: number
  readonly replaced: number
  readonly repeated: number
  readonly conflicts: number
  /** Readings that the store refuses for good (older than its retention): kept aside with the reason. The sum of all five = readings written. */
  readonly setAside: number
}

/** What became of a reading that was not simply new. `item`: its place among the readings of its journal record, from 0. */
export interface ReadingFate {
  readonly sequence: number
  readonly item: number
  readonly fate: Exclude<keyof WriteOutcome, 'stored'>
}

export interface RangeQuery extends SeriesKey {
  /** `from <= at < to`. */
  readonly from: Millis
  readonly to: Millis
  readonly limit: number
}

/** A limit for those who want every reading of a span: far more than any window can hold, a second's readings of a month. */
export const EVERY_READING = 3_000_000

/**
 * Where the time series live. Two real ones: SQLite (embedded, default) and InfluxDB 2. One suite in `libs/testkit` binds both.
 * Writing the same readings twice changes nothing; the order and the cut of batches change nothing.
 */
export interface TimeSeriesStore {
  /** Sequence of the last journal record whose readings are in the store; 0 before the first. */
  cursor(): Promise<number>
  /** Stores readings (any order, repeats allowed) and then, in the same transaction where there is one, moves the cursor to `upTo`. */
  write(readings: readonly StoredReading[], upTo: number): Promise<WriteOutcome>
  /**
   * What became of the readings of `after < sequence <= upTo`, as it was decided when they were first written: only of those that
   * were not stored as new, ascending by sequence and item. It is kept with the cursor, so a kill, a replay or a second writing
   * neither changes nor loses it. It needs that records are first written in the journal's order, whole, and after the cursor.
   */
  fates(after: number, upTo: number): Promise<ReadingFate[]>
  /**
   * Newest reading of each series (by `at`), of all stations or of those named; ordered by station, then parameter.
   * With `before`, those at or after it are passed over where the series has an earlier one: one reading of a clock that
   * runs years ahead must not hide what the station measures now.
   */
  latest(stations?: readonly string[], before?: Millis): Promise<Reading[]>
  /** Readings of one series in ascending `at`, newest revision of each, at most `limit`. */
  range(query: RangeQuery): Promise<Reading[]>
  /** Conflicts in ascending sequence after `after`: about `limit` of them, since a page never ends inside a journal record. */
  conflicts(after: number, limit: number): Promise<Conflict[]>
  close(): Promise<void>
}

export type { Alarm, AlarmKind, AlarmState, AlarmTransition, TransitionKind } from '#libs/alarms'

/** What a channel answers. The one who fails says whether to try again. */
export type Delivery =
  | { readonly outcome: 'delivered' }
  | { readonly outcome: 'retry'; readonly reason: string; readonly notBefore?: Millis }
  | { readonly outcome: 'rejected'; readonly reason: string }

/** A message that waits in the outbox. */
export interface OutboxMessage {
  /** Also the idempotency key: transition id + channel + target. */
  readonly key: string
  readonly channel: string
  /** Address within the channel: a URL, a mail address, an MQTT topic. */
  readonly target: string
  readonly transition: AlarmTransition
  readonly attempts: number
}

/** A way to reach people or programs: MQTT, webhook, e-mail. May be called again with the same key after a lost answer. */
export interface Notifier {
  readonly channel: string
  deliver(message: OutboxMessage, signal: AbortSignal): Promise<Delivery>
}

/**
 * The alarm consumer's durable side. Its cursor and what it recorded move in one transaction, so a restart neither
 * repeats nor forgets a transition.
 */
export interface AlarmLog {
  /** Sequence of the last journal record whose transitions are recorded. */
  cursor(): Promise<number>
  /** The engine's own memory as it was at `sequence` (at most the cursor); what follows it is replayed silently up to the cursor. */
  snapshot(): Promise<{ readonly sequence: number; readonly bytes: Uint8Array } | null>
  /** Keeps a snapshot and moves the cursor to at least its sequence. */
  saveSnapshot(sequence: number, bytes: Uint8Array): Promise<void>
  /**
   * One transaction: alarms are inserted or updated (an operator's acknowledgement that stands there is merged, never
   * overwritten), transitions whose id is new are kept and fanned out into the outbox (MQTT always, then each recipient
   * whose filter fits), the cursor moves to `upTo`.
   */
  record(transitions: readonly AlarmTransition[], upTo: number): Promise<void>
}

/** Messages that must reach somebody. Delivery is at least once, each with its key. */
export interface Outbox {
  /** Messages to send at `now`, oldest first, at most `limit`; those of targets named in `busy` left out. */
  due(now: Millis, limit: number, busy: readonly string[]): Promise<OutboxMessage[]>
  /** When the next one falls due; null with an empty outbox. */
  nextDue(): Promise<Millis | null>
  delivered(key: string, now: Millis): Promise<void>
  retry(key: string, notBefore: Millis, reason: string): Promise<void>
  /** Given up: stays visible as failed, with its reason. */
  failed(key: string, now: Millis, reason: string): Promise<void>
}
