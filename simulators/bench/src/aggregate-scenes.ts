import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { State } from '#libs/adapters/state'
import { SqliteStore } from '#libs/adapters/store-sqlite'
import type { DayRule } from '#libs/aggregates'
import { DEFAULT_TERMS } from '#libs/aggregates'
import { acknowledge, mergeAlarm } from '#libs/alarms'
import type { Millis, Reading } from '#libs/model'
import { DAY, HOUR, MINUTE } from '#libs/model'
import type { AffectedSeries, Log, SequencedRecord, StoredReading, TermsOf } from '#libs/pipeline'
import { AggregateConsumer, Aggregator, recompute } from '#libs/pipeline'
import type { Print } from './scenes.js'

/** 500 stations of 4 parameters: 2,000 series, a reading every five minutes. */
const STATIONS = 500
const PARAMETERS = ['COD', 'pH', 'Temp', 'TSS'] as const
const STEP = 5 * MINUTE
/** Midnight of UTC+7, the first of a month. */
const BEGIN = Date.UTC(2025, 10, 30, 17)
const YEAR = 365 * DAY
const LATES = 200
/** After this long summing up gives way to nothing that has come before. */
const QUIET_MS = 2_000

const silent: Log = { info: () => {}, warn: () => {}, error: (_, text) => console.error(text) }
const termsOf: TermsOf = () => ({ unit: 'mg/L', terms: DEFAULT_TERMS, flow: null })
const dayRule: DayRule = 'hours-01-24'

/** A store and a state on the disk, the consumer of aggregates between them, and a clock that the scenes set. */
class Scene {
  readonly store: SqliteStore
  readonly state: State
  readonly aggregator: Aggregator
  readonly consumer: AggregateConsumer
  now: Millis = BEGIN
  sequence = 0

  private constructor(store: SqliteStore, state: State) {
    this.store = store
    this.state = state
    const { aggregates } = state
    this.aggregator = new Aggregator({ store, aggregates, termsOf, limits: { limitsOf: () => [] } })
    const stored = () => this.sequence
    const affected: AffectedSeries = { by: series => [{ ...series, before: 0, after: 0 }], seriesIn: () => [] }
    const ports = { aggregates, aggregator: this.aggregator, termsOf, dayRule, stored, log: silent, clock: () => this.now }
    this.consumer = new AggregateConsumer({ ...ports, affected })
  }

  static async open(dir: string, name: string): Promise<Scene> {
    const dataDir = join(dir, name)
    const state = await State.open({ dataDir, life: { mergeAlarm, acknowledge } })
    return new Scene(await SqliteStore.open({ dataDir }), state)
  }

  async close(): Promise<void> {
    await this.store.close()
    await this.state.close()
  }

  /** One message of a station. */
  record(station: number, at: Millis): SequencedRecord {
    const readings = PARAMETERS.map(parameter => reading(`AG-${String(station).padStart(4, '0')}`, parameter, at))
    return { sequence: ++this.sequence, record: { kind: 'readings', readings } } as unknown as SequencedRecord
  }

  keep(records: readonly SequencedRecord[]): Promise<unknown> {
    return this.store.write(records.flatMap(stored), this.sequence)
  }
}

function reading(station: string, parameter: string, at: Millis): Reading {
  const value = 40 + Math.sin(at / HOUR) * 20
  const rest = { unit: 'mg/L', status: '00', flag: 1, flags: [], revision: 0, road: 'mqtt' } as const
  return { station, parameter, at, value, receivedAt: at + 700, ...rest }
}

const stored = ({ sequence, record }: SequencedRecord): StoredReading[] =>
  record.kind === 'readings' ? record.readings.map(r => ({ ...r, sequence })) : []

/** What aggregates cost: marking beside the path, closing, a year anew, and a late reading. */
export async function aggregateScenes(dir: string, print: Print): Promise<void> {
  const province = await Scene.open(dir, 'province')
  await markAndClose(province, print)
  await province.close()
  const year = await Scene.open(dir, 'year')
  await yearAnew(year, print)
  await lateReadings(year, print)
  await year.close()
}

async function markAndClose(scene: Scene, print: Print): Promise<void> {
  const [first, later] = [new Effort(), new Effort()]
  for (let at = BEGIN + STEP; at <= BEGIN + DAY; at += STEP) {
    const records = [...Array(STATIONS).keys()].map(station => scene.record(station, at))
    const effort = (at - BEGIN) % HOUR === STEP ? first : later
    await effort.take(records.length * PARAMETERS.length, () => scene.consumer.consume(records, scene.sequence))
    await scene.keep(records)
    if (at === BEGIN + HOUR) await closing(scene, 'the hour of 2,000 series closed', print)
  }
  print('a reading in an hour that is marked, microseconds of CPU', later.each.toFixed(2), '< 1')
  print('the first reading of an hour, which marks it, microseconds of CPU', first.each.toFixed(2))
  scene.now = BEGIN + DAY
  await sleep(QUIET_MS)
  await scene.consumer.close()
  await closing(scene, 'the last hour and the day of 2,000 series closed', print)
}

/** CPU of this process in what it is given, and the time that it took. */
class Effort {
  #micros = 0
  #things = 0
  readonly took: number[] = []

  async take(things: number, work: () => Promise<unknown>): Promise<void> {
    const [cpu, began] = [process.cpuUsage(), performance.now()]
    await work()
    this.took.push(performance.now() - began)
    const { user, system } = process.cpuUsage(cpu)
    this.#micros += user + system
    this.#things += things
  }

  /** Microseconds of CPU for each thing. */
  get each(): number {
    return this.#micros / this.#things
  }

  /** Milliseconds that it took, and of CPU. */
  get whole(): string {
    return `${this.took.reduce((sum, ms) => sum + ms, 0).toFixed(0)}, ${(this.#micros / 1_000).toFixed(0)}`
  }
}

async function closing(scene: Scene, what: string, print: Print): Promise<void> {
  scene.now += 2 * HOUR
  await sleep(QUIET_MS)
  const effort = new Effort()
  let windows = 0
  await effort.take(1, async () => {
    windows = await scene.consumer.close()
  })
  print(`${what}: ${windows} windows, ms (CPU)`, effort.whole)
}

async function yearAnew(scene: Scene, print: Print): Promise<void> {
  for (let day = BEGIN; day < BEGIN + YEAR; day += DAY) {
    const readings: StoredReading[] = []
    for (let at = day + STEP; at <= day + DAY; at += STEP) readings.push({ ...reading('AG-0001', 'COD', at), sequence: ++scene.sequence })
    await scene.store.write(readings, scene.sequence)
  }
  const { aggregator } = scene
  const known = termsOf({ station: 'AG-0001', parameter: 'COD' })
  if (!known) throw new Error('no terms')
  const query = { station: 'AG-0001', parameter: 'COD', from: BEGIN, to: BEGIN + YEAR, now: BEGIN + 2 * YEAR }
  for (const what of ['at first', 'once more']) {
    const effort = new Effort()
    let windows = 0
    await effort.take(1, async () => {
      for await (const told of recompute(query, { aggregates: scene.state.aggregates, aggregator, known })) windows = told.windows
    })
    print(`a year of one series anew ${what}: ${windows} windows, ms (CPU)`, effort.whole, '< 1000')
  }
}

/** Months are whole: each has its days with all their values. */
async function lateReadings(scene: Scene, print: Print): Promise<void> {
  scene.now = BEGIN + 2 * YEAR
  const effort = new Effort()
  for (let n = 0; n < LATES; n++) {
    const { sequence, record } = scene.record(1, BEGIN + n * 43 * HOUR + 1)
    const readings = record.kind === 'readings' ? record.readings.slice(0, 1) : []
    const late = { sequence, record: { ...record, readings } } as SequencedRecord
    await scene.keep([late])
    await effort.take(1, async () => {
      await scene.consumer.consume([late], sequence)
      scene.now += MINUTE
      const windows = await scene.consumer.close()
      if (windows !== 3) throw new Error(`a late reading closed ${windows} windows`)
    })
  }
  const took = effort.took.sort((a, b) => a - b)
  const at = (share: number) => (took[Math.floor(took.length * share)] ?? 0).toFixed(2)
  print('a late reading: its hour, day and month anew, ms p50, p99', `${at(0.5)}, ${at(0.99)}`, '< 5')
  print('the same, ms of CPU', (effort.each / 1_000).toFixed(2))
}
