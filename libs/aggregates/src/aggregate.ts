import type { Flag, Millis, SeriesKey } from '#libs/model'
import type { Period } from './windows.js'

/** Raised when the same readings give other figures than before: stored aggregates are then computed anew. */
export const ALGORITHM = 1

/** A value and when it was measured. */
export interface Extreme {
  readonly value: number
  readonly at: Millis
}

/** What one series did in one window. Functions of the set of its readings: order of arrival and repeats change nothing. */
export interface Summary {
  readonly period: Period
  /** The window is `start < at <= end`. */
  readonly start: Millis
  readonly end: Millis
  /** Readings of the window, whatever their status and flag. */
  readonly received: number
  /** Readings that entered the statistics: status 00 and flag 1, 2 or 3, not of a clock that ran ahead. */
  readonly count: number
  /** Readings that the station should have sent. */
  readonly expected: number
  /** count / expected, at most 1; 0 where nothing is expected. */
  readonly completeness: number
  /** count / received; null where nothing was received. */
  readonly validShare: number | null
  /** Whether completeness reaches the threshold of the period. A figure that does not is shown all the same, and says so. */
  readonly sufficient: boolean
  /** Of an hour: mean of its readings. Of a day: mean of its hourly means; of a month: of its daily means (regulations.md 1.6). */
  readonly mean: number | null
  readonly min: Extreme | null
  readonly max: Extreme | null
  /** Volume, fall or load over the window, where that has a sense for the parameter; see `SumRule`. */
  readonly sum: number | null
  /** 95th percentile of the window's readings. */
  readonly p95: number | null
  /** Standard deviation of the window's readings. */
  readonly stddev: number | null
  /** Worst flag of all readings received; null of nothing. */
  readonly worstFlag: Flag | null
  /** Minutes for which readings stand that exceed a limit. */
  readonly exceedanceMinutes: number
}

/** A summary as it is published: it changes only with a higher revision. */
export interface Aggregate extends SeriesKey, Summary {
  readonly unit: string
  readonly revision: number
  readonly algorithm: number
}

/** A window's summary with what the next longer window needs of it. */
export interface Part {
  readonly summary: Summary
  /** Values of the readings in `count`, ascending. */
  readonly values: Float64Array
}
