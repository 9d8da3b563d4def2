import type { Flag } from '#libs/model'
import type { Sample } from './sample.js'
import { flagEach, medianStepSeconds, valuesOf } from './sample.js'
import type { Windows } from './windows.js'
import { boundsOf, countsOver, decideByDeviation, extremesOver, startsWithin } from './windows.js'

export interface AttenuatedSignal {
  /** In the series' unit: less than this 3. */
  readonly suspect: number
  /** Less than this 4. */
  readonly fail: number
  /** The time that is looked at, back from each sample: `at - period < t <= at`. None: the whole series at once. */
  readonly periodSeconds?: number | undefined
  /** Fewer values in that time say nothing: 2. */
  readonly minPoints?: number | undefined
  /** The same said as a time, divided by the median step; `minPoints` goes before it. */
  readonly minPeriodSeconds?: number | undefined
  /** Standard deviation, or greatest less least. */
  readonly type?: 'std' | 'range' | undefined
  /** Of windows the standard deviation has divisor count - ddof: 0 as ioos_qc 3.0.0, 1 as before it. */
  readonly ddof?: 0 | 1 | undefined
}

/**
 * QARTOD attenuated signal test, as ioos_qc `attenuated_signal_test`. With `std` missing values are passed over; with `range` a missing
 * value makes every window that holds it 2.
 */
export function attenuatedSignal(samples: readonly Sample[], settings: AttenuatedSignal): Flag[] {
  const { periodSeconds, type = 'std', ddof = 0 } = settings
  const values = valuesOf(samples)
  const last = samples.length
  if (!periodSeconds) {
    const whole = { values, starts: Int32Array.of(0), ends: Int32Array.of(last) }
    const [flag = 2] =
      type === 'std' ? decideByDeviation(whole, (_, deviation) => gradeOf(deviation, settings)) : wholeRange(whole, settings)
    return flagEach(samples, () => flag)
  }
  const windows = { values, starts: startsWithin(samples, periodSeconds * 1_000), ends: boundsOf(samples.length, n => n + 1) }
  const least = Math.max(1, leastCount(samples, settings))
  const flags =
    type === 'std'
      ? decideByDeviation(windows, (_, deviation, count) => (count >= least ? gradeOf(deviation, settings) : 2), ddof)
      : rangeFlags(windows, least, settings)
  return flagEach(samples, (_, n) => flags[n] ?? 2)
}

function leastCount(samples: readonly Sample[], { minPoints, minPeriodSeconds }: AttenuatedSignal): number {
  if (minPoints !== undefined) return minPoints
  return minPeriodSeconds === undefined ? 1 : Math.trunc(minPeriodSeconds / medianStepSeconds(samples))
}

type Thresholds = Pick<AttenuatedSignal, 'suspect' | 'fail'>

const gradeOf = (spread: number, { suspect, fail }: Thresholds): Flag =>
  Number.isNaN(spread) ? 2 : spread < fail ? 4 : spread < suspect ? 3 : 1

const spreadsOf = (windows: Windows): Float64Array => {
  const { min, max } = extremesOver(windows)
  return max.map((value, n) => value - (min[n] ?? Number.NaN))
}

const wholeRange = (whole: Windows, thresholds: Thresholds): Flag[] => Array.from(spreadsOf(whole), spread => gradeOf(spread, thresholds))

function rangeFlags(windows: Windows, least: number, thresholds: Thresholds): Flag[] {
  const counts = countsOver(windows)
  const isComplete = (n: number): boolean => counts[n] === (windows.ends[n] ?? 0) - (windows.starts[n] ?? 0)
  return Array.from(spreadsOf(windows), (spread, n) => ((counts[n] ?? 0) >= least && isComplete(n) ? gradeOf(spread, thresholds) : 2))
}
