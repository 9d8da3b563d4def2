import type { Millis } from '#libs/model'
import { MINUTE } from '#libs/model'
import type { DayRule, Period } from './windows.js'

/**
 * What the sum of a window is.
 * - `none`: it has no sense (temperature, pH, a level).
 * - `total`: sum of the readings, each an amount since the one before (rainfall, mm).
 * - `volume`: mean flow times the hours that have one, in m3.
 * - `load`: mean concentration times mean flow of the same hour, kg from mg/L and m3/h.
 */
export type SumRule = 'none' | 'total' | 'volume' | 'load'

/** How the readings of one series are summed up. */
export interface Terms {
  /** Time between two readings, by the station's setting. Milliseconds. */
  readonly every: Millis
  readonly sum: SumRule
  /** What one unit of the series is in m3/h, for a volume; 1 otherwise. */
  readonly perHour: number
  /** Angles in degrees, whose mean is that of directions. */
  readonly direction: boolean
  readonly dayRule: DayRule
  /** Least completeness of a period for `sufficient`. */
  readonly thresholds: Readonly<Record<Period, number>>
}

/** Common practice; the circular names no figure (regulations.md 1.6, row 7: configurable). */
export const DEFAULT_THRESHOLDS: Terms['thresholds'] = { hour: 0.75, day: 0.75, month: 0.8 }

/** Real time means no later than every five minutes (regulations.md 1.3). */
export const DEFAULT_EVERY: Millis = 5 * MINUTE

export const DEFAULT_TERMS: Terms = {
  every: DEFAULT_EVERY,
  sum: 'none',
  perHour: 1,
  direction: false,
  dayRule: 'hours-01-24',
  thresholds: DEFAULT_THRESHOLDS
}
