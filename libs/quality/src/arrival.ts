import type { Flag, Millis } from '#libs/model'

export interface Expected {
  /** Time between two readings. */
  readonly every: Millis
  /** How much longer it may take. The ministry's software calls a station offline after 15 min (regulations.md 7.1). */
  readonly grace: Millis
}

/** QARTOD gap test at instant `now`: 4 where more than interval and grace have passed since the newest reading, or there is none. */
export const gap = (newest: Millis | undefined, now: Millis, { every, grace }: Expected): Flag =>
  newest === undefined || now - newest > every + grace ? 4 : 1

/** QARTOD syntax test: 1 where the message could be read, 4 where it was refused. */
export const syntax = (isReadable: boolean): Flag => (isReadable ? 1 : 4)
