import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { InfluxStore, setupInflux } from '#libs/adapters/store-influx'
import { SqliteStore } from '#libs/adapters/store-sqlite'
import { Journal } from '#libs/journal'
import type { Reading } from '#libs/model'
import { DAY, HOUR, MINUTE } from '#libs/model'
import type { Log, TimeSeriesStore } from '#libs/pipeline'
import { ConsumerRunner, JournalSource, NewestReadings, StoreConsumer } from '#libs/pipeline'
import type { InfluxServer } from '#libs/test-servers'
import { startInflux } from '#libs/test-servers'
import { encodeRecord } from '#libs/wire'
import type { Print } from './scenes.js'

/** 500 stations of 4 parameters, a reading every five minutes: 2,000 series of 1,000 points, and one station with a month. */
const STATIONS = 500
const PARAMETERS = ['COD', 'pH', 'Temp', 'TSS'] as const
const STEP = 5 * MINUTE
const ROUNDS = 1_000
const MONTH = 30 * DAY
const BEGIN = Date.UTC(2026, 9, 20)
const POINTS = (STATIONS * ROUNDS + (MONTH - ROUNDS * STEP) / STEP) * PARAMETERS.length
const MIB = 2 ** 20

const silent: Log = { info: () => {}, warn: text => console.error(text), error: text => console.error(text) }
const code = (station: number): string => `AG-${String(station).padStart(4, '0')}`

interface Bench {
  readonly name: string
  readonly store: TimeSeriesStore
  readonly bytes: () => Promise<number>
  /** Microseconds of CPU that another process has taken so far. */
  readonly cpuBeside: () => Promise<number>
}

/** The journal's readings into each store, and the questions of screens, one store after the other in one run. */
export async function storeScenes(dir: string, print: Print): Promise<void> {
  await fillJournal(dir)
  const sqlite = await SqliteStore.open({ dataDir: dir })
  await scenes(dir, { name: 'SQLite', store: sqlite, bytes: () => sizeOf(dir, /^series[.]sqlite/), cpuBeside: async () => 0 }, print)
  await sqlite.close()
  const influx = await startInflux()
  if ('absent' in influx) return print('InfluxDB 2', `not measured: ${influx.absent}`)
  try {
    await influxScenes(dir, influx, print)
  } finally {
    await influx.dispose()
  }
}

async function influxScenes(dir: string, influx: InfluxServer, print: Print): Promise<void> {
  const { url, org, dataDir } = influx
  const { token } = await setupInflux({ url, org, bucket: 'quantrac', adminToken: influx.token })
  if (token === null) throw new Error('this InfluxDB has a token of a bench before: start it empty')
  const store = await InfluxStore.open({ url, org, bucket: 'quantrac', token })
  const bytes = async () => (dataDir === null ? 0 : sizeOf(join(dataDir, 'engine'), /[.](tsm|wal|tsl|idx)$/))
  await scenes(dir, { name: 'InfluxDB 2', store, bytes, cpuBeside: () => cpuOf(influx.process?.pid) }, print)
  await store.close()
}

async function scenes(dir: string, bench: Bench, print: Print): Promise<void> {
  await drain(dir, bench, print)
  print(`${bench.name}: on disk`, `${((await bench.bytes()) / POINTS).toFixed(1)} bytes a point`)
  const { store, name } = bench
  const key = { station: code(0), parameter: 'COD' }
  const limit = 1_000_000
  await read(`${name}: latest of 2,000 series, from the history`, () => store.latest(), print)
  const board = new NewestReadings({ store, stored: () => Number.MAX_SAFE_INTEGER, clock: Date.now, log: silent })
  await board.fill(0)
  await read(`${name}: latest of 2,000 series, as the server answers`, () => board.latest(), print, 'under 50 ms')
  await read(`${name}: 24 h raw of one series`, () => store.range({ ...key, from: BEGIN, to: BEGIN + DAY, limit }), print)
  await read(`${name}: 30 days of one series, hourly means`, () => means(store, key, HOUR), print)
  const daily = async () => {
    const all: number[] = []
    for (let station = 0; station < 200; station++) all.push(...(await means(store, { station: code(station), parameter: 'pH' }, DAY)))
    return all
  }
  await read(`${name}: 200 series, daily means`, daily, print)
}

/** Means of a month by buckets of one length, folded from the readings. */
async function means(store: TimeSeriesStore, key: { station: string; parameter: string }, length: number): Promise<number[]> {
  const sums = new Map<number, { sum: number; count: number }>()
  for (const { at, value } of await store.range({ ...key, from: BEGIN, to: BEGIN + MONTH, limit: 1_000_000 })) {
    const bucket = Math.floor(at / length)
    const { sum, count } = sums.get(bucket) ?? { sum: 0, count: 0 }
    sums.set(bucket, { sum: sum + value, count: count + 1 })
  }
  return [...sums.values()].map(({ sum, count }) => sum / count)
}

/** The store's consumer, as the server runs it, from the first record to the last. */
async function drain(dir: string, { name, store, cpuBeside }: Bench, print: Print): Promise<void> {
  const source = new JournalSource(dir, silent)
  const runner = new ConsumerRunner(new StoreConsumer(store, () => {}), { source, log: silent })
  const last = source.lastSequence()
  const [began, cpu, beside] = [performance.now(), process.cpuUsage(), await cpuBeside()]
  runner.start()
  runner.wake()
  while (runner.position.sequence < last) await sleep(20)
  const seconds = (performance.now() - began) / 1_000
  const { user, system } = process.cpuUsage(cpu)
  const others = (await cpuBeside()) - beside
  await runner.close()
  source.close()
  print(`${name}: journal to store`, `${Math.round(POINTS / seconds).toLocaleString('en')} points/s`, 'over 40,000 /s')
  const own = ((user + system) / POINTS).toFixed(2)
  print(`${name}: CPU a point, ours and the store's server`, `${own} + ${(others / POINTS).toFixed(2)} us`)
}

const TIMES = 9

async function read(name: string, ask: () => Promise<readonly unknown[]>, print: Print, goal = ''): Promise<void> {
  const took: number[] = []
  let found = 0
  for (let n = 0; n < TIMES; n++) {
    const began = performance.now()
    found = (await ask()).length
    took.push(performance.now() - began)
  }
  took.sort((a, b) => a - b)
  print(name, `${took[Math.floor(TIMES / 2)]?.toFixed(1)} ms for ${found}`, goal)
}

async function fillJournal(dir: string): Promise<void> {
  const journal = await Journal.open({ dir, maxBytes: 4 * 1_024 * MIB })
  try {
    for (let round = 0; round < MONTH / STEP; round++) {
      const stations = round < ROUNDS ? STATIONS : 1
      await Promise.all(Array.from({ length: stations }, (_, station) => journal.append(recordOf(station, BEGIN + round * STEP))))
    }
  } finally {
    await journal.close()
  }
}

function recordOf(station: number, at: number) {
  const origin = { station: code(station), receivedAt: at + 800, road: 'mqtt' as const }
  const readings = PARAMETERS.map((parameter, n): Reading => {
    const value = Number((40 + n + Math.sin(at / HOUR + station) * 20).toFixed(2))
    return { ...origin, parameter, at, value, unit: 'mg/L', status: '00', flag: 1, flags: [], revision: 0 }
  })
  const sent = { at, readings: Object.fromEntries(readings.map(({ parameter, value }) => [parameter, value])) }
  const payload = Buffer.from(JSON.stringify(sent))
  return encodeRecord({ kind: 'readings', ...origin, qos: 1, readings, refused: [], payload })
}

async function sizeOf(dir: string, name: RegExp): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(dir, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !name.test(entry.name)) continue
    bytes += (await stat(join(entry.parentPath, entry.name)).catch(() => ({ size: 0 }))).size
  }
  return bytes
}

/** From /proc, where there is one: user and system time of a process, in clock ticks of 10 ms. */
async function cpuOf(pid: number | undefined): Promise<number> {
  if (pid === undefined) return 0
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 10_000
}
