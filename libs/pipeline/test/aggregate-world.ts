import { setTimeout as sleep } from 'node:timers/promises'
import { State } from '#libs/adapters/state'
import { SqliteStore } from '#libs/adapters/store-sqlite'
import type { Aggregate, DayRule } from '#libs/aggregates'
import { DEFAULT_TERMS, PERIODS } from '#libs/aggregates'
import { acknowledge, mergeAlarm } from '#libs/alarms'
import type { Station } from '#libs/model'
import { DAY, MINUTE } from '#libs/model'
import type { Plans } from '#libs/quality'
import { BEGIN, type TempDir, tempDir } from '#libs/testkit'
import type { AffectedSeries } from '../src/affected-series.js'
import { affectedSeries } from '../src/affected-series.js'
import { AggregateConsumer } from '../src/aggregate-consumer.js'
import type { TermsOf } from '../src/aggregate-ports.js'
import { Aggregator } from '../src/aggregator.js'
import { FlaggedReadings } from '../src/flagged-readings.js'
import type { SequencedRecord } from '../src/journal-source.js'
import type { Log, StoredReading } from '../src/ports.js'

export const PARAMETERS = ['COD', 'pH'] as const
/** Long after every window: all are closed. */
const LATER = BEGIN + 70 * DAY
const dayRule: DayRule = 'hours-01-24'
const termsOf: TermsOf = () => ({ unit: 'mg/L', terms: DEFAULT_TERMS, flow: null })
const limits = { limitsOf: () => [] }
/** Tests that look at neighbours on both sides, across hours and days, and at the other series: all the ways in which a reading changes another's flag. */
const PLAN = { unit: 'mg/L', every: 30 * MINUTE, maxStep: 60 * MINUTE, spike: { fail: 70, method: 'average' } } as const
const RULE = { id: 'cod-above-ph', kind: 'less-than', lesser: 'pH', greater: 'COD', margin: 0 } as const
export const NEIGHBOURLY: Plans = (_, parameter) => ({
  ...PLAN,
  parameter,
  flatLine: { suspect: 1, fail: 2, tolerance: 15 },
  rules: [RULE]
})
const stationOf = (code: string): Station => ({
  code,
  name: code,
  kind: 'wastewater',
  profile: 'discharge-monitor',
  zone: '',
  agency: '',
  position: { longitude: 105, latitude: 10 },
  parameters: [...PARAMETERS],
  example: true
})

/**
 * A store and a state on fresh ground, and the consumer of aggregates between them. A process that is killed stands still at the
 * await where it is, and `restart` begins again from what is on disk.
 */
export class AggregateWorld {
  readonly store: SqliteStore
  readonly state: State
  now = LATER
  consumer: AggregateConsumer
  /** Readings that the aggregates' consumer and the store have taken from the journal. */
  taken = 0
  kept = 0
  /** What the consumer said. */
  readonly log: string[] = []
  /** Stations whose readings the store does not give. */
  readonly away = new Set<string>()
  /** How long the store takes to give readings. */
  readMs = 0
  readonly #dir: TempDir
  readonly #planOf: Plans
  #life = 0
  #underWay = new Set<Promise<unknown>>()

  private constructor(dir: TempDir, { store, state, planOf }: { store: SqliteStore; state: State; planOf: Plans }) {
    this.#dir = dir
    this.#planOf = planOf
    this.store = store
    this.state = state
    this.consumer = this.#begin()
  }

  static async open(planOf: Plans = () => undefined): Promise<AggregateWorld> {
    const dir = await tempDir()
    const store = await SqliteStore.open({ dataDir: dir.path })
    const state = await State.open({ dataDir: dir.path, life: { mergeAlarm, acknowledge } })
    return new AggregateWorld(dir, { store, state, planOf })
  }

  #begin(): AggregateConsumer {
    const aggregates = this.#mortal(this.state.aggregates)
    const store = this.#mortal<Pick<SqliteStore, 'range'>>({
      range: async query => {
        if (this.readMs > 0) await sleep(this.readMs)
        if (this.away.has(query.station)) throw new Error('the store is away')
        return this.store.range(query)
      }
    })
    const say = (_: object, text: string): void => void this.log.push(text)
    const log: Log = { info: say, warn: say, error: say }
    const aggregator = new Aggregator({ store: new FlaggedReadings(store, this.#planOf), aggregates, termsOf, limits })
    const ports = { aggregates, aggregator, dayRule, log, stored: () => this.kept, clock: () => this.now }
    const affected: AffectedSeries = {
      by: series => affectedSeries([stationOf(series.station)], termsOf, this.#planOf).by(series),
      seriesIn: station => PARAMETERS.map(parameter => ({ station, parameter }))
    }
    return new AggregateConsumer({ ...ports, affected })
  }

  /** Each call takes a few turns of the event loop; one that is under way when the process is killed is done, and nobody hears of it. */
  #mortal<T extends object>(part: T): T {
    const life = this.#life
    return new Proxy(part, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target)
        if (typeof member !== 'function') return member
        return async (...args: unknown[]) => {
          await turns(2)
          if (life !== this.#life) return never()
          const call = Promise.resolve(member.apply(target, args) as unknown)
          this.#underWay.add(call)
          const result = await call.finally(() => this.#underWay.delete(call))
          await turns(1)
          return life === this.#life ? result : never()
        }
      }
    })
  }

  /** Kills the process wherever it is, and starts it again. */
  async restart(): Promise<void> {
    this.#life++
    await Promise.allSettled(this.#underWay)
    this.consumer = this.#begin()
    this.taken = await this.consumer.start()
  }

  /** The journal's records up to a sequence, of which the consumer knows some already, reach it in one batch. */
  async consume(readings: readonly StoredReading[]): Promise<void> {
    const last = readings.at(-1)
    if (!last) return
    const life = this.#life
    const records = readings.map(reading => ({ sequence: reading.sequence, record: { kind: 'readings', readings: [reading] } }))
    await this.consumer.consume(records as unknown as SequencedRecord[], last.sequence)
    if (life === this.#life) this.taken = last.sequence
  }

  async keep(readings: readonly StoredReading[]): Promise<void> {
    const last = readings.at(-1)
    if (!last) return
    await this.store.write(readings, last.sequence)
    this.kept = last.sequence
  }

  async take(readings: readonly StoredReading[], unstored = readings): Promise<void> {
    await this.consume(readings)
    await this.keep(unstored)
  }

  /** Closes whatever is due a minute from now. */
  async close(): Promise<number> {
    this.now += MINUTE
    return this.consumer.close()
  }

  async all(station = 'AG-017'): Promise<Aggregate[]> {
    const span = { from: 0, to: BEGIN + 365 * DAY, limit: 10_000 }
    const lists = PARAMETERS.flatMap(parameter =>
      PERIODS.map(period => this.state.aggregates.find({ station, parameter, period, ...span }))
    )
    return (await Promise.all(lists)).flat()
  }

  async dispose(): Promise<void> {
    this.#life++
    await Promise.allSettled(this.#underWay)
    await this.store.close()
    await this.state.close()
    await this.#dir.remove()
  }
}

/** Turns of the event loop: others may do something in between. */
export async function turns(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await new Promise(resolve => setImmediate(resolve))
}

const never = (): Promise<never> => new Promise(() => {})
