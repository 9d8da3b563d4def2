/**
 * Figures of the embedded store: `node dist/libs/adapters/store-sqlite/bench/write.js [days]`. CPU is that of the whole process
 * while `write` runs (rubbish collection of the readings included, making them not); nothing is asserted.
 */
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DAY, MINUTE } from '#libs/model'
import type { StoredReading } from '#libs/pipeline'
import { SqliteStore } from '../src/store.js'

const PARAMETERS = ['COD', 'pH', 'Temp', 'TSS'] as const
const BEGIN = Date.UTC(2026, 10, 1)
const ONE_READ = { limit: 1_000_000 }

interface Shape {
  readonly name: string
  readonly stations: number
  /** Milliseconds between two messages of a station; each message has all the parameters. */
  readonly every: number
  readonly rounds: number
  readonly batch: number
}

function reading(station: number, parameter: number, at: number, sequence: number): StoredReading {
  return {
    station: `AG-${String(station).padStart(4, '0')}`,
    parameter: PARAMETERS[parameter] ?? 'COD',
    at,
    value: 40 + Math.sin(at / 3_600_000 + station) * 20,
    unit: 'mg/L',
    status: '00',
    flag: 1,
    flags: [],
    revision: 0,
    receivedAt: at + 800,
    road: 'mqtt',
    sequence
  }
}

function* batches({ stations, every, rounds, batch }: Shape): Generator<StoredReading[]> {
  let readings: StoredReading[] = []
  let sequence = 0
  for (let round = 0; round < rounds; round++) {
    for (let station = 0; station < stations; station++) {
      sequence++
      for (let n = 0; n < PARAMETERS.length; n++) readings.push(reading(station, n, BEGIN + round * every, sequence))
      if (readings.length < batch) continue
      yield readings
      readings = []
    }
  }
  if (readings.length > 0) yield readings
}

async function measureWrites(store: SqliteStore, shape: Shape): Promise<void> {
  let points = 0
  let wallMs = 0
  let cpuUs = 0
  let longestMs = 0
  for (const readings of batches(shape)) {
    const cpu = process.cpuUsage()
    const start = performance.now()
    await store.write(readings, readings.at(-1)?.sequence ?? 0)
    const took = performance.now() - start
    const used = process.cpuUsage(cpu)
    wallMs += took
    longestMs = Math.max(longestMs, took)
    cpuUs += used.user + used.system
    points += readings.length
  }
  const rate = Math.round((points / wallMs) * 1_000)
  print(
    shape.name,
    `${points} points, ${rate} points/s, ${(cpuUs / points).toFixed(2)} us CPU a point, longest batch ${longestMs.toFixed(0)} ms`
  )
}

async function measureRead(name: string, read: () => Promise<readonly unknown[]>): Promise<void> {
  const times: number[] = []
  let found = 0
  for (let n = 0; n < 50; n++) {
    const start = performance.now()
    found = (await read()).length
    times.push(performance.now() - start)
  }
  times.sort((a, b) => a - b)
  print(name, `${found} readings in ${times[25]?.toFixed(2)} ms (median of 50; longest ${times.at(-1)?.toFixed(2)} ms)`)
}

async function withStore(work: (store: SqliteStore, dataDir: string) => Promise<void>): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'quantrac-bench-'))
  const store = await SqliteStore.open({ dataDir })
  try {
    await work(store, dataDir)
  } finally {
    await store.close()
    await rm(dataDir, { recursive: true })
  }
}

/** Size of the file once everything is in it, by a second opening that ends with a checkpoint. */
async function printSize(name: string, store: SqliteStore, dataDir: string): Promise<void> {
  await store.close()
  const { size } = await stat(join(dataDir, 'series.sqlite'))
  const reader = await SqliteStore.open({ dataDir, readOnly: true })
  const { points, rows } = await reader.stats()
  await reader.close()
  print(name, `${(size / points).toFixed(1)} bytes on disk a point, ${(points / rows).toFixed(1)} points a row`)
}

const print = (name: string, text: string): void => console.log(`${name.padEnd(44)} ${text}`)

async function realistic(days: number, batch: number): Promise<void> {
  const name = `2,000 series every 5 min, batches of ${batch}`
  await withStore(async (store, dataDir) => {
    await measureWrites(store, { name, stations: 500, every: 5 * MINUTE, rounds: (days * DAY) / (5 * MINUTE), batch })
    await measureRead('  latest of 2,000 series', () => store.latest())
    const key = { station: 'AG-0250', parameter: 'COD' }
    await measureRead('  24 h of one series', () => store.range({ ...key, from: BEGIN, to: BEGIN + DAY, ...ONE_READ }))
    const month: Shape = { name: '  back-fill of 30 days, 4 series', stations: 1, every: 5 * MINUTE, rounds: 30 * 288, batch: 1_000 }
    await measureWrites(store, month)
    const from = { station: 'AG-0000', parameter: 'COD', from: BEGIN }
    await measureRead('  30 days of one series', () => store.range({ ...from, to: BEGIN + 30 * DAY, ...ONE_READ }))
    await printSize('  on disk', store, dataDir)
  })
}

async function load(batch: number): Promise<void> {
  const name = `400 series x 200 points/s, batches of ${batch}`
  await withStore(async (store, dataDir) => {
    await measureWrites(store, { name, stations: 100, every: 5, rounds: 8_000, batch })
    await measureRead('  latest of 400 series', () => store.latest())
    await printSize('  on disk', store, dataDir)
  })
}

const days = Number(process.argv[2] ?? 3)
for (const batch of [2_000, 20_000]) await realistic(days, batch)
for (const batch of [800, 2_000, 5_000, 20_000]) await load(batch)
