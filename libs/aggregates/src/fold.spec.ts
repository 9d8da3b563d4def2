import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import type { Flag, FlagReason } from '#libs/model'
import { DAY, HOUR, MINUTE } from '#libs/model'
import type { Part } from './aggregate.js'
import type { Sample } from './fold.js'
import { foldHour, foldParts, isWithin } from './fold.js'
import { DEFAULT_TERMS } from './terms.js'
import type { Window } from './windows.js'
import { partsOf, windowAt } from './windows.js'

/** 2026-11-24T09:00+07:00; the hour that ends at 10:00, and its day. */
const NINE = Date.UTC(2026, 10, 24, 2)
const hour = windowAt('hour', NINE + 1, 'hours-01-24')
const day = windowAt('day', NINE, 'hours-01-24')
const terms = DEFAULT_TERMS

const sample = (at: number, value: number, extra: Partial<Sample> = {}): Sample => ({
  at,
  value,
  status: '00',
  flag: 1,
  flags: [],
  exceeds: false,
  ...extra
})
const fiveMinutes = (values: readonly number[]): Sample[] => values.map((value, n) => sample(NINE + (n + 1) * 5 * MINUTE, value))

/** Readings of one day, at most one for each instant. */
const samples: fc.Arbitrary<Sample[]> = fc.uniqueArray(
  fc.record({
    at: fc.integer({ min: day.start + 1, max: day.end }),
    value: fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    status: fc.constantFrom('00', '00', '00', '01', '02'),
    flag: fc.constantFrom<Flag[]>(1, 1, 2, 3, 4, 9),
    flags: fc.constantFrom<FlagReason[][]>([], [], ['clock-ahead'], ['unit-converted']),
    exceeds: fc.boolean()
  }),
  { selector: s => s.at, maxLength: 80 }
)

const hoursOf = (all: readonly Sample[]): Part[] =>
  partsOf(day).flatMap((window: Window) => {
    const inside = all.filter(s => isWithin(s.at, window))
    return inside.length === 0 ? [] : [foldHour(window, inside, terms)]
  })
/** Every bit of it, values included. */
const bits = ({ summary, values }: Part): string => JSON.stringify([summary, [...values].map(v => (Object.is(v, -0) ? '-0' : v))])

describe('foldHour', () => {
  it('gives the figures of an hour of twelve readings', () => {
    const { summary } = foldHour(hour, fiveMinutes([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]), terms)
    expect(summary).toMatchObject({ received: 12, count: 12, expected: 12, completeness: 1, validShare: 1, sufficient: true })
    expect(summary).toMatchObject({ mean: 6.5, min: { value: 1, at: NINE + 5 * MINUTE }, max: { value: 12, at: NINE + HOUR } })
    expect(summary.p95).toBeCloseTo(11.45, 12)
    expect(summary.stddev).toBeCloseTo(Math.sqrt(143 / 12), 12)
    expect(summary).toMatchObject({ sum: null, worstFlag: 1, exceedanceMinutes: 0 })
  })

  it('leaves calibration, faults, failed values and clocks ahead out of the figures, and counts them', () => {
    const others = [
      sample(NINE + 1, 900, { status: '01' }),
      sample(NINE + 2, 900, { status: '02' }),
      sample(NINE + 3, 900, { flag: 4 }),
      sample(NINE + 4, 900, { flags: ['clock-ahead'] })
    ]
    const { summary } = foldHour(hour, [...others, ...fiveMinutes([5, 7])], terms)
    expect(summary).toMatchObject({
      received: 6,
      count: 2,
      validShare: 1 / 3,
      completeness: 1 / 6,
      sufficient: false,
      mean: 6,
      worstFlag: 4
    })
    expect(summary.max).toEqual({ value: 7, at: NINE + 10 * MINUTE })
  })

  it('has no figures without a usable reading', () => {
    const { summary } = foldHour(hour, [sample(NINE + 1, 3, { status: '01' })], terms)
    expect(summary).toMatchObject({ received: 1, count: 0, mean: null, min: null, max: null, p95: null, stddev: null, validShare: 0 })
    expect(foldHour(hour, [], terms).summary).toMatchObject({ received: 0, validShare: null, worstFlag: null, completeness: 0 })
  })

  it('sums rain, volumes and loads, each where it has a sense', () => {
    const flow = fiveMinutes(Array.from({ length: 12 }, () => 40))
    expect(foldHour(hour, fiveMinutes([0.2, 0.1]), { ...terms, sum: 'total' }).summary.sum).toBeCloseTo(0.3, 15)
    expect(foldHour(hour, flow, { ...terms, sum: 'volume' }).summary.sum).toBe(40)
    expect(foldHour(hour, flow, { ...terms, sum: 'volume', perHour: 3_600 }).summary.sum).toBe(144_000)
    const cod = fiveMinutes([75, 85])
    expect(foldHour(hour, cod, { ...terms, sum: 'load' }, 40).summary.sum).toBeCloseTo(3.2, 12)
    expect(foldHour(hour, cod, { ...terms, sum: 'load' }, null).summary.sum).toBeNull()
  })

  it('takes the mean of directions around the circle', () => {
    const wind = { ...terms, direction: true }
    expect(foldHour(hour, fiveMinutes([350, 10]), wind).summary.mean).toBeCloseTo(0, 9)
    expect(foldHour(hour, fiveMinutes([90, 270]), wind).summary.mean).toBeNull()
    expect(foldHour(hour, fiveMinutes([80, 100]), wind).summary).toMatchObject({ min: null, max: null, p95: null })
  })

  it('counts the minutes for which exceeding readings stand', () => {
    const values = fiveMinutes([100, 50, 100]).map(s => ({ ...s, exceeds: s.value > 90 }))
    expect(foldHour(hour, values, terms).summary.exceedanceMinutes).toBe(10)
  })
})

describe('sums are functions of the set of readings', () => {
  it('to the last bit, whatever the order of readings and hours', () =>
    fc.assert(
      fc.property(
        samples.chain(all => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        fc.nat(23),
        ([all, shuffled], turn) => {
          const parts = hoursOf(all)
          const again = hoursOf(shuffled)
          expect(again.map(bits)).toEqual(parts.map(bits))
          const turned = [...again.slice(turn), ...again.slice(0, turn)]
          expect(bits(foldParts(day, turned, terms))).toBe(bits(foldParts(day, parts, terms)))
        }
      )
    ))

  it('a late reading changes its hour alone', () =>
    fc.assert(
      fc.property(samples, fc.nat(79), (all, index) => {
        const late = all[index % Math.max(1, all.length)]
        if (!late) return
        const before = hoursOf(all.filter(s => s !== late))
        const after = hoursOf(all)
        const window = windowAt('hour', late.at, 'hours-01-24')
        const others = (parts: Part[]) => parts.filter(part => part.summary.end !== window.end).map(bits)
        expect(others(after)).toEqual(others(before))
        expect(after.some(part => part.summary.end === window.end)).toBe(true)
      })
    ))

  it('a day counts, bounds and ranks what its readings do, and its mean is that of its hourly means', () =>
    fc.assert(
      fc.property(samples, all => {
        const usable = all.filter(s => s.status === '00' && s.flag <= 3 && !s.flags.includes('clock-ahead'))
        const parts = hoursOf(all)
        const { summary, values } = foldParts(day, parts, terms)
        expect(summary).toMatchObject({ received: all.length, count: usable.length, expected: 288 })
        expect([...values]).toEqual(usable.map(s => s.value).sort((a, b) => a - b))
        const means = parts.flatMap(part => (part.summary.mean === null ? [] : [part.summary.mean]))
        if (means.length === 0) expect(summary.mean).toBeNull()
        else expect(summary.mean).toBeCloseTo(means.reduce((a, b) => a + b, 0) / means.length, 6)
        const least = [...usable].sort((a, b) => a.value - b.value || a.at - b.at)[0]
        expect(summary.min).toEqual(least ? { value: least.value, at: least.at } : null)
      })
    ))

  it('a month is folded from days as a day is from hours', () => {
    const month = windowAt('month', NINE, 'hours-01-24')
    const days = partsOf(month).map(window => {
      const inside = Array.from({ length: 288 }, (_, n) => sample(window.start + (n + 1) * 5 * MINUTE, (window.end / DAY) % 7))
      const hours = partsOf(window).map(h =>
        foldHour(
          h,
          inside.filter(s => isWithin(s.at, h)),
          terms
        )
      )
      return foldParts(window, hours, terms)
    })
    const { summary } = foldParts(month, days, terms)
    expect(summary).toMatchObject({ count: 30 * 288, expected: 30 * 288, completeness: 1, sufficient: true })
    const means = days.map(d => d.summary.mean ?? 0)
    expect(summary.mean).toBeCloseTo(means.reduce((a, b) => a + b) / 30, 9)
  })
})
