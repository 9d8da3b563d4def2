import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Histogram } from './histogram.js'

const filled = (values: readonly number[]): Histogram => {
  const histogram = new Histogram()
  for (const value of values) histogram.record(value)
  return histogram
}

describe('Histogram', () => {
  it('gives every quantile at most 0.8 % above the true one, never below it', () => {
    const values = fc.array(fc.integer({ min: 0, max: 2 ** 31 - 1 }), { minLength: 1, maxLength: 200 })
    fc.assert(
      fc.property(values, fc.double({ min: 0.001, max: 1, noNaN: true }), (us, share) => {
        const sorted = us.toSorted((a, b) => a - b)
        const truth = sorted[Math.max(1, Math.ceil(share * us.length)) - 1] as number
        const given = filled(us).quantile(share)
        expect(given).toBeGreaterThanOrEqual(truth)
        expect(given).toBeLessThanOrEqual(truth * (1 + 1 / 128))
      })
    )
  })

  it('keeps small values, the maximum and the mean exactly', () => {
    const histogram = filled([1, 2, 255, 1_000_003])
    expect(histogram.quantile(0.5)).toBe(2)
    expect(histogram.quantile(0.75)).toBe(255)
    expect(histogram.quantiles()).toMatchObject({ count: 4, max: 1000.003, mean: (1 + 2 + 255 + 1_000_003) / 4_000 })
  })

  it('counts a clock that stepped back as 0 and a wait past its range as its end', () => {
    expect(filled([-5]).quantile(1)).toBe(0)
    expect(filled([1e12]).quantile(1)).toBe(2 ** 31 - 1)
  })

  it('is empty at first and after a reset', () => {
    const histogram = filled([5])
    histogram.reset()
    expect(histogram.quantiles()).toEqual({ count: 0, mean: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0 })
  })
})
