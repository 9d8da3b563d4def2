import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Millis, Reading } from '#libs/model'
import { MINUTE } from '#libs/model'
import type { Plans } from '#libs/quality'
import { evaluate } from '#libs/quality'
import { BEGIN, plainReading } from '#libs/testkit'
import { NEIGHBOURLY, PARAMETERS } from '../test/aggregate-world.js'
import { storeOf } from '../test/store-of.js'
import { FlaggedReadings } from './flagged-readings.js'
import { EVERY_READING } from './ports.js'

const SERIES = { station: 'AG-017', parameter: 'COD' }
const STEP = 20 * MINUTE
const END = BEGIN + 40 * STEP

const readings: fc.Arbitrary<Reading[]> = fc.uniqueArray(
  fc
    .record({
      parameter: fc.constantFrom(...PARAMETERS),
      at: fc.integer({ min: 0, max: 39 }).map(slot => BEGIN + slot * STEP),
      value: fc.integer({ min: -100, max: 100 }),
      status: fc.constantFrom('00', '00', '00', '01'),
      receivedAt: fc.integer({ min: 0, max: 9 }).map(n => END + n)
    })
    .map(plainReading),
  { selector: ({ parameter, at }) => `${parameter} ${at}`, minLength: 10, maxLength: 70 }
)

describe('FlaggedReadings', () => {
  const whole = (all: readonly Reading[], planOf: Plans = NEIGHBOURLY, asOf: Millis | null = null) =>
    new FlaggedReadings(storeOf(all), planOf).range({ ...SERIES, from: 0, to: END, limit: EVERY_READING }, asOf)

  it('gives each reading the flags that a look at everything gives it, wherever a page or a span is cut', async () => {
    await fc.assert(
      fc.asyncProperty(readings, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 39 }), async (all, limit, slot) => {
        const flagged = new FlaggedReadings(storeOf(all), NEIGHBOURLY)
        const everything = await whole(all)
        const own = all.filter(({ parameter }) => parameter === 'COD').sort((a, b) => a.at - b.at)
        const others = all.filter(({ parameter }) => parameter === 'pH').sort((a, b) => a.at - b.at)
        const plan = NEIGHBOURLY('AG-017', 'COD')
        expect(everything.map(({ flag }) => flag)).toEqual(plan && evaluate(plan, own, new Map([['pH', others]])).map(({ flag }) => flag))
        const from = BEGIN + slot * STEP
        const page = await flagged.range({ ...SERIES, from, to: END, limit })
        expect(page).toEqual(everything.filter(({ at }) => at >= from).slice(0, limit))
        const span = await flagged.range({ ...SERIES, from, to: from + limit * STEP, limit: EVERY_READING })
        expect(span).toEqual(everything.filter(({ at }) => at >= from && at < from + limit * STEP))
      })
    )
  })

  it('rests on what was known at an instant alone, where it is asked for', async () => {
    await fc.assert(
      fc.asyncProperty(readings, fc.integer({ min: 0, max: 9 }), async (all, n) => {
        const known = all.filter(({ receivedAt }) => receivedAt <= END + n)
        const then = await whole(all, NEIGHBOURLY, END + n)
        expect(then.filter(({ receivedAt }) => receivedAt <= END + n)).toEqual(await whole(known))
        expect(then.map(({ at }) => at)).toEqual((await whole(all)).map(({ at }) => at))
        for (const later of then.filter(({ receivedAt }) => receivedAt > END + n)) expect(later.tests).toBeUndefined()
      })
    )
  })

  it('leaves readings alone of which nothing is tested', async () => {
    const [measured, calibrating] = [plainReading({ at: BEGIN }), plainReading({ at: BEGIN + STEP, status: '01', flag: 4 })]
    expect(await whole([measured], () => undefined)).toEqual([measured])
    expect((await whole([measured, calibrating])).map(({ flag, tests }) => [flag, tests?.['spike']])).toEqual([
      [1, 2],
      [4, undefined]
    ])
  })

  it('holds readings of another unit against the thresholds in theirs, and does not test what cannot be told in it', async () => {
    const planOf: Plans = (_, parameter) => ({
      ...{ parameter, unit: 'mg/L', every: STEP, maxStep: STEP, rules: [] },
      grossRange: { fail: [0, 1_000], suspect: [10, 500] }
    })
    const all = [
      plainReading({ at: BEGIN, value: 0.02, unit: 'g/L' }),
      plainReading({ at: BEGIN + 1, value: 0.6, unit: 'g/L' }),
      plainReading({ at: BEGIN + 2, value: 5_000, unit: 'oC' })
    ]
    const found = await whole(all, planOf)
    expect(found.map(({ value, unit, flag, tests }) => [value, unit, flag, tests])).toEqual([
      [0.02, 'g/L', 1, { 'gross-range': 1 }],
      [0.6, 'g/L', 3, { 'gross-range': 3 }],
      [5_000, 'oC', 1, undefined]
    ])
  })
})
