import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import type { Flag, FlagReason, Millis } from '#libs/model'
import { HOUR, MINUTE } from '#libs/model'
import type { Companions, Evaluated, QualityReading } from './evaluate.js'
import { evaluate } from './evaluate.js'
import type { Plan } from './plan.js'
import { companionsOf, reach } from './plan.js'

const START = Date.UTC(2026, 10, 24)
const EVERY = 5 * MINUTE

const reading = (at: Millis, value: number, extra: Partial<QualityReading> = {}): QualityReading => ({
  at,
  value,
  status: '00',
  flag: 1,
  flags: [],
  ...extra
})
const everyFive = (values: readonly number[]): QualityReading[] => values.map((value, n) => reading(START + n * EVERY, value))
const plain: Plan = { parameter: 'COD', unit: 'mg/L', every: EVERY, maxStep: 3 * EVERY, rules: [] }
const flagsOf = (evaluated: readonly Evaluated[]): string => evaluated.map(({ flag }) => flag).join('')
const flagsBy = (evaluated: readonly Evaluated[], test: string): string => evaluated.map(({ tests }) => tests[test] ?? '-').join('')

describe('evaluate', () => {
  it('says nothing of a series without tests: each reading keeps its flag', () => {
    const evaluated = evaluate(plain, [reading(START, 1), reading(START + 1, 1, { flag: 4 }), reading(START + 2, 1, { flag: 2 })])
    expect(evaluated).toEqual([
      { flag: 1, tests: {} },
      { flag: 4, tests: {} },
      { flag: 2, tests: {} }
    ])
  })

  it('joins the tests and the own flag by precedence, and names each test', () => {
    const plan: Plan = { ...plain, spike: { suspect: 5, fail: 50 }, grossRange: { fail: [0, 100], suspect: [10, 60] } }
    const evaluated = evaluate(plan, everyFive([20, 20, 70, 20, 20]))
    expect(flagsOf(evaluated)).toBe('13331')
    expect(evaluated[2]).toEqual({ flag: 3, tests: { 'gross-range': 3, spike: 3 } })
    expect(evaluated[0]).toEqual({ flag: 1, tests: { 'gross-range': 1, spike: 2 } })
    const jump = evaluate(plan, everyFive([20, 20, 90, 20, 20]))
    expect(jump[2]).toEqual({ flag: 4, tests: { 'gross-range': 3, spike: 4 } })
  })

  it.each([
    ['calibration', { status: '01', flag: 4, flags: ['calibration'] }],
    ['a fault', { status: '02', flag: 4, flags: ['device-fault'] }],
    ['a value out of range', { flag: 4, flags: ['out-of-range'] }],
    ['a clock ahead', { flag: 3, flags: ['clock-ahead'] }]
  ] satisfies [string, Partial<QualityReading>][])('passes over %s: it keeps its flag and is no neighbour', (_, extra) => {
    const readings = everyFive([20, 20, 900, 20, 20])
    readings[2] = { ...readings[2]!, ...extra }
    const plan: Plan = { ...plain, spike: { fail: 50 }, rateOfChange: { suspect: 0.01 }, flatLine: { suspect: 3, fail: 9, tolerance: 1 } }
    const evaluated = evaluate(plan, readings)
    expect(evaluated[2]).toEqual({ flag: extra.flag, tests: {} })
    expect(flagsBy(evaluated, 'spike')).toBe('21-12')
    expect(flagsBy(evaluated, 'rate-of-change')).toBe('21-11')
    // Three measured ones before the last, whatever lies between.
    expect(flagsBy(evaluated, 'flat-line')).toBe('22-23')
  })

  it('does not look across a step longer than maxStep', () => {
    const near = [reading(START, 20), reading(START + plain.maxStep, 90), reading(START + 2 * plain.maxStep, 20)]
    const far = [reading(START, 20), reading(START + plain.maxStep + 1, 90), reading(START + 2 * plain.maxStep + 1, 20)]
    const plan: Plan = { ...plain, spike: { fail: 50 }, rateOfChange: { suspect: 0.01 }, flatLine: { suspect: 1, fail: 9, tolerance: 100 } }
    expect(flagsBy(evaluate(plan, near), 'spike')).toBe('242')
    expect(flagsBy(evaluate(plan, far), 'spike')).toBe('222')
    expect(flagsBy(evaluate(plan, near), 'rate-of-change')).toBe('233')
    expect(flagsBy(evaluate(plan, far), 'rate-of-change')).toBe('223')
    expect(flagsBy(evaluate(plan, near), 'flat-line')).toBe('233')
    expect(flagsBy(evaluate(plan, far), 'flat-line')).toBe('223')
  })

  it('takes the months of UTC+7', () => {
    const plan: Plan = { ...plain, climatology: [{ period: 'month', time: [12, 12], span: [0, 1] }] }
    const december = Date.UTC(2026, 10, 30, 17)
    expect(flagsBy(evaluate(plan, [reading(december - 1, 5), reading(december, 5)]), 'climatology')).toBe('23')
  })

  it('flags both series of a rule, each in its own evaluation', () => {
    const rules = [{ id: 'bod-below-cod', kind: 'less-than', lesser: 'BOD5', greater: 'COD', margin: 0 }] as const
    const cod = everyFive([50, 50, 50, 50])
    const bod = everyFive([49.9, 50, 60, 60])
    bod[3] = { ...bod[3]!, status: '02', flag: 4, flags: ['device-fault'] }
    const ofBod: Plan = { ...plain, parameter: 'BOD5', rules }
    const ofCod: Plan = { ...plain, rules }
    expect(companionsOf(ofCod)).toEqual(['BOD5'])
    expect(flagsBy(evaluate(ofCod, cod, new Map([['BOD5', bod]])), 'bod-below-cod')).toBe('1332')
    expect(flagsBy(evaluate(ofBod, bod, new Map([['COD', cod]])), 'bod-below-cod')).toBe('133-')
    expect(flagsBy(evaluate(ofCod, cod), 'bod-below-cod')).toBe('2222')
  })

  it('refuses readings out of order, or two of one instant', () => {
    const two = everyFive([1, 2])
    expect(() => evaluate(plain, [two[1]!, two[0]!])).toThrow(expect.objectContaining({ code: 'QT_QUALITY_ORDER' }))
    expect(() => evaluate(plain, [two[0]!, two[0]!])).toThrow(expect.objectContaining({ code: 'QT_QUALITY_ORDER' }))
  })
})

/** Instants mostly a step apart, values often equal, some readings not measured. */
const series: fc.Arbitrary<QualityReading[]> = fc
  .array(
    fc.record({
      step: fc.constantFrom(EVERY, EVERY, EVERY, 1, MINUTE, 2 * EVERY, 3 * EVERY, 3 * EVERY + 1, HOUR),
      value: fc.oneof(fc.constantFrom(10, 10, 10, 10.1, 0), fc.double({ min: 0, max: 40, noNaN: true })),
      status: fc.constantFrom('00', '00', '00', '00', '01', '02'),
      flag: fc.constantFrom<Flag[]>(1, 1, 1, 2, 3, 4, 9),
      flags: fc.constantFrom<FlagReason[][]>([], [], [], ['clock-ahead'], ['status-assumed'])
    }),
    { maxLength: 60 }
  )
  .map(all => {
    let at = START
    return all.map(({ step, ...rest }) => ({ ...rest, at: (at += step) }))
  })

const rules = [
  { id: 'lower', kind: 'less-than', lesser: 'BOD5', greater: 'COD', margin: 1 },
  { id: 'still', kind: 'still-flow', flow: 'BOD5', parameter: 'COD', within: 10, change: 5, window: 25 * MINUTE, minPoints: 2 }
] as const
const optional = <T>(value: T): fc.Arbitrary<T | undefined> => fc.constantFrom(value, undefined)
const steps = fc.constantFrom(1, 2, 3, 5, Number.POSITIVE_INFINITY)
const plans: fc.Arbitrary<Plan> = fc.record({
  parameter: fc.constantFrom('COD', 'BOD5'),
  unit: fc.constant('mg/L'),
  every: fc.constant(EVERY),
  maxStep: fc.constantFrom(EVERY, 3 * EVERY),
  grossRange: optional({ fail: [0, 38], suspect: [1, 30] } as const),
  climatology: optional([{ period: 'month', time: [11, 11], span: [2, 20] }] as const),
  spike: optional({ suspect: 5, fail: 15, method: 'average' } as const),
  rateOfChange: optional({ suspect: 0.01, fail: 0.1 }),
  rateOfChangeSigmas: optional({ sigmas: 1, window: 40 * MINUTE, minPoints: 3 }),
  flatLine: fc.record({ suspect: steps, fail: steps, tolerance: fc.constantFrom(Number.MIN_VALUE, 0.5) }),
  attenuated: fc.record({
    window: fc.constantFrom(12 * MINUTE, 30 * MINUTE),
    suspect: fc.constantFrom(0.5, 8),
    fail: fc.constantFrom(0, 0.2),
    type: fc.constantFrom('std', 'range'),
    minPoints: fc.constantFrom(1, 4)
  }),
  rules: fc.constantFrom([], rules)
})

const otherOf = (plan: Plan, readings: readonly QualityReading[]): Companions => new Map(companionsOf(plan).map(code => [code, readings]))
const within = (readings: readonly QualityReading[], from: Millis, to: Millis): QualityReading[] =>
  readings.filter(({ at }) => at >= from && at <= to)

describe('the flags of a stretch of time', () => {
  const instant = fc.integer({ min: START, max: START + 5 * HOUR })

  it('follow from the readings within reach of it, wherever the series is cut', () => {
    fc.assert(
      fc.property(plans, series, series, fc.tuple(instant, instant), (plan, readings, others, ends) => {
        const [from, to] = [Math.min(...ends), Math.max(...ends)]
        const { before, after } = reach(plan)
        const near = within(readings, from - before, to + after)
        const cut = evaluate(plan, near, otherOf(plan, within(others, from - before, to + after)))
        const whole = evaluate(plan, readings, otherOf(plan, others))
        const ofStretch = (all: readonly QualityReading[], evaluated: readonly Evaluated[]): Evaluated[] =>
          evaluated.filter((_, n) => all[n]!.at >= from && all[n]!.at <= to)
        expect(ofStretch(near, cut)).toEqual(ofStretch(readings, whole))
      }),
      { numRuns: 2_000 }
    )
  })

  it('change within reach of a reading that comes late, and nowhere else', () => {
    fc.assert(
      fc.property(plans, series, instant, fc.double({ min: 0, max: 40, noNaN: true }), (plan, readings, at, value) => {
        const { before, after } = reach(plan)
        const late = [...readings.filter(r => r.at !== at), reading(at, value)].sort((a, b) => a.at - b.at)
        const without = late.filter(r => r.at !== at)
        const then = evaluate(plan, without)
        const now = evaluate(plan, late).filter((_, n) => late[n]!.at !== at)
        const changed = without.filter((_, n) => JSON.stringify(then[n]) !== JSON.stringify(now[n])).map(r => r.at)
        expect(changed.filter(when => when < at - after || when > at + before)).toEqual([])
      }),
      { numRuns: 1_000 }
    )
  })

  it('are a function of the set of readings: order of arrival and repeats change nothing', () => {
    fc.assert(
      fc.property(
        plans,
        series.filter(s => s.length > 0),
        fc.infiniteStream(fc.nat()),
        (plan, readings, picks) => {
          const random = picks[Symbol.iterator]()
          const arrived = readings
            .flatMap(r => [r, r])
            .map(r => ({ r, key: random.next().value as number }))
            .sort((a, b) => a.key - b.key)
          const set = [...new Map(arrived.map(({ r }) => [r.at, r])).values()].sort((a, b) => a.at - b.at)
          expect(evaluate(plan, set)).toEqual(evaluate(plan, readings))
        }
      )
    )
  })

  it('do reach as far as is said', () => {
    const plan: Plan = {
      ...plain,
      spike: { fail: 1 },
      flatLine: { suspect: 4, fail: 6, tolerance: 1 },
      attenuated: { window: 12 * HOUR, suspect: 1, fail: 0, type: 'std', minPoints: 2 }
    }
    expect(reach(plain)).toEqual({ before: 0, after: 0 })
    expect(reach({ ...plan, attenuated: undefined })).toEqual({ before: 90 * MINUTE, after: 15 * MINUTE })
    expect(reach(plan)).toEqual({ before: 12 * HOUR, after: 15 * MINUTE })
  })
})
