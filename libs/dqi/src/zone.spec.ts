import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import type { Verdict } from '#libs/model'
import { DAY, HOUR } from '#libs/model'
import type { DailyVerdict, Zone } from './index.js'
import { ZoneSettings, zoneIndicator } from './index.js'

/** The first instant of a year in UTC+7. */
const newYear = (year: number): number => Date.UTC(year, 0, 1) - 7 * HOUR
const FIRST = newYear(2026)
const OVER = newYear(2027)
const settings = ZoneSettings.parse({})

const day = (n: number, verdict: Verdict = 'within', completeness = 1): DailyVerdict => ({ day: FIRST + n * DAY, verdict, completeness })
const days = (count: number, verdict: Verdict = 'within', completeness = 1): DailyVerdict[] =>
  Array.from({ length: count }, (_, n) => day(n, verdict, completeness))
const ask = (zones: readonly Zone[], more: Partial<ZoneSettings> = {}, now = OVER) =>
  zoneIndicator({ year: 2026, now }, zones, { ...settings, ...more })
const station = (name: string, ...all: DailyVerdict[]) => ({ station: name, days: all })
const one = (all: readonly DailyVerdict[], more: Partial<ZoneSettings> = {}, now = OVER) =>
  ask([{ zone: 'KCN', stations: [{ station: 'A', days: all }] }], more, now).zones[0]

describe('the zone indicator of a year (plan, annex I B15)', () => {
  it('is met by a year of days that could be judged, none of them above the limit', () => {
    const tended = [...days(363), day(363, 'tendency'), day(364, 'preparing')]
    expect(one(tended)).toMatchObject({ state: 'met', gap: null, stations: [{ daysExpected: 365, daysEvaluated: 365, completeness: 1 }] })
  })

  it('is not met by a day above the limit, unless the setting allows so many', () => {
    const year = [...days(364), day(364, 'exceeds')]
    expect(one(year)).toMatchObject({ state: 'not-met', stations: [{ daysExceeding: 1 }] })
    expect(one(year, { exceedingDays: 1 })?.state).toBe('met')
  })

  it('never calls met what nobody loaded a limit for, not for a day', () => {
    expect(one(days(365, 'no-limit'))).toMatchObject({ state: 'not-assessable', gap: 'no-limit', stations: [{ daysWithoutLimit: 365 }] })
    expect(one([...days(364), day(364, 'no-limit')])).toMatchObject({ state: 'not-assessable', gap: 'no-limit' })
    expect(one([...days(300, 'no-limit'), ...days(365).slice(300, 364), day(364, 'exceeds')])?.state).toBe('not-met')
  })

  it('never calls met a year of which too little could be judged: days missing, not evaluated, or on too few readings', () => {
    expect(one(days(274))?.state).toBe('met') // 0.7507
    expect(one(days(273))).toMatchObject({ state: 'not-assessable', gap: 'incomplete' })
    expect(one(days(365, 'not-evaluated'))?.gap).toBe('incomplete')
    expect(one(days(365, 'within', 0.74))?.gap).toBe('incomplete')
    expect(one([], { yearCompleteness: 0 })?.gap).toBe('incomplete')
  })

  it('does not pass over a day above the limit that has too few readings: silence must not pay', () => {
    const year = [...days(364), day(364, 'exceeds', 0.5)]
    expect(one(year)).toMatchObject({ state: 'not-assessable', gap: 'exceeds-incomplete', stations: [{ daysExceedingIncomplete: 1 }] })
  })

  it('of a running year owes the days that are over, and of one to come none', () => {
    const noon = FIRST + 10 * DAY + 12 * HOUR
    expect(one(days(11), {}, noon)).toMatchObject({ state: 'met', stations: [{ daysExpected: 10, daysEvaluated: 10 }] })
    expect(one([], {}, FIRST - 1)).toMatchObject({ state: 'not-assessable', gap: 'no-day-yet' })
  })

  it('counts days of UTC+7 of this year alone, and 366 of a leap year', () => {
    expect(one([day(-1, 'exceeds'), ...days(365), day(365, 'exceeds')])?.state).toBe('met')
    expect(one([...days(364), { day: OVER - 1, verdict: 'exceeds', completeness: 1 }])?.state).toBe('not-met')
    const leap = zoneIndicator({ year: 2028, now: newYear(2029) }, [{ zone: 'KCN', stations: [station('A')] }], settings)
    expect(leap.zones[0]?.stations[0]?.daysExpected).toBe(366)
  })

  it('takes the worst of what several parameters say of a day, and the least completeness', () => {
    expect(one([...days(365), day(5, 'exceeds')])?.state).toBe('not-met')
    expect(one([...days(365), day(5, 'no-limit')])?.gap).toBe('no-limit')
    expect(one([...days(365), day(5, 'within', 0.1)])?.stations[0]?.daysEvaluated).toBe(364)
    // One parameter too incomplete to judge does not unsay another's exceedance.
    expect(one([...days(365), day(5, 'exceeds'), day(5, 'exceeds', 0.1), day(5, 'within', 0)])?.state).toBe('not-met')
  })

  it('of a zone holds for every station of it, and names why it could not be judged', () => {
    const [good, bad, silent] = [station('A', ...days(365)), station('B', ...days(365, 'exceeds')), station('C')]
    const stateOf = (...stations: Zone['stations']) => ask([{ zone: 'KCN', stations }]).zones[0]
    expect(stateOf(good, silent)).toMatchObject({ state: 'not-assessable', gap: 'incomplete' })
    expect(stateOf(good, silent, bad)).toMatchObject({ state: 'not-met', gap: null })
    expect(stateOf()).toMatchObject({ state: 'not-assessable', gap: 'no-station' })
  })

  it('gives the share of those that could be judged, and how many that were', () => {
    const zones = [
      { zone: 'met', stations: [station('A', ...days(365))] },
      { zone: 'not', stations: [station('B', ...days(365, 'exceeds'))] },
      { zone: 'silent', stations: [station('C')] },
      { zone: 'unlimited', stations: [station('D', ...days(365, 'no-limit'))] }
    ]
    expect(ask(zones)).toMatchObject({ met: 1, notMet: 1, notAssessable: 2, share: 0.5, completeness: 0.5, atLeast: 0.25 })
    expect(ask(zones.slice(2))).toMatchObject({ share: null, completeness: 0, atLeast: 0 })
    expect(ask([])).toMatchObject({ share: null, completeness: null, atLeast: null })
  })

  const verdict = fc.oneof(
    { weight: 40, arbitrary: fc.constant<Verdict>('within') },
    { weight: 1, arbitrary: fc.constantFrom<Verdict>('tendency', 'preparing', 'exceeds', 'no-limit', 'not-evaluated') }
  )
  const completeness = fc.oneof({ weight: 9, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.constantFrom(0, 0.5, 0.75) })
  const anyDay = fc.tuple(fc.integer({ min: -2, max: 20 }), verdict, completeness).map(each => day(...each))
  const now = FIRST + 18 * DAY

  it('is a function of the set of days: order and repeats change nothing', () => {
    const twice = fc
      .array(anyDay, { maxLength: 40 })
      .chain(all => fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: 2 * all.length })))
    fc.assert(fc.property(twice, ([all, shuffled]) => expect(one(shuffled, {}, now)).toEqual(one(all, {}, now))))
  })

  it('is never met on a day without limit, above it, or with too little evidence', () => {
    let met = 0
    fc.assert(
      fc.property(fc.array(anyDay, { minLength: 20, maxLength: 90 }), all => {
        const zone = one(all, {}, now)
        if (zone?.state !== 'met') return
        met++
        const owed = all.filter(each => each.day >= FIRST && each.day < now)
        expect(owed.filter(each => each.verdict === 'exceeds' || each.verdict === 'no-limit')).toEqual([])
        expect(zone.stations[0]?.completeness).toBeGreaterThanOrEqual(0.75)
      }),
      { numRuns: 400, seed: 1 }
    )
    expect(met).toBeGreaterThan(10)
  })
})
