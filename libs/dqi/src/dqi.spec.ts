import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import type { FlagReason } from '#libs/model'
import { DAY, MINUTE } from '#libs/model'
import type { DayCounts, Sample } from './index.js'
import { addCounts, bandOf, CRITERIA, countDay, DqiSettings, incompleteStretches, LOST_REASONS, scoreDay, withRejected } from './index.js'

const MIDNIGHT = Date.UTC(2026, 10, 23, 17) // of UTC+7
const INTERVAL = 5 * MINUTE
const settings = DqiSettings.parse({})
const grid = { from: MIDNIGHT, interval: INTERVAL, expected: 288 }
const liveWithin = settings.liveWithinSeconds * 1_000

const sample = (at: number, more: Partial<Sample> = {}): Sample => ({
  ...{ at, status: '00', flag: 1, flags: [], revision: 0, receivedAt: at + 2_000 },
  ...more
})
/** The nth reading of the day. */
const nth = (n: number, more: Partial<Sample> = {}): Sample => sample(MIDNIGHT + n * INTERVAL, more)
const wholeDay = (): Sample[] => Array.from({ length: 288 }, (_, n) => nth(n))
const count = (readings: readonly Sample[], expected = 288): DayCounts => countDay({ readings, grid: { ...grid, expected }, liveWithin })
const score = (readings: readonly Sample[], expected = 288) => scoreDay(count(readings, expected), settings)
const flagged = (...flags: FlagReason[]): Partial<Sample> => ({ flags })

describe('a rule (regulations.md 6.1: ok / total * 100)', () => {
  it('gives a whole clean day 100 in every criterion, and green', () => {
    expect(score(wholeDay())).toMatchObject({ state: 'scored', dqi: 100, band: 'green' })
    for (const rule of Object.values(score(wholeDay()).criteria)) expect(rule).toEqual({ ok: 288, total: 288, score: 100 })
  })

  it('correct: readings that measure, less those of flag 3 and 4; calibrations and faults are not judged', () => {
    const readings = [nth(0), nth(1, { flag: 2 }), nth(2, { flag: 3 }), nth(3, { flag: 4 }), nth(4, { flag: 4, status: '01' })]
    const { rules, lost } = count([...readings, nth(5, { flag: 4, status: '02' })], 6)
    expect(rules.correct).toEqual({ ok: 2, total: 4 })
    expect(lost).toMatchObject({ suspect: 1, fail: 1 })
  })

  it('complete: distinct instants of the expected ones; a fault brings nothing, a calibration is no omission', () => {
    expect(count(wholeDay().slice(0, 216)).rules.complete).toEqual({ ok: 216, total: 288 })
    expect(count([nth(0), nth(1, { status: '01', flag: 4 }), nth(2, { status: '02', flag: 4 }), nth(3)], 4).rules.complete.ok).toBe(3)
    expect(count([], 288).rules.complete).toEqual({ ok: 0, total: 288 })
  })

  it('clean: what was refused, conflicts, has no status of its own or a clock ahead; another known unit is clean', () => {
    const readings = [
      nth(0),
      nth(1, flagged('status-assumed')),
      nth(2, flagged('unit-converted')),
      nth(3, { flag: 3, ...flagged('clock-ahead') })
    ]
    const counts = withRejected(count(readings, 4), { refused: 3, conflicting: 1 })
    expect(counts.rules.clean).toEqual({ ok: 2, total: 8 })
    expect(counts.lost).toMatchObject({ 'status-assumed': 1, 'clock-ahead': 1, refused: 3, conflicting: 1 })
  })

  it('live: received no later than 5 minutes after it was measured (regulations.md 1.3), replacements left out', () => {
    const came = (n: number, delay: number, revision = 0) => nth(n, { receivedAt: MIDNIGHT + n * INTERVAL + delay, revision })
    const { rules, lost } = count([came(0, 5 * MINUTE), came(1, 5 * MINUTE + 1), came(2, -4 * MINUTE), came(3, DAY, 1)], 4)
    expect(rules.live).toEqual({ ok: 2, total: 3 })
    expect(lost.late).toBe(1)
  })

  it('believes a clock that runs ahead in nothing: no instant, no value, no delay', () => {
    const ahead = nth(1, { flag: 4, receivedAt: MIDNIGHT - DAY, ...flagged('clock-ahead', 'out-of-range') })
    expect(count([nth(0), ahead], 2).rules).toEqual({
      correct: { ok: 1, total: 1 },
      complete: { ok: 1, total: 2 },
      clean: { ok: 1, total: 2 },
      live: { ok: 1, total: 1 }
    })
  })

  it('without anything to judge is undefined, neither 0 nor 100', () => {
    expect(score([], 0)).toMatchObject({ state: 'no-data', dqi: null, band: null, criteria: { complete: { total: 0, score: null } } })
    const silent = score([], 288)
    expect(silent).toMatchObject({ state: 'scored', dqi: 0, band: 'red', criteria: { complete: { score: 0 }, live: { score: null } } })
  })
})

describe('completeness', () => {
  it('does not depend on the phase of the station’s clock or a jitter of less than half an interval', () => {
    const shifted = wholeDay().map(({ at }) => sample(at + 137_000))
    const shaken = wholeDay().map(({ at }, n) => sample(at + ((n * 7) % 3) * 40_000))
    for (const readings of [shifted, shaken]) expect(count(readings).rules.complete.ok).toBe(288)
  })

  it('is not made up for by readings that come faster, nor by as many of a slower cadence', () => {
    const fast = Array.from({ length: 720 }, (_, n) => sample(MIDNIGHT + n * MINUTE)) // every minute, until noon
    expect(count(fast).rules.complete.ok).toBe(144)
    const slow = Array.from({ length: 206 }, (_, n) => sample(MIDNIGHT + n * 7 * MINUTE))
    expect(count(slow).rules.complete.ok).toBe(206)
  })

  it('tells where: before the first, between two, after the last', () => {
    const readings = [nth(2), nth(3), nth(7), nth(9)]
    const minutes = incompleteStretches({ readings, grid: { ...grid, expected: 12 } }).map(({ from, to, missing }) => [
      (from - MIDNIGHT) / MINUTE,
      (to - MIDNIGHT) / MINUTE,
      missing
    ])
    expect(minutes).toEqual([
      [0, 10, 2],
      [15, 35, 3],
      [35, 45, 1],
      [45, 60, 2]
    ])
  })

  const instants = fc
    .uniqueArray(fc.integer({ min: 0, max: DAY - 1 }), { maxLength: 400 })
    .map(all => all.sort((a, b) => a - b).map(at => sample(MIDNIGHT + at)))

  it('stays within bounds, and a reading more never lowers it', () => {
    fc.assert(
      fc.property(instants, fc.integer({ min: 0, max: DAY - 1 }), fc.integer({ min: 0, max: 288 }), (readings, more, expected) => {
        const { ok, total } = count(readings, expected).rules.complete
        expect([ok >= 0, ok <= total, total]).toEqual([true, true, expected])
        const wider = [...readings.filter(({ at }) => at !== MIDNIGHT + more), sample(MIDNIGHT + more)].sort((a, b) => a.at - b.at)
        expect(count(wider, expected).rules.complete.ok).toBeGreaterThanOrEqual(ok)
      })
    )
  })
})

describe('the index (regulations.md 6.1, 9)', () => {
  const counts = (correct: number, complete: number, clean: number, live: number): DayCounts => {
    const rule = (ok: number) => ({ ok, total: 1_000 })
    return { ...count([], 0), rules: { correct: rule(correct), complete: rule(complete), clean: rule(clean), live: rule(live) } }
  }

  it.each([
    [900, 90, 'green'],
    [899, 89.9, 'yellow'],
    [750, 75, 'yellow'],
    [749, 74.9, 'red']
  ] as const)('of %d per mille is %d and %s', (ok, dqi, band) => {
    expect(scoreDay(counts(ok, ok, ok, ok), settings)).toMatchObject({ dqi, band })
  })

  it('has the band of the score as it is, not as it is printed', () => {
    expect([bandOf(89.999_999, settings.bands), bandOf(74.999_999, settings.bands)]).toEqual(['yellow', 'red'])
  })

  it('is the mean of the criteria by their weights, equal unless set; what has no score leaves its weight', () => {
    expect(scoreDay(counts(1_000, 500, 1_000, 1_000), settings).dqi).toBe(87.5)
    const heavy = DqiSettings.parse({ weights: { complete: 3, live: 0 } })
    expect(scoreDay(counts(1_000, 500, 1_000, 0), heavy).dqi).toBe(70)
    const nothingClean = { ...counts(1_000, 500, 0, 900), rules: { ...counts(1_000, 500, 0, 900).rules, clean: { ok: 0, total: 0 } } }
    expect(scoreDay(nothingClean, settings).dqi).toBeCloseTo(80, 12)
  })

  it('refuses weights that weigh nothing and bands upside down', () => {
    expect(DqiSettings.safeParse({ weights: { correct: 0, complete: 0, clean: 0, live: 0 } }).success).toBe(false)
    expect(DqiSettings.safeParse({ bands: { green: 70 } }).success).toBe(false)
  })

  const anyCounts = fc
    .record({
      totals: fc.tuple(fc.nat(900), fc.nat(900), fc.nat(900), fc.nat(900)),
      share: fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }))
    })
    .map(({ totals: [correct, complete, clean, live], share: [a, b] }): DayCounts => {
      const lost = { ...count([], 0).lost, fail: Math.floor(correct * a), missing: Math.floor(complete * b), late: Math.floor(live * a) }
      const rule = (total: number, gone: number) => ({ ok: total - gone, total })
      const rules = {
        correct: rule(correct, lost.fail),
        complete: rule(complete, lost.missing),
        clean: rule(clean, 0),
        live: rule(live, lost.late)
      }
      return { rules, lost }
    })

  it('of a data set has criteria that are the weighted means of its parts, in whatever order they are added', () => {
    fc.assert(
      fc.property(fc.array(anyCounts, { minLength: 1, maxLength: 6 }), parts => {
        const whole = scoreDay(addCounts(parts), settings)
        for (const name of CRITERIA) {
          const rules = parts.map(part => scoreDay(part, settings).criteria[name])
          const total = rules.reduce((sum, rule) => sum + rule.total, 0)
          const mean = rules.reduce((sum, rule) => sum + (rule.score ?? 0) * rule.total, 0) / total
          if (total === 0) expect(whole.criteria[name].score).toBeNull()
          else expect(whole.criteria[name].score).toBeCloseTo(mean, 8)
        }
        expect(addCounts([...parts].reverse())).toEqual(addCounts(parts))
        if (whole.dqi !== null) expect([whole.dqi >= 0, whole.dqi <= 100]).toEqual([true, true])
      })
    )
  })

  it('names a reason for every point that is lost', () => {
    const readings = [nth(0, { flag: 3 }), nth(1, flagged('status-assumed')), nth(2, { receivedAt: MIDNIGHT + DAY }), nth(5)]
    const { rules, lost } = withRejected(count(readings, 8), { refused: 2, conflicting: 1 })
    const gone = CRITERIA.reduce((sum, name) => sum + rules[name].total - rules[name].ok, 0)
    expect(LOST_REASONS.reduce((sum, reason) => sum + lost[reason], 0)).toBe(gone)
    expect(lost).toEqual({ suspect: 1, fail: 0, missing: 4, refused: 2, conflicting: 1, 'status-assumed': 1, 'clock-ahead': 0, late: 1 })
  })
})
