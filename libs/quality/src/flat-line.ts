import type { Flag } from '#libs/model'
import type { Sample } from './sample.js'
import { flagEach, medianStepSeconds, valuesOf } from './sample.js'
import { boundsOf, extremesOver } from './windows.js'

export interface FlatLine {
  /** Seconds for which a value may stay within `tolerance`; then 3. */
  readonly suspectSeconds: number
  /** Then 4. */
  readonly failSeconds: number
  /** What the greatest and the least value of the time must differ by. With 0, the default of ioos_qc, nothing is ever flat. */
  readonly tolerance?: number | undefined
}

/** Fewer samples than this all pass. */
const FEWEST = 3

/**
 * QARTOD flat line test, as ioos_qc `flat_line_test`: the seconds are divided by the median step between samples, and the quotient cut
 * off is the number of steps to look back; where the values of those samples differ by less than `tolerance`, the last is flat. Missing
 * ones in between are passed over. The first samples, with too few before them, pass. Of fewer than three samples all pass, missing ones
 * too. Where the median step is under a second nothing can be said: 2 (ioos_qc throws).
 */
export function flatLine(samples: readonly Sample[], { suspectSeconds, failSeconds, tolerance = 0 }: FlatLine): Flag[] {
  if (samples.length < FEWEST) return samples.map(() => 1)
  const every = medianStepSeconds(samples)
  if (every <= 0) return flagEach(samples, () => 2)
  const stepsIn = (seconds: number): number => Math.trunc(Math.trunc(seconds) / every)
  return flatLineBySteps(samples, { suspect: stepsIn(suspectSeconds), fail: stepsIn(failSeconds), tolerance })
}

export interface FlatLineBySteps {
  /** As many samples before the sample are looked at with it; infinity where the threshold is not set. */
  readonly suspect: number
  readonly fail: number
  readonly tolerance: number
}

/** The same with the number of steps given: what a sample is flagged follows from as many samples before it, and from nothing else. */
export function flatLineBySteps(samples: readonly Sample[], { suspect, fail, tolerance }: FlatLineBySteps): Flag[] {
  const values = valuesOf(samples)
  const failed = flatAfter(values, fail, tolerance)
  const suspected = flatAfter(values, suspect, tolerance)
  return flagEach(samples, (_, n) => (failed(n) ? 4 : suspected(n) ? 3 : 1))
}

function flatAfter(values: Float64Array, steps: number, tolerance: number): (index: number) => boolean {
  if (steps >= values.length) return () => false
  const starts = boundsOf(values.length, n => Math.max(0, n - steps))
  const ends = boundsOf(values.length, n => n + 1)
  const { min, max } = extremesOver({ values, starts, ends })
  return n => n >= steps && (max[n] ?? Number.NaN) - (min[n] ?? Number.NaN) < tolerance
}
