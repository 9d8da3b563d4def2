import type { Flag, Millis } from '#libs/model'

/** One point of a series that ascends in time. `value` is undefined where a reading was due and is missing; NaN and infinity count as missing too. */
export interface Sample {
  readonly at: Millis
  readonly value: number | undefined
}

/** Least and most that is allowed, both included, in either order. */
export type Span = readonly [number, number]

/** The value, or NaN where it is missing. */
export const numberOf = ({ value }: Sample): number => (value !== undefined && Number.isFinite(value) ? value : Number.NaN)

export function valuesOf(samples: readonly Sample[]): Float64Array {
  const values = new Float64Array(samples.length)
  samples.forEach((sample, n) => (values[n] = numberOf(sample)))
  return values
}

/** A flag for each sample that has a value, 9 for the others. */
export const flagEach = (samples: readonly Sample[], flagOf: (value: number, index: number) => Flag): Flag[] =>
  samples.map((sample, index) => {
    const value = numberOf(sample)
    return Number.isNaN(value) ? 9 : flagOf(value, index)
  })

export const isOutside = (value: number, [a, b]: Span): boolean => value < Math.min(a, b) || value > Math.max(a, b)

/** Median of the steps between samples, in whole seconds cut off (as ioos_qc takes it); NaN of fewer than two samples. */
export function medianStepSeconds(samples: readonly Sample[]): number {
  const steps = Float64Array.from({ length: Math.max(0, samples.length - 1) }, (_, n) => atOf(samples, n + 1) - atOf(samples, n)).sort()
  const low = steps[(steps.length - 1) >> 1] ?? Number.NaN
  const high = steps[steps.length >> 1] ?? Number.NaN
  return Math.floor((low + high) / 2 / 1_000)
}

const atOf = (samples: readonly Sample[], index: number): Millis => samples[index]?.at ?? Number.NaN
