import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { deviationOf, directionOf, meanOf, quantileOf, sumOf } from './statistics.js'

/** Multiples of 2^-20 up to a million: sums of them and of their squares are whole numbers of known units, so BigInt is exact. */
const UNIT = 2 ** 20
const grid = fc.integer({ min: -(2 ** 40), max: 2 ** 40 })
const grids = fc.array(grid, { minLength: 1, maxLength: 300 })
const EPSILON = 2 ** -50
const largest = (values: readonly number[]): number => Math.max(...values.map(Math.abs))

/** Root of a fraction of BigInts, to twenty digits. */
function rootOf(numerator: bigint, denominator: bigint): number {
  const scaled = (numerator * 10n ** 40n) / denominator
  let root = BigInt(Math.floor(Math.sqrt(Number(scaled))))
  for (let n = 0; n < 8 && root > 0n; n++) root = (root + scaled / root) / 2n
  return Number(root) / 1e20
}

describe('statistics', () => {
  it('of random numbers are those of exact arithmetic', () =>
    fc.assert(
      fc.property(grids, wholes => {
        const values = wholes.map(whole => whole / UNIT)
        const total = wholes.reduce((sum, whole) => sum + BigInt(whole), 0n)
        const squares = wholes.reduce((sum, whole) => sum + BigInt(whole) ** 2n, 0n)
        const n = BigInt(wholes.length)
        const scale = largest(values)
        expect(sumOf(values)).toBe(Number(total) / UNIT)
        expect(Math.abs((meanOf(values) ?? 0) - Number(total) / UNIT / wholes.length)).toBeLessThanOrEqual(scale * EPSILON)
        const exact = rootOf(n * squares - total ** 2n, n ** 2n) / UNIT
        expect(Math.abs((deviationOf(values) ?? 0) - exact)).toBeLessThanOrEqual(scale * EPSILON * 4)
      })
    ))

  it.each([
    [1, 2, 0.95],
    [-5, 0.25, 0.5],
    [100, 3, 0]
  ])('of an arithmetic progression from %d by %d are its closed forms', (first, step, share) => {
    for (let n = 1; n <= 60; n++) {
      const values = Array.from({ length: n }, (_, i) => first + i * step)
      expect(meanOf(values)).toBeCloseTo(first + ((n - 1) * step) / 2, 10)
      expect(deviationOf(values)).toBeCloseTo(step * Math.sqrt((n * n - 1) / 12), 10)
      expect(quantileOf(values, share)).toBeCloseTo(first + (n - 1) * share * step, 10)
    }
  })

  it('loses nothing where a plain sum would', () => {
    expect(sumOf([1, 1e100, 1, -1e100])).toBe(2)
    expect(deviationOf(Array.from({ length: 10 }, (_, n) => 1e9 + (n % 2)))).toBeCloseTo(0.5, 7)
  })

  it('turn with the directions, and scatter the same', () =>
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 80 }), { minLength: 1, maxLength: 50 }),
        fc.integer({ min: 0, max: 359 }),
        (degrees, by) => {
          const [still, turned] = [directionOf(degrees), directionOf(degrees.map(angle => (angle + by) % 360))]
          const off = (((turned.mean ?? 0) - (still.mean ?? 0) - by) % 360) + 360
          expect(Math.min(off % 360, 360 - (off % 360))).toBeLessThan(1e-9)
          expect(Math.abs((turned.deviation ?? 0) - (still.deviation ?? 0))).toBeLessThan(1e-5)
        }
      )
    ))

  it('of nothing are nothing', () => {
    expect([meanOf([]), deviationOf([]), quantileOf([], 0.95), directionOf([]).mean, directionOf([0, 180]).mean]).toEqual(
      Array(5).fill(null)
    )
  })
})
