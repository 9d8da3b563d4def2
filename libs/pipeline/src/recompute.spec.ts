import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { DEFAULT_TERMS } from '#libs/aggregates'
import { DAY, HOUR, MINUTE } from '#libs/model'
import { BEGIN, plainReading } from '#libs/testkit'
import { AggregateWorld } from '../test/aggregate-world.js'
import type { SeriesTerms } from './aggregate-ports.js'
import { Aggregator } from './aggregator.js'
import type { RecomputeProgress } from './recompute.js'
import { daysOf, markAnew, recompute } from './recompute.js'

const known: SeriesTerms = { unit: 'mg/L', terms: DEFAULT_TERMS, flow: null }
const strict: SeriesTerms = { ...known, terms: { ...DEFAULT_TERMS, thresholds: { hour: 0, day: 0, month: 0 } } }
const DAYS = 12

describe('recompute', () => {
  let world: AggregateWorld
  /** A reading every hour and a half, over the turn of a month. */
  const readings = [...Array((DAYS * DAY) / (90 * MINUTE)).keys()].map(n =>
    plainReading({ at: BEGIN + (n + 1) * 90 * MINUTE, value: n / 7, sequence: n + 1 })
  )
  const query = () => ({ station: 'AG-017', parameter: 'COD', from: BEGIN, to: BEGIN + DAYS * DAY, now: world.now })
  beforeEach(async () => {
    world = await AggregateWorld.open()
  })
  afterEach(() => world.dispose())

  async function anew(terms: SeriesTerms, span = query()): Promise<RecomputeProgress[]> {
    const { store, state } = world
    const aggregator = new Aggregator({ store, aggregates: state.aggregates, termsOf: () => terms, limits: { limitsOf: () => [] } })
    const told: RecomputeProgress[] = []
    for await (const progress of recompute(span, { aggregates: state.aggregates, aggregator, known: terms })) told.push(progress)
    return told
  }

  it('comes to the very figures that were published window by window, and says how far it is', async () => {
    await world.keep(readings)
    const told = await anew(known)
    const windows = readings.length + DAYS + 2
    expect(told).toEqual([
      { days: 8, windows: 8 * 17, changed: 8 * 17 },
      { days: DAYS, windows: readings.length + DAYS, changed: readings.length + DAYS },
      { days: DAYS, windows, changed: windows }
    ])
    const scratch = await AggregateWorld.open()
    await scratch.take(readings)
    await scratch.close()
    expect(await world.all()).toEqual(await scratch.all())
    await scratch.dispose()
  })

  it('raises no revision where nothing differs, and one where something does', async () => {
    await world.take(readings)
    await world.close()
    expect((await anew(known)).at(-1)?.changed).toBe(0)
    const [day] = [{ ...query(), from: BEGIN + 1, to: BEGIN + 1 + HOUR }]
    expect(daysOf(day, known)).toBe(1)
    expect((await anew(strict, day)).at(-1)).toEqual({ days: 1, windows: 16 + 1 + 1, changed: 16 + 1 + 1 })
    expect((await world.all()).filter(({ revision }) => revision === 2)).toHaveLength(18)
  })

  it('leaves windows alone that are open, or for which nothing is there any more', async () => {
    await world.take(readings)
    await world.close()
    const before = await world.all()
    expect((await anew(strict, { ...query(), now: BEGIN + 2 * HOUR })).at(-1)).toEqual({ days: 0, windows: 0, changed: 0 })
    expect((await anew(strict, { ...query(), from: BEGIN + 20 * DAY, to: BEGIN + 25 * DAY })).at(-1)?.windows).toBe(1)
    expect((await world.all()).filter(({ revision }) => revision === 2)).toHaveLength(1)
    expect(await world.all()).toHaveLength(before.length)
  })

  it('asks a running server by marks, which lead to nothing where nothing is', async () => {
    await world.take(readings)
    await world.close()
    const before = await world.all()
    const marks = await markAnew(query(), { aggregates: world.state.aggregates, known })
    expect(marks).toBe(DAYS * 24 + DAYS + 2)
    expect(await world.consumer.close()).toBe(marks)
    expect(await world.all()).toEqual(before)
  })
})
