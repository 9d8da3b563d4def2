import { describe, expect, it } from '@jest/globals'
import { deviation, fsum, mean, quantile } from 'd3-array'
import * as fc from 'fast-check'
import { deviationOf, meanOf, quantileOf, sumOf } from './statistics.js'

/** What instruments give; squares of anything smaller underflow, in the library and not here. */
const measured = fc.double({ min: -1e6, max: 1e6, noNaN: true }).map(value => (Math.abs(value) < 1e-6 ? 0 : value))

/** An outside library on the same numbers: d3-array's fsum is exact, its quantile is type 7, its deviation has the divisor n - 1. */
describe('agreement with d3-array', () => {
  it('on random series', () =>
    fc.assert(
      fc.property(fc.array(measured, { minLength: 2, maxLength: 300 }), values => {
        const near = (a: number | null, b: number | undefined) =>
          expect(Math.abs((a ?? 0) - (b ?? 0))).toBeLessThanOrEqual(Math.max(...values.map(Math.abs)) * 1e-14)
        const n = values.length
        near(sumOf(values) / n, fsum(values) / n)
        near(meanOf(values), mean(values))
        near(quantileOf(Float64Array.from(values).sort(), 0.95), quantile(values, 0.95))
        near((deviationOf(values) ?? 0) * Math.sqrt(n / (n - 1)), deviation(values))
      })
    ))
})
