import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { HOUR, MINUTE } from '#libs/model'
import { gap, syntax } from './arrival.js'
import { attenuatedSignal } from './attenuated.js'
import { compareFlags } from './flags.js'
import { flatLine } from './flat-line.js'
import { location, VIETNAM_BOX } from './location.js'
import { climatology, grossRange } from './range.js'
import { rateOfChange, rateOfChangeSigmas } from './rate.js'
import type { Sample } from './sample.js'
import { spike } from './spike.js'

const EVERY = 5 * MINUTE
const samples = (...values: (number | undefined)[]): Sample[] => values.map((value, n) => ({ at: n * EVERY, value }))
const none = undefined

/** What ioos_qc 3.0.0 gave for these; the edges that random vectors in JSON cannot hold. */
describe('edges as in ioos_qc', () => {
  it('an infinite value is out of any range, and missing elsewhere', () => {
    const series = samples(1, 9, Infinity, 9, 1)
    expect(grossRange(samples(Infinity, -Infinity, NaN, 1), { fail: [0, 10] })).toEqual([4, 4, 9, 1])
    expect(spike(series, { suspect: 2, fail: 5 })).toEqual([2, 2, 9, 2, 2])
    expect(rateOfChange(samples(1, 2, Infinity, 9.5, none, 3), { suspect: 0.01, fail: 3 })).toEqual([1, 1, 9, 4, 9, 1])
    expect(flatLine(samples(1, 1, Infinity, 1, 1, 1, none, 1), { suspectSeconds: 600, failSeconds: 900, tolerance: 0.1 })).toEqual([
      1, 1, 9, 4, 4, 4, 9, 4
    ])
    expect(attenuatedSignal(samples(1, 1, none, 1, 1.1, 4, Infinity, 1), { suspect: 0.5, fail: 0.01, periodSeconds: 900 })).toEqual([
      4, 4, 9, 4, 3, 1, 9, 1
    ])
  })

  it('ends of spans and thresholds themselves are good', () => {
    expect(grossRange(samples(0, 2, 8, 10), { fail: [10, 0], suspect: [2, 8] })).toEqual([3, 1, 1, 3])
    expect(spike(samples(1, 3, 1), { suspect: 2, fail: 4 })).toEqual([2, 1, 2])
    expect(rateOfChange(samples(0, 300, 0), { suspect: 1 })).toEqual([1, 1, 1])
    expect(attenuatedSignal(samples(1, 2), { suspect: 1, fail: 0.5, type: 'range' })).toEqual([1, 1])
  })

  it('series of nothing, of one, of two', () => {
    for (const test of [spike, flatLine, attenuatedSignal, rateOfChange] as ((s: Sample[], t: never) => unknown[])[]) {
      expect(test([], { suspect: 1, fail: 1, suspectSeconds: 1, failSeconds: 1 } as never)).toEqual([])
    }
    expect(spike(samples(none), { suspect: 1 })).toEqual([9])
    expect(rateOfChange(samples(none), { suspect: 1 })).toEqual([9])
    expect(flatLine(samples(1, none), { suspectSeconds: 1, failSeconds: 1, tolerance: 1 })).toEqual([1, 1])
  })

  it('a threshold of zero of a spike is none', () => {
    expect(spike(samples(1, 9, 1), { suspect: 0, fail: 0 })).toEqual([2, 1, 2])
  })

  it('nothing is flat with tolerance 0, and nothing can be said of steps under a second', () => {
    expect(flatLine(samples(1, 1, 1, 1), { suspectSeconds: 300, failSeconds: 600 })).toEqual([1, 1, 1, 1])
    const quick = samples(1, 1, none, 1).map(({ value }, n) => ({ at: n * 500, value }))
    expect(flatLine(quick, { suspectSeconds: 1, failSeconds: 1, tolerance: 1 })).toEqual([2, 2, 9, 2])
  })

  it('the deviation of windows has the divisor of the release that is asked for', () => {
    const settings = { suspect: 0.6, fail: 0.1, periodSeconds: 600 }
    // Of 1 and 2: 0.5 with divisor n, 0.707 with n - 1; of one value 0, or none.
    expect(attenuatedSignal(samples(1, 2, 1), settings)).toEqual([4, 3, 3])
    expect(attenuatedSignal(samples(1, 2, 1), { ...settings, ddof: 1 })).toEqual([2, 1, 1])
  })

  it('the last season that holds decides, and ends belong to it', () => {
    const seasons = [
      { time: [0, 2 * EVERY], span: [0, 1] },
      { time: [EVERY, EVERY], span: [0, 9], fail: [0, 10] }
    ] as const
    expect(climatology(samples(5, 5, 5, 5), seasons)).toEqual([3, 1, 3, 2])
    expect(climatology(samples(0, 11, none), seasons)).toEqual([1, 4, 9])
  })

  it('thresholds that contradict each other are refused', () => {
    const call = (): unknown => grossRange([], { fail: [0, 10], suspect: [5, 11] })
    expect(call).toThrow(expect.objectContaining({ code: 'QT_QUALITY_SETTINGS' }))
    expect(() => compareFlags([[1, 1], [1]])).toThrow(expect.objectContaining({ code: 'QT_QUALITY_LENGTHS' }))
  })

  it('a place lies in the box, its border included', () => {
    const places = [
      { longitude: 105.1, latitude: 10.4 },
      { longitude: 100, latitude: 24 },
      { longitude: 99.9, latitude: 10 },
      { longitude: 10.4, latitude: 105.1 },
      { longitude: none, latitude: 10 },
      { longitude: none, latitude: none },
      { longitude: Infinity, latitude: Infinity }
    ]
    expect(location(places, { box: VIETNAM_BOX })).toEqual([1, 1, 4, 4, 4, 9, 4])
  })
})

describe('rate of change in standard deviations', () => {
  it('holds a step against the deviation of the time before, without the value itself', () => {
    // Deviation of 10 and 12 in turn: 1.
    const series = samples(10, 12, 10, 12, 10, 12, 10, 13, 10.5)
    const settings = { minPoints: 4, window: HOUR }
    expect(rateOfChangeSigmas(series, { ...settings, sigmas: 2.5 })).toEqual([2, 2, 2, 2, 1, 1, 1, 3, 1])
    expect(rateOfChangeSigmas(series, { ...settings, sigmas: 3.5 })).toEqual([2, 2, 2, 2, 1, 1, 1, 1, 1])
  })

  it('sees any change after a value that never changed, and no change never', () => {
    expect(rateOfChangeSigmas(samples(5, 5, 5, 5, 5.001), { minPoints: 3 })).toEqual([2, 2, 2, 1, 3])
  })

  it('passes over missing values, and says nothing after one', () => {
    expect(rateOfChangeSigmas(samples(10, 12, 10, none, 12, 30), { minPoints: 3, sigmas: 3 })).toEqual([2, 2, 2, 9, 2, 3])
  })

  it('is by default three deviations of 25 hours', () => {
    const hours = (last: number): Sample[] =>
      Array.from({ length: 27 }, (_, n) => ({ at: n * HOUR, value: n === 0 ? 1_000 : n === 26 ? last : 10 + (n % 2) * 2 }))
    // The value of 26 hours before is out of the window: deviation 1 (of 25 values a little less).
    expect(rateOfChangeSigmas(hours(15)).at(-1)).toBe(3)
    expect(rateOfChangeSigmas(hours(14.5)).at(-1)).toBe(1)
    expect(rateOfChangeSigmas(hours(15).slice(0, 13)).join('')).toBe('2222222222221')
  })
})

describe('arrival', () => {
  it('is late only after interval and grace', () => {
    const expected = { every: 5 * MINUTE, grace: 10 * MINUTE }
    expect(gap(0, 15 * MINUTE, expected)).toBe(1)
    expect(gap(0, 15 * MINUTE + 1, expected)).toBe(4)
    expect(gap(undefined, 0, expected)).toBe(4)
    expect(gap(HOUR, 0, expected)).toBe(1)
  })

  it('can be read or not', () => {
    expect([syntax(true), syntax(false)]).toEqual([1, 4])
  })
})

describe('any test', () => {
  it('gives a flag for each sample, and 9 for a missing one', () => {
    const anySeries = fc
      .array(fc.option(fc.double({ noNaN: true }), { nil: undefined }), { minLength: 3 })
      .map(values => samples(...values))
    fc.assert(
      fc.property(anySeries, series => {
        const all = [
          grossRange(series, { fail: [-1, 1] }),
          climatology(series, [{ period: 'month', time: [1, 12], span: [0, 1] }]),
          spike(series, { suspect: 1, method: 'differential' }),
          rateOfChange(series, { suspect: 1 }),
          rateOfChangeSigmas(series, { minPoints: 2 }),
          flatLine(series, { suspectSeconds: 600, failSeconds: 900, tolerance: 1 }),
          attenuatedSignal(series, { suspect: 1, fail: 0.1, periodSeconds: 900 })
        ]
        for (const flags of all) {
          expect(flags).toHaveLength(series.length)
          expect(flags.every((flag, n) => (series[n]!.value === undefined ? flag === 9 : true))).toBe(true)
        }
      })
    )
  })
})
