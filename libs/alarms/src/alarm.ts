import type { Millis, Verdict } from '#libs/model'

/** States of ISA-18.2 / IEC 62682 (regulations.md 7.3). The first cut reaches the first four; the others have their names already. */
export type AlarmState =
  | 'normal'
  | 'unacknowledged-active'
  | 'acknowledged-active'
  | 'rtn-unacknowledged'
  | 'shelved'
  | 'suppressed-by-design'
  | 'out-of-service'

/** What an alarm is about: a limit's band, or a station that fell silent. */
export type AlarmKind = 'limit' | 'silence'

/** One episode: from the reading that raised it to the reading that cleared it. */
export interface Alarm {
  /**
   * URL-safe: station, parameter, rule and the event time at which it was first raised, `AG-X.COD.cod-high.20261124T030500Z`
   * (a silence has no parameter). It stays when late data move the beginning.
   */
  readonly id: string
  readonly kind: AlarmKind
  readonly station: string
  readonly parameter: string | null
  readonly rule: string
  /** Highest band reached during the episode; `not-evaluated` for a silence. */
  readonly severity: Verdict
  readonly state: AlarmState
  /** The worst value of the episode as known at its last transition; null for a silence. */
  readonly value: number | null
  /** The limit that the worst value was held against; for a silence the permitted minutes without a reading. */
  readonly limit: number | null
  /** Unit of `value` and `limit`: the parameter's canonical unit; `min` for a silence. */
  readonly unit: string | null
  /** Event times. A withdrawn alarm has a `clearedAt` too, so that it counts as open nowhere. */
  readonly raisedAt: Millis
  readonly clearedAt: Millis | null
  readonly acknowledgedAt: Millis | null
  readonly acknowledgedBy: string | null
  readonly comment: string | null
  /** Source of the limit, in words that name it. */
  readonly source: string | null
}

/**
 * What happened to an alarm. Each becomes one message on each channel.
 * `revised`: late data or a new rule changed its bounds, its highest band or, once it is closed, its worst value.
 * `withdrawn`: late data or a new rule showed that it never was.
 */
export type TransitionKind = 'raised' | 'escalated' | 'eased' | 'cleared' | 'acknowledged' | 'revised' | 'withdrawn'

export interface AlarmTransition {
  /**
   * Deterministic and unique: alarm id, kind and event time; the journal's sequence too where late data caused it, since one
   * instant may be corrected more than once. The idempotency key of every message made of it.
   */
  readonly id: string
  readonly kind: TransitionKind
  /** Event time of the reading (or of the deadline) that caused it. */
  readonly at: Millis
  /** The alarm after the transition. */
  readonly alarm: Alarm
  /** Band in which the alarm stands after the transition, `within` once it is over; absent for a silence. */
  readonly level?: Verdict
}
