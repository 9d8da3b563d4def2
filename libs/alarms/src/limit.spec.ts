import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Verdict } from '#libs/model'
import { bandOf, heldBy, isWorse, judge, nearestLimit, verdictOf } from '#libs/model'
import { reading, rulesFor, station, TEN } from '../test/fixtures.js'
import type { RuleLimit } from './limit.js'

const everywhere = [station('AG-X', { parameters: ['COD', 'pH', 'DO', 'WaterLevel', 'Temp', 'EC'] })]

function limits(...rules: object[]): readonly RuleLimit[] {
  const whole = rules.map((rule, index) => ({ id: `r-${index}`, stations: ['AG-X'], source: 'test', ...rule }))
  const { parameter } = rules[0] as { parameter: string }
  return rulesFor(whole, everywhere).limitsOf('AG-X', parameter)
}

const limit = (rule: object): RuleLimit => limits(rule)[0]!

describe('a verdict', () => {
  it.each<[string, object, [number, Verdict][]]>([
    [
      'under an upper limit has bands at 80 and 90 %',
      { parameter: 'COD', high: 90, unit: 'mg/L' },
      [
        [71.9, 'within'],
        [72, 'tendency'],
        [80.9, 'tendency'],
        [81, 'preparing'],
        [90, 'preparing'],
        [90.01, 'exceeds']
      ]
    ],
    [
      'over a lower limit has them mirrored: limit / 0.8 and limit / 0.9',
      { parameter: 'DO', low: 3.6, unit: 'mg/L' },
      [
        [4.51, 'within'],
        [4.5, 'tendency'],
        [4, 'preparing'],
        [3.6, 'preparing'],
        [3.59, 'exceeds'],
        [-1, 'exceeds']
      ]
    ],
    [
      'between two limits has them as shares of the way from the middle',
      { parameter: 'pH', low: 6, high: 9, unit: '-' },
      [
        [7.5, 'within'],
        [8.69, 'within'],
        [8.7, 'tendency'],
        [8.85, 'preparing'],
        [9, 'preparing'],
        [9.01, 'exceeds'],
        [6.31, 'within'],
        [6.3, 'tendency'],
        [6.15, 'preparing'],
        [6, 'preparing'],
        [5.99, 'exceeds']
      ]
    ],
    [
      'of a flood level is reached when H >= level (regulations.md 5.1)',
      { parameter: 'WaterLevel', high: 3.5, unit: 'm', reached: true, bands: 'none' },
      [
        [3.49, 'within'],
        [3.5, 'exceeds'],
        [4.5, 'exceeds']
      ]
    ],
    [
      'under a limit of zero or below knows only the limit itself',
      { parameter: 'WaterLevel', high: -0.5, unit: 'm' },
      [
        [-0.51, 'within'],
        [-0.5, 'within'],
        [-0.49, 'exceeds']
      ]
    ],
    [
      'at a limit of exactly zero does not exceed',
      { parameter: 'Temp', low: 0, unit: 'oC' },
      [
        [0, 'within'],
        [-0.001, 'exceeds']
      ]
    ],
    [
      'uses the shares that the rule states',
      { parameter: 'COD', high: 100, unit: 'mg/L', bands: { tendency: 0.5, preparing: 0.75 } },
      [
        [49, 'within'],
        [50, 'tendency'],
        [75, 'preparing']
      ]
    ]
  ])('%s', (_, rule, cases) => {
    for (const [value, verdict] of cases) expect([value, verdictOf(value, [limit(rule)])]).toEqual([value, verdict])
  })

  it('is not missed by a rounding of binary fractions', () => {
    const levels = fc.integer({ min: 1, max: 2_000 })
    fc.assert(
      fc.property(levels, cm => {
        const level = limit({ parameter: 'WaterLevel', high: cm, unit: 'cm', reached: true, bands: 'none' })
        expect(bandOf(level, cm / 100)).toBe(3)
        expect(bandOf(level, (cm - 0.1) / 100)).toBe(0)
        const cod = limit({ parameter: 'COD', high: cm / 10, unit: 'mg/L' })
        expect(verdictOf(Number(((cm / 10) * 0.8).toFixed(4)), [cod])).toBe('tendency')
        expect(verdictOf(cm / 10, [cod])).toBe('preparing')
      })
    )
  })

  it('is the worst of all rules, and names the one that decided it', () => {
    const flood = limits(
      { parameter: 'WaterLevel', high: 3.5, unit: 'm', reached: true, bands: 'none', source: 'level I' },
      { parameter: 'WaterLevel', high: 4, unit: 'm', reached: true, bands: 'none', source: 'level II' }
    )
    const at = (value: number) => judge(reading('AG-X', TEN, value, { parameter: 'WaterLevel', unit: 'm' }), flood)
    expect(at(3.6)).toMatchObject({ verdict: 'exceeds', limit: { source: 'level I' } })
    expect(at(3.4).verdict).toBe('within')
  })

  it('is never "within" without a limit', () => {
    expect(verdictOf(1, [])).toBe('no-limit')
    expect(judge(reading('AG-X', TEN, 1), [])).toEqual({ verdict: 'no-limit', limit: null })
  })

  it.each(['01', '02', '07'])('is not given on status %s', status => {
    expect(judge(reading('AG-X', TEN, 500, { status }), limits({ parameter: 'COD', high: 90, unit: 'mg/L' })).verdict).toBe('not-evaluated')
  })

  it('is not given on a failed or missing value, nor on one ahead of the clock', () => {
    const cod = limits({ parameter: 'COD', high: 90, unit: 'mg/L' })
    for (const other of [{ flag: 4 }, { flag: 9 }, { flags: ['clock-ahead'] }] as const)
      expect(judge(reading('AG-X', TEN, 500, other as object), cod).verdict).toBe('not-evaluated')
    expect(judge(reading('AG-X', TEN, 500, { flag: 3 }), cod).verdict).toBe('exceeds')
  })

  it('holds a value of another unit against the limit, and none that does not fit', () => {
    const cod = limits({ parameter: 'COD', high: 90, unit: 'mg/L' })
    expect(judge(reading('AG-X', TEN, 0.0901, { unit: 'g/L' }), cod).verdict).toBe('exceeds')
    expect(judge(reading('AG-X', TEN, 1, { unit: 'm' }), cod).verdict).toBe('not-evaluated')
  })

  it('changes at the day on which a limit begins, in Vietnam (PM2.5 50 to 45 at 2026-01-01 is the pattern)', () => {
    const both = limits(
      { parameter: 'COD', high: 50, unit: 'mg/L', validTo: '2026-01-01' },
      { parameter: 'COD', high: 45, unit: 'mg/L', validFrom: '2026-01-01' }
    )
    const midnight = Date.UTC(2025, 11, 31, 17)
    expect(judge(reading('AG-X', midnight - 1, 46), both).verdict).toBe('preparing')
    expect(judge(reading('AG-X', midnight, 46), both).verdict).toBe('exceeds')
    expect(judge(reading('AG-X', midnight, 46), both.slice(0, 1)).verdict).toBe('no-limit')
  })
})

describe('thresholds', () => {
  /** Two decimals, as instruments have. */
  const measured = (min: number, max: number) => fc.integer({ min: min * 100, max: max * 100 }).map(hundredths => hundredths / 100)
  const anyRule = fc
    .record({
      low: fc.option(measured(-50, 50), { nil: undefined }),
      span: measured(1, 100),
      upper: fc.boolean(),
      reached: fc.boolean(),
      deadband: fc.double({ min: 0, max: 0.5, noNaN: true }),
      bands: fc.constantFrom('none', { tendency: 0.8, preparing: 0.9 })
    })
    .map(({ low, span, upper, ...rest }) => ({
      parameter: 'Temp',
      unit: 'oC',
      ...(low === undefined ? {} : { low }),
      ...(upper || low === undefined ? { high: (low ?? -20) + span } : {}),
      ...rest
    }))

  it('a value holds at least the band that it is in, and a worse value is never in a lower band', () => {
    fc.assert(
      fc.property(anyRule, measured(-200, 200), measured(-200, 200), (rule, a, b) => {
        const one = limit(rule)
        expect(heldBy(one, a)).toBeGreaterThanOrEqual(bandOf(one, a))
        const [worse, better] = isWorse(one, a, b) ? [a, b] : [b, a]
        expect(bandOf(one, worse)).toBeGreaterThanOrEqual(bandOf(one, better))
        expect(heldBy(one, worse)).toBeGreaterThanOrEqual(heldBy(one, better))
      })
    )
  })

  it('the dead-band is a share of the way to the band', () => {
    const cod = limit({ parameter: 'COD', high: 100, unit: 'mg/L', deadband: 0.05 })
    expect([95.1, 95, 85.6, 85.5, 76.1, 76].map(value => heldBy(cod, value))).toEqual([3, 2, 2, 1, 1, 0])
    const ph = limit({ parameter: 'pH', low: 6, high: 9, unit: '-', deadband: 0.1 })
    expect([8.86, 8.85, 8.72, 8.71, 8.59, 8.58, 7.5].map(value => heldBy(ph, value))).toEqual([3, 2, 2, 1, 1, 0, 0])
    expect([6.14, 6.15, 6.28, 6.29, 6.41, 6.42].map(value => heldBy(ph, value))).toEqual([3, 2, 2, 1, 1, 0])
  })

  it('names the limit on the side of the value', () => {
    const ph = limit({ parameter: 'pH', low: 6, high: 9, unit: '-' })
    expect([nearestLimit(ph, 9.4), nearestLimit(ph, 5.1)]).toEqual([9, 6])
    expect(nearestLimit(limit({ parameter: 'DO', low: 4, unit: 'mg/L' }), 9)).toBe(4)
  })
})
