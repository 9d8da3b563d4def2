import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { State } from '#libs/adapters/state'
import { SqliteStore } from '#libs/adapters/store-sqlite'
import type { Aggregate, Period } from '#libs/aggregates'
import { DEFAULT_TERMS, PERIODS } from '#libs/aggregates'
import { acknowledge, mergeAlarm } from '#libs/alarms'
import type { Reading } from '#libs/model'
import { DAY, HOUR, MINUTE } from '#libs/model'
import { BEGIN, plainReading, type TempDir, tempDir } from '#libs/testkit'
import { AggregateConsumer, GRACE } from './aggregate-consumer.js'
import type { TermsOf } from './aggregate-ports.js'
import { Aggregator } from './aggregator.js'
import type { SequencedRecord } from './journal-source.js'
import type { Log, StoredReading } from './ports.js'

const SERIES = [
  { station: 'AG-017', parameter: 'COD' },
  { station: 'AG-017', parameter: 'pH' }
] as const
/** Long after every window: all are closed. */
const LATER = BEGIN + 70 * DAY
const silent: Log = { info: () => {}, warn: () => {}, error: (_, text) => console.error(text) }
const termsOf: TermsOf = () => ({ unit: 'mg/L', terms: DEFAULT_TERMS, flow: null })
const rules = { limitsOf: () => [] }

/** A store and a state on fresh ground, and the consumer between them; `restart` forgets all that is not durable. */
class World {
  readonly store: SqliteStore
  readonly state: State
  now = LATER
  stored = 0
  consumer: AggregateConsumer
  readonly #dir: TempDir

  private constructor(dir: TempDir, store: SqliteStore, state: State) {
    this.#dir = dir
    this.store = store
    this.state = state
    this.consumer = this.#begin()
  }

  static async open(): Promise<World> {
    const dir = await tempDir()
    const store = await SqliteStore.open({ dataDir: dir.path })
    return new World(dir, store, await State.open({ dataDir: dir.path, life: { mergeAlarm, acknowledge } }))
  }

  #begin(): AggregateConsumer {
    const { store, state } = this
    const aggregator = new Aggregator({ store, aggregates: state.aggregates, termsOf, rules })
    const ports = { aggregates: state.aggregates, aggregator, termsOf, dayRule: 'hours-01-24' as const, log: silent }
    return new AggregateConsumer({ ...ports, stored: () => this.stored, clock: () => this.now, dependents: () => [] })
  }

  async restart(): Promise<number> {
    this.consumer = this.#begin()
    return this.consumer.start()
  }

  /** One record of the journal, seen by the aggregates' consumer and not yet by the store. */
  consume(readings: readonly StoredReading[]): Promise<void> {
    const records = readings.map(reading => ({ sequence: reading.sequence, record: { kind: 'readings', readings: [reading] } }))
    return this.consumer.consume(records as unknown as SequencedRecord[], readings.at(-1)?.sequence ?? 0)
  }

  async keep(readings: readonly StoredReading[]): Promise<void> {
    this.stored = readings.at(-1)?.sequence ?? this.stored
    await this.store.write(readings, this.stored)
  }

  async take(readings: readonly StoredReading[]): Promise<void> {
    await this.consume(readings)
    await this.keep(readings)
  }

  async close(): Promise<number> {
    this.now += MINUTE
    return this.consumer.close()
  }

  async all(): Promise<Aggregate[]> {
    const span = { from: 0, to: BEGIN + 365 * DAY, limit: 10_000 }
    const lists = SERIES.flatMap(series => PERIODS.map(period => this.state.aggregates.find({ ...series, period, ...span })))
    return (await Promise.all(lists)).flat()
  }

  async dispose(): Promise<void> {
    await this.store.close()
    await this.state.close()
    await this.#dir.remove()
  }
}

let worlds: World[]
beforeEach(() => {
  worlds = []
})
afterEach(async () => {
  for (const world of worlds) await world.dispose()
})
const open = async (): Promise<World> => {
  const world = await World.open()
  worlds.push(world)
  return world
}

/** Readings of two series over three days, unique instants, in the order of their arrival. */
const arrivals: fc.Arbitrary<StoredReading[]> = fc
  .uniqueArray(
    fc.record({
      series: fc.constantFrom(...SERIES),
      at: fc.integer({ min: 1, max: 3 * DAY }).map(ms => BEGIN + ms),
      value: fc.double({ min: -100, max: 100, noNaN: true }),
      status: fc.constantFrom('00', '00', '00', '01')
    }),
    { selector: ({ series, at }) => `${series.parameter} ${at}`, minLength: 1, maxLength: 40 }
  )
  .map(all =>
    all.map(({ series, at, value, status }, n) => plainReading({ ...series, at, value: value === 0 ? 0 : value, status, sequence: n + 1 }))
  )

const content = (aggregates: readonly Aggregate[]): string[] => aggregates.map(({ revision: _, ...rest }) => JSON.stringify(rest))

describe('AggregateConsumer', () => {
  it('ends with what a computation from scratch gives, to the last bit, whatever the order, the cuts, the closings and the restarts', () =>
    fc.assert(
      fc.asyncProperty(
        arrivals,
        fc.array(fc.constantFrom('close', 'restart', 'lag'), { maxLength: 6 }),
        fc.integer({ min: 1, max: 15 }),
        async (all, events, size) => {
          const world = await open()
          let behind: StoredReading[] = []
          for (let n = 0; n * size < all.length; n++) {
            const batch = all.slice(n * size, (n + 1) * size)
            await world.consume(batch)
            behind = [...behind, ...batch]
            const event = events[n]
            // The store lags: what is closed meanwhile must not be closed without its readings.
            if (event !== 'lag') {
              await world.keep(behind)
              behind = []
            }
            if (event === 'restart') await world.restart()
            await world.close()
          }
          await world.keep(behind.length > 0 ? behind : all.slice(-1))
          await world.close()
          const scratch = await open()
          await scratch.take([...all].sort((a, b) => a.at - b.at).map((reading, n) => ({ ...reading, sequence: n + 1 })))
          await scratch.close()
          expect(content(await world.all())).toEqual(content(await scratch.all()))
          for (const done of worlds.splice(0)) await done.dispose()
        }
      ),
      { numRuns: 25 }
    ))

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

  it('keeps what is published apart from what the store is told later', async () => {
    const world = await open()
    const reading: Reading = plainReading({ at: BEGIN + MINUTE })
    await world.take([{ ...reading, sequence: 1 }])
    await world.close()
    const [hour] = await world.all()
    expect(hour).toMatchObject({ unit: 'mg/L', revision: 1, algorithm: 1, count: 1, expected: 12, sufficient: false })
  })
})
