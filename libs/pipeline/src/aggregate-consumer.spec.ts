import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import type { Aggregate, Period } from '#libs/aggregates'
import { PERIODS } from '#libs/aggregates'
import type { Reading } from '#libs/model'
import { DAY, HOUR, MINUTE, SECOND } from '#libs/model'
import type { Plans } from '#libs/quality'
import { BEGIN, plainReading } from '#libs/testkit'
import { AggregateWorld, NEIGHBOURLY, PARAMETERS, turns } from '../test/aggregate-world.js'
import { GRACE } from './aggregate-consumer.js'
import type { StoredReading } from './ports.js'

let worlds: AggregateWorld[]
beforeEach(() => {
  worlds = []
})
afterEach(async () => {
  for (const world of worlds) await world.dispose()
})
const open = async (planOf?: Plans): Promise<AggregateWorld> => {
  const world = await AggregateWorld.open(planOf)
  worlds.push(world)
  return world
}

/**
 * Readings of two series, in few hours of few days so that windows meet all the time: corrections before and after
 * what they correct, and repeats. In the order of their arrival.
 */
const arrivalsIn = ({ days, hours, fewest }: { days: number[]; hours: number[]; fewest: number }): fc.Arbitrary<StoredReading[]> =>
  fc
    .uniqueArray(
      fc.record({
        parameter: fc.constantFrom(...PARAMETERS),
        at: fc
          .tuple(fc.constantFrom(...days), fc.constantFrom(...hours), fc.constantFrom(0, 1, 30, 60))
          .map(([day, hour, minute]) => BEGIN + day * DAY + hour * HOUR + minute * MINUTE),
        value: fc.double({ min: -100, max: 100, noNaN: true }).map(value => (value === 0 ? 0 : value)),
        status: fc.constantFrom('00', '00', '00', '01'),
        revision: fc.constantFrom(0, 0, 1)
      }),
      { selector: ({ parameter, at, revision }) => `${parameter} ${at} ${revision}`, minLength: fewest, maxLength: 30 }
    )
    .chain(unique => fc.array(fc.constantFrom(...unique), { maxLength: 6 }).map(repeats => [...unique, ...repeats]))
    .chain(all => fc.shuffledSubarray(all, { minLength: all.length }))
    .map(all => all.map(fields => plainReading(fields)))

/** Over seven weeks. */
const scattered = arrivalsIn({ days: [0, 1, 7, 8, 39], hours: [0, 1, 23], fewest: 1 })
/** Around a midnight: most have neighbours, many of them in the next hour or day. */
const close = arrivalsIn({ days: [0], hours: [22, 23, 24], fewest: 12 })

/** As the journal gives them to a station of its own: sequences follow what the world has seen. */
const sent = (readings: readonly StoredReading[], station: string, after: number): StoredReading[] =>
  readings.map((reading, n) => ({ ...reading, station, sequence: after + n + 1 }))

/** What happens next, and how many turns of the event loop later the one after it: nobody waits for anybody. */
const event = fc.tuple(
  fc.oneof(
    fc.record({ kind: fc.constantFrom('consume' as const, 'keep' as const, 'settle' as const), records: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 3 * SECOND }) }),
    fc.record({ kind: fc.constantFrom('close' as const, 'close' as const, 'kill' as const) })
  ),
  fc.integer({ min: 0, max: 12 })
)

/** Records in the order of the journal, each actor by itself, as its runner drives it. */
class Story {
  readonly #world: AggregateWorld
  readonly #all: readonly StoredReading[]
  #consuming: Promise<void> | null = null

  constructor(world: AggregateWorld, all: readonly StoredReading[]) {
    this.#world = world
    this.#all = all
  }

  async happen([what, pause]: typeof event extends fc.Arbitrary<infer T> ? T : never): Promise<void> {
    const world = this.#world
    if (what.kind === 'consume') this.#consume(what.records)
    if (what.kind === 'keep') await world.keep(this.#after(world.kept).slice(0, what.records))
    if (what.kind === 'settle') await this.#settle(what.records)
    if (what.kind === 'wait') world.now += what.ms
    if (what.kind === 'close') void world.consumer.close()
    if (what.kind === 'kill') {
      await world.restart()
      this.#consuming = null
    }
    await turns(pause)
  }

  async finish(): Promise<void> {
    const world = this.#world
    await this.#consuming
    await world.take(this.#after(world.taken), this.#after(world.kept))
    await world.consumer.close()
    for (let calls = 0; calls < 4; calls++) await world.close()
  }

  /** All that came is stored and summed up before more comes. */
  async #settle(records: number): Promise<void> {
    const world = this.#world
    await this.#consuming
    await world.consume(this.#after(world.taken).slice(0, records))
    await world.keep(this.#after(world.kept).filter(({ sequence }) => sequence <= world.taken))
    await world.close()
  }

  #consume(records: number): void {
    const world = this.#world
    this.#consuming ??= world.consume(this.#after(world.taken).slice(0, records)).finally(() => {
      this.#consuming = null
    })
  }

  #after(sequence: number): StoredReading[] {
    return this.#all.filter(reading => reading.sequence > sequence)
  }
}

const content = (aggregates: readonly Aggregate[]): string[] =>
  aggregates.map(({ revision: _, station: __, ...rest }) => JSON.stringify(rest))
const inTime = (a: StoredReading, b: StoredReading): number => a.at - b.at || a.revision - b.revision

describe('AggregateConsumer', () => {
  it.each([
    ['without quality tests', undefined, scattered, 0],
    ['with tests that look at neighbours and at the other series', NEIGHBOURLY, close, 12]
  ])(
    'ends with what a computation from scratch gives, to the last bit, whatever comes between what: %s',
    async (_, planOf, arrivals, fewest) => {
      const world = await open(planOf)
      const scratch = await open(planOf)
      let runs = 0
      await fc.assert(
        fc.asyncProperty(arrivals, fc.array(event, { minLength: fewest, maxLength: 25 }), async (all, events) => {
          const station = `AG-${++runs}`
          const story = new Story(world, sent(all, station, world.kept))
          for (const one of events) await story.happen(one)
          await story.finish()
          await scratch.take(sent([...all].sort(inTime), station, scratch.kept))
          await scratch.close()
          expect(content(await world.all(station))).toEqual(content(await scratch.all(station)))
          for (const period of PERIODS)
            expect(await world.state.aggregates.due({ period, now: Number.MAX_SAFE_INTEGER, stored: world.kept, limit: 10 })).toEqual([])
        }),
        { numRuns: 60 }
      )
    }
  )

  it('forgets no reading that comes while its window is being summed up', async () => {
    const world = await open()
    for (let pause = 0; pause < 40; pause++) {
      const station = `AG-${pause}`
      const reading = (hour: number, n: number) => plainReading({ station, at: BEGIN + hour * HOUR + n * MINUTE, value: n })
      await world.take(sent([reading(0, 1), reading(1, 1), reading(2, 1)], station, world.kept))
      world.now += MINUTE
      const closing = world.consumer.close()
      await turns(pause)
      const late = sent([reading(2, 2)], station, world.kept)
      await world.consume(late)
      await closing
      await world.keep(late)
      await world.close()
      expect([pause, (await world.all(station))[2]]).toMatchObject([pause, { count: 2, mean: 1.5 }])
    }
  })

  it('a late reading gives its hour, its day and its month the next revision, and nothing else', async () => {
    const world = await open()
    const hourly = (parameter: string) => [...Array(60).keys()].map(n => plainReading({ parameter, at: BEGIN + (n + 1) * HOUR, value: n }))
    await world.take([...hourly('COD'), ...hourly('pH')].map((reading, n) => ({ ...reading, sequence: n + 1 })))
    await world.close()
    const before = await world.all()
    expect(before.every(({ revision }) => revision === 1)).toBe(true)
    const last = (await world.state.aggregates.publishedAfter(0, 1_000)).at(-1)?.position ?? 0

    const at = BEGIN + 30 * HOUR + 10 * MINUTE
    await world.take([plainReading({ at, value: 99, sequence: 200 })])
    await world.close()
    const changed = (await world.state.aggregates.publishedAfter(last, 1_000)).map(({ aggregate }) => aggregate)
    expect(changed.map(({ parameter, period, end, revision }) => [parameter, period, end, revision])).toEqual([
      ['COD', 'hour', BEGIN + 31 * HOUR, 2],
      ['COD', 'day', BEGIN + 2 * DAY, 2],
      ['COD', 'month', expect.any(Number), 2]
    ])
    expect(await world.all()).toHaveLength(before.length)

    // The same again publishes nothing.
    await world.take([plainReading({ at, value: 99, sequence: 201 })])
    expect(await world.close()).toBe(3)
    expect(await world.state.aggregates.publishedAfter(last + 3, 10)).toEqual([])
  })

  it('a late reading that makes its neighbour a spike gives the neighbour’s hour and day the next revision too', async () => {
    const world = await open(NEIGHBOURLY)
    const readings = [0, 90, 0].map((value, n) => plainReading({ at: BEGIN + 30 * MINUTE * (n + 1), value, sequence: n + 1 }))
    const hour = async () => (await world.all()).find(({ period, end }) => period === 'hour' && end === BEGIN + HOUR)
    await world.take(readings.slice(0, 2))
    await world.close()
    expect(await hour()).toMatchObject({ revision: 1, received: 2, count: 2, worstFlag: 1 })
    await world.take(readings.slice(2))
    await world.close()
    expect(await hour()).toMatchObject({ revision: 2, received: 2, count: 1, mean: 0, worstFlag: 4 })
  })

  it('publishes a window only when its grace is over, and its day only with the day’s', async () => {
    const world = await open()
    const periods = async (): Promise<Period[]> => (await world.all()).map(({ period }) => period)
    world.now = BEGIN + 30 * MINUTE
    await world.take([plainReading({ at: BEGIN + 20 * MINUTE, sequence: 1 })])
    await world.close()
    expect(await periods()).toEqual([])
    world.now = BEGIN + HOUR + GRACE
    await world.close()
    expect(await periods()).toEqual(['hour'])
    world.now = BEGIN + DAY + GRACE
    await world.close()
    expect(await periods()).toEqual(['hour', 'day'])
  })

  it('a kill loses little of what was summed up, however slowly the store is read', async () => {
    const world = await open()
    const hours = [...Array(40).keys()].map(n => plainReading({ at: BEGIN + (n + 1) * HOUR, value: n, sequence: n + 1 }))
    await world.take(hours)
    world.readMs = 25
    world.now += MINUTE
    void world.consumer.close()
    for (let looks = 0; (await world.all()).length === 0 && looks < 1_000; looks++) await turns(50)
    await world.restart()
    const before = (await world.all()).length
    expect(before).toBeGreaterThan(0)
    expect(before).toBeLessThan(43)
    world.readMs = 0
    for (let calls = 0; calls < 3; calls++) await world.close()
    expect((await world.all()).map(({ revision }) => revision)).toEqual(Array.from({ length: 43 }, () => 1))
  })

  it('waits for the store, also for readings that a restart has forgotten', async () => {
    const world = await open()
    const [first, second] = [1, 2].map(n => plainReading({ at: BEGIN + n * MINUTE, value: n, sequence: n })) as [
      StoredReading,
      StoredReading
    ]
    await world.consume([first])
    await world.consume([second])
    await world.keep([first])
    await world.restart()
    await world.close()
    expect(await world.all()).toEqual([])
    await world.keep([second])
    await world.close()
    expect((await world.all())[0]).toMatchObject({ period: 'hour', received: 2, mean: 1.5 } satisfies Partial<Aggregate>)
  })

  it('goes on with others where a window fails, says it once, and comes back to it', async () => {
    const world = await open()
    const of = (station: string, after: number) => sent([plainReading({ at: BEGIN + MINUTE })], station, after)
    await world.take([...of('AG-1', 0), ...of('AG-2', 1)])
    world.away.add('AG-1')
    world.now += 3 * SECOND
    for (let calls = 0; calls < 8; calls++) await world.consumer.close()
    expect(await world.all('AG-2')).toHaveLength(3)
    expect(await world.all('AG-1')).toEqual([])
    expect(world.log.filter(text => text.includes('the store is away')).length).toBeLessThanOrEqual(3)
    world.away.clear()
    world.now += MINUTE
    await world.close()
    expect(await world.all('AG-1')).toHaveLength(3)
    expect(world.log.at(-1)).toBe('windows are summed up again')
  })

  it('keeps what is published apart from what the store is told later', async () => {
    const world = await open()
    const reading: Reading = plainReading({ at: BEGIN + MINUTE })
    await world.take([{ ...reading, sequence: 1 }])
    await world.close()
    const [hour] = await world.all()
    expect(hour).toMatchObject({ unit: 'mg/L', revision: 1, algorithm: 1, count: 1, expected: 12, sufficient: false })
  })
})
