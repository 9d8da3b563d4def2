import type { Flag, Millis } from '#libs/model'
import { HOUR } from '#libs/model'
import type { Sample } from './sample.js'
import { valuesOf } from './sample.js'
import { boundsOf, decideByDeviation } from './windows.js'

export interface RateOfChange {
  /** In the series' unit per second; above it 3. */
  readonly suspect: number
  /** Above it 4. */
  readonly fail?: number | undefined
}

/**
 * Rate of change, as ioos_qc `rate_of_change_test`: the step from the sample before over the time between, in whole seconds cut off. A
 * time under a second counts as one second. 1 for the first sample and after a missing one; after an infinite one the rate is infinite.
 */
export function rateOfChange(samples: readonly Sample[], { suspect, fail = Number.NaN }: RateOfChange): Flag[] {
  return samples.map(({ at, value }, index) => {
    if (value === undefined || !Number.isFinite(value)) return 9
    const before = samples[index - 1]
    if (before?.value === undefined) return 1
    const seconds = Math.floor((at - before.at) / 1_000)
    const rate = Math.abs((value - before.value) / (seconds === 0 ? 1 : seconds))
    return rate > fail ? 4 : rate > suspect ? 3 : 1
  })
}

export interface RateOfChangeSigmas {
  /** Above as many standard deviations 3; the manual's default is 3. */
  readonly sigmas?: number | undefined
  /** The time before the sample over which the deviation is taken; the manual's default is 25 h, a tide's day. */
  readonly window?: Millis | undefined
  /** Fewer values in that time give no deviation: 2. At least 2. */
  readonly minPoints?: number | undefined
}

/** An hour of five-minute readings; the manual names no number. */
export const DEFAULT_SIGMA_POINTS = 12
const DEFAULT_SIGMAS = 3
export const DEFAULT_SIGMA_WINDOW: Millis = 25 * HOUR

/**
 * Rate of change in the form of the QARTOD manual (Manual for Real-Time Quality Control of In-situ Temperature and Salinity Data,
 * test 7; regulations.md 7.1): |v[n] - v[n-1]| > sigmas x standard deviation (divisor n) of the values in `at - window <= t < at`.
 * 2 where there are fewer than `minPoints` of them, or the sample before is missing.
 */
export function rateOfChangeSigmas(samples: readonly Sample[], settings: RateOfChangeSigmas = {}): Flag[] {
  const { sigmas = DEFAULT_SIGMAS, window = DEFAULT_SIGMA_WINDOW, minPoints = DEFAULT_SIGMA_POINTS } = settings
  const values = valuesOf(samples)
  const starts = startsOf(samples, window)
  const ends = boundsOf(samples.length, n => n)
  const step = (n: number): number => Math.abs((values[n] ?? Number.NaN) - (values[n - 1] ?? Number.NaN))
  return decideByDeviation({ values, starts, ends }, (n, deviation, count) => {
    if (Number.isNaN(values[n])) return 9
    if (count < Math.max(2, minPoints) || Number.isNaN(step(n))) return 2
    return step(n) > sigmas * deviation ? 3 : 1
  })
}

/** Index of the first sample of each window `at - window <= t`. */
function startsOf(samples: readonly Sample[], window: Millis): Int32Array {
  let start = 0
  return boundsOf(samples.length, n => {
    const limit = (samples[n]?.at ?? 0) - window
    while ((samples[start]?.at ?? limit) < limit) start++
    return start
  })
}
