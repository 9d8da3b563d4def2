import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import type { Flag } from '#libs/model'
import type { Windows } from './windows.js'
import { countsOver, decideByDeviation, extremesOver, scatterOf } from './windows.js'

/** Values of very different size side by side, constant stretches, and missing ones. */
const value = fc.oneof(
  fc.constantFrom(0, 0.1, 0.1, 7, Number.NaN),
  fc.double({ min: -1, max: 1, noNaN: true }),
  fc.double({ min: 1e6, max: 1e6 + 1, noNaN: true }),
  fc.constantFrom(1e12, -1e15)
)
const windows: fc.Arbitrary<Windows> = fc
  .tuple(fc.array(value, { maxLength: 60 }), fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { minLength: 1, maxLength: 60 }))
  .map(([values, moves]) => {
    let start = 0
    let end = 0
    const bounds = moves.map(([first, last]) => {
      end = Math.min(values.length, end + last)
      start = Math.min(end, start + first)
      return [start, end] as const
    })
    return {
      values: Float64Array.from(values),
      starts: Int32Array.from(bounds, bound => bound[0]),
      ends: Int32Array.from(bounds, bound => bound[1])
    }
  })

const inside = ({ values, starts, ends }: Windows, n: number): number[] =>
  [...values.subarray(starts[n], ends[n])].filter(v => !Number.isNaN(v))

describe('windows', () => {
  it('have the extremes and the number of their own values', () => {
    fc.assert(
      fc.property(windows, all => {
        const { min, max } = extremesOver(all)
        const counts = countsOver(all)
        for (let n = 0; n < all.starts.length; n++) {
          const own = inside(all, n)
          expect(counts[n]).toBe(own.length)
          expect(min[n]! + 0).toBe(own.length === 0 ? Number.NaN : Math.min(...own) + 0)
          expect(max[n]! + 0).toBe(own.length === 0 ? Number.NaN : Math.max(...own) + 0)
        }
      })
    )
  })

  it('are decided as if each were summed up by itself, threshold by threshold', () => {
    const deviationOf = (all: Windows, n: number): number => {
      const own = inside(all, n)
      return own.length === 0 ? Number.NaN : Math.sqrt(scatterOf(Float64Array.from(own), [0, own.length], own.length) / own.length)
    }
    fc.assert(
      fc.property(windows, fc.nat(), (all, pick) => {
        // A threshold that one of the windows meets exactly.
        const threshold = deviationOf(all, pick % all.starts.length) || 0
        const flagOf = (_: number, deviation: number): Flag =>
          Number.isNaN(deviation) ? 2 : deviation > threshold ? 1 : deviation < threshold ? 4 : 3
        const expected = Array.from(all.starts, (_, n) => flagOf(n, deviationOf(all, n)))
        expect(decideByDeviation(all, flagOf)).toEqual(expected)
      }),
      { numRuns: 500 }
    )
  })

  it('are decided in little more than the time of one look at each value', () => {
    const values = Float64Array.from({ length: 20_000 }, (_, n) => Math.sin(n / 7) * 10 + Math.sin(n) + 50)
    const starts = Int32Array.from(values, (_, n) => Math.max(0, n - 300))
    const ends = Int32Array.from(values, (_, n) => n + 1)
    let asked = 0
    decideByDeviation({ values, starts, ends }, (_, deviation) => {
      asked++
      return deviation < 3 ? 4 : 1
    })
    // Twice for each window, a third time where the bounds disagree.
    expect(asked).toBeLessThan(2 * values.length + 20)
  })
})
