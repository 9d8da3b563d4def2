import type { Flag } from '#libs/model'
import type { Sample } from './sample.js'
import { valuesOf } from './sample.js'

export type SpikeMethod = 'average' | 'differential'

export interface Spike {
  /** In the series' unit; above it 3. Zero or none: not looked at. */
  readonly suspect?: number | undefined
  /** Above it 4. */
  readonly fail?: number | undefined
  /**
   * `average` (the manual's): distance to the mean of the two neighbours. `differential`: the lesser of the steps to and from the
   * point, where they go opposite ways.
   */
  readonly method?: SpikeMethod | undefined
}

/** QARTOD spike test, as ioos_qc `spike_test`: 2 at both ends and beside a missing value. */
export function spike(samples: readonly Sample[], { suspect, fail, method = 'average' }: Spike): Flag[] {
  const values = valuesOf(samples)
  const height = HEIGHTS[method]
  const flags: Flag[] = []
  for (let n = 0; n < values.length; n++) {
    const value = values[n] ?? Number.NaN
    // Beyond the ends is NaN, and so is what a missing neighbour gives.
    const diff = height(values[n - 1] ?? Number.NaN, value, values[n + 1] ?? Number.NaN)
    flags.push(Number.isNaN(value) ? 9 : Number.isNaN(diff) ? 2 : fail && diff > fail ? 4 : suspect && diff > suspect ? 3 : 1)
  }
  return flags
}

type Height = (before: number, value: number, after: number) => number

const HEIGHTS: Readonly<Record<SpikeMethod, Height>> = {
  average: (before, value, after) => Math.abs(value - finite((before + after) / 2)),
  differential: (before, value, after) => {
    const rise = value - before
    const fall = after - value
    return rise * fall >= 0 ? 0 : finite(Math.min(Math.abs(rise), Math.abs(fall)))
  }
}

/** A sum too great for a number masks the point in ioos_qc. */
const finite = (value: number): number => (Number.isFinite(value) ? value : Number.NaN)
