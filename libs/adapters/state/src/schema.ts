import type { Kysely, Transaction } from 'kysely'
import type { Verdict } from '#libs/model'
import type { AlarmState, TransitionKind } from '#libs/pipeline'
import type { CorrectionTables } from './correction-tables.js'
import type { LawTables } from './law-tables.js'
import type { LedgerTables } from './ledger-tables.js'

/** Instants are milliseconds since 1970 (UTC) everywhere; lists and alarms are JSON text. */
export interface Tables extends AggregateTables, CorrectionTables, ForwardTables, LawTables, LedgerTables {
  credentials: { station: string; label: string; sha256: string; created_at: number }
  tokens: { name: string; role: string; sha256: string; created_at: number }
  recipients: {
    id: string
    channel: string
    target: string
    language: string | null
    minimum_severity: string
    stations: string | null
    secret: string | null
    created_at: number
  }
  cursors: { name: string; sequence: number }
  snapshots: { name: string; sequence: number; bytes: Uint8Array }
  alarms: {
    id: string
    station: string
    state: AlarmState
    raised_at: number
    body: string
    /** Worst severity that anybody was told of in this episode. */
    told_severity: Verdict
  }
  /** `position` is the order in which transitions were recorded; the outbox keeps it within a target. */
  transitions: { id: string; alarm: string; position: number; kind: TransitionKind; at: number; body: string }
  outbox: {
    key: string
    channel: string
    target: string
    transition: string
    position: number
    state: OutboxState
    attempts: number
    queued_at: number
    not_before: number
    finished_at: number | null
    reason: string | null
  }
  refusals: {
    sequence: number
    item: number
    received_at: number
    station: string | null
    road: string
    topic: string
    reason: string
    detail: string
    parameter: string | null
    at: number | null
    payload: Uint8Array
    payload_bytes: number
  }
}

/** `rank`: 0 hour, 1 day, 2 month. */
interface AggregateTables {
  aggregates: {
    station: string
    parameter: string
    rank: number
    end_at: number
    unit: string
    revision: number
    algorithm: number
    /** Counts publications: a window that is published again moves to the end. */
    position: number
    /** The summary as JSON. */
    body: string
    /** A day's values, ascending, eight bytes each. */
    day_values: Uint8Array | null
  }
  aggregate_marks: {
    station: string
    parameter: string
    rank: number
    start_at: number
    end_at: number
    due_at: number
    sequence: number
  }
}

/** `rank` as in `aggregates`. What is neither here nor beyond the forwarder's place is in the warehouse. */
interface ForwardTables {
  forward_items: {
    station: string
    parameter: string
    rank: number
    end_at: number
    /** `waiting` for (another) attempt, or `rejected` by the warehouse. */
    state: 'waiting' | 'rejected'
    /** The revision that was sent last. */
    revision: number
    attempts: number
    not_before: number
    since: number
    reason: string | null
  }
  forward_comparisons: {
    asked_at: number
    daily: number
    from_at: number
    to_at: number
    finished_at: number | null
    days: number | null
    differing: number | null
    resent: number | null
    theirs_alone: number | null
  }
}

export type OutboxState = 'pending' | 'delivered' | 'failed'

export type Db = Kysely<Tables>
export type Trx = Transaction<Tables>

/** The same data by two connections: see `Synchronous` in dialect.ts for what each promises. */
export interface Databases {
  /** Operators' actions, credentials, tokens, and all reading. */
  readonly powerSafe: Db
  /** What is derived from the journal, and the outbox's marks: after a power cut it comes again with the same ids. */
  readonly killSafe: Db
}
