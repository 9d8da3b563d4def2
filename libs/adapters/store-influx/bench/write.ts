import { readdirSync, readFileSync } from 'node:fs'
import { MINUTE } from '#libs/model'
import type { StoredReading } from '#libs/pipeline'
import { startInflux } from '#libs/test-servers'
import { InfluxStore } from '../src/store.js'
import { freshBuckets } from '../test/buckets.js'

/**
 * What a write costs: node dist/libs/adapters/store-influx/bench/write.js [points]
 * 2,000 series (200 stations × 10 parameters), one point each in 5 minutes, in batches of several sizes, into a real InfluxDB on this
 * machine; then reads. CPU of InfluxDB is that of this process' child, where it is one.
 */
const PARAMETERS = ['COD', 'TSS', 'pH', 'NH4', 'Temp', 'Flow', 'BOD5', 'DO', 'TN', 'TP']
const UNITS = ['mg/L', 'mg/L', '-', 'mg/L', 'oC', 'm3/h', 'mg/L', 'mg/L', 'mg/L', 'mg/L']
const STATIONS = 200
const SERIES = STATIONS * PARAMETERS.length

function reading(n: number, begin: number): StoredReading {
  const series = n % SERIES
  const parameter = series % PARAMETERS.length
  const at = begin + Math.floor(n / SERIES) * 5 * MINUTE
  return {
    station: `ST-${String(Math.floor(series / PARAMETERS.length)).padStart(4, '0')}`,
    parameter: PARAMETERS[parameter] ?? '',
    at,
    value: Math.round(Math.random() * 10_000) / 100,
    unit: UNITS[parameter] ?? '',
    status: '00',
    flag: 1,
    flags: [],
    revision: 0,
    receivedAt: at + 700,
    road: 'mqtt',
    sequence: 1 + Math.floor(n / PARAMETERS.length)
  }
}

/** Microseconds of CPU of child processes. */
function childrenCpu(): number {
  let ticks = 0
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ')
      if (Number(fields[1]) === process.pid) ticks += Number(fields[11]) + Number(fields[12])
    } catch {
      // it ended meanwhile
    }
  }
  return ticks * 10_000
}

async function measureWrites(store: InfluxStore, points: number, size: number): Promise<void> {
  const begin = Date.now() - Math.ceil(points / SERIES) * 5 * MINUTE - size * MINUTE
  let took = 0
  let cpu = 0
  const server = childrenCpu()
  for (let n = 0; n < points; n += size) {
    const batch = Array.from({ length: size }, (_, i) => reading(n + i, begin))
    const [before, start] = [process.cpuUsage(), performance.now()]
    await store.write(batch, n + size)
    took += performance.now() - start
    const { user, system } = process.cpuUsage(before)
    cpu += user + system
  }
  const rate = Math.round((points / took) * 1_000)
  const perPoint = (cpu / points).toFixed(1)
  process.stdout.write(
    `batches of ${size}: ${rate} points/s, ${perPoint} us CPU a point here, ${((childrenCpu() - server) / points).toFixed(1)} in InfluxDB\n`
  )
}

/** 60 days of one station, minute by minute in four, under readings that are there already; then the same again. */
async function measureBackfill(store: InfluxStore): Promise<void> {
  const days = 60
  const to = Date.now() - 30 * 24 * 60 * MINUTE
  const points = Array.from({ length: days * 24 * 15 * 4 }, (_, n) => {
    const at = to - days * 24 * 60 * MINUTE + Math.floor(n / 4) * 4 * MINUTE
    return { ...reading(n % 4, 0), station: 'ST-0007', at, sequence: 10_000_000 + n }
  })
  for (const what of ['60 days of back-fill', 'the same again']) {
    const start = performance.now()
    for (let n = 0; n < points.length; n += 5_000) await store.write(points.slice(n, n + 5_000), 20_000_000)
    const ms = performance.now() - start
    process.stdout.write(`${what}: ${points.length} points, ${Math.round((points.length / ms) * 1_000)} points/s\n`)
  }
}

async function timed(what: string, work: () => Promise<{ readonly length: number }>): Promise<void> {
  const times: number[] = []
  let found = 0
  for (let n = 0; n < 7; n++) {
    const start = performance.now()
    found = (await work()).length
    times.push(performance.now() - start)
  }
  times.sort((a, b) => a - b)
  process.stdout.write(`${what}: ${found} in ${(times[3] ?? 0).toFixed(0)} ms (median of 7)\n`)
}

const points = Number(process.argv[2] ?? 400_000)
const server = await startInflux()
if ('absent' in server) throw new Error(server.absent)
try {
  for (const size of [2_000, 5_000, 20_000]) {
    const { bucket, token } = await freshBuckets(server)
    const store = await InfluxStore.open({ url: server.url, org: server.org, bucket, token })
    await measureWrites(store, points, size)
    if (size === 20_000) {
      await measureBackfill(store)
      const key = { station: 'ST-0007', parameter: 'COD', from: 0, to: Number.MAX_SAFE_INTEGER }
      await timed('latest of all', () => store.latest())
      await timed('latest before now', () => store.latest(undefined, Date.now()))
      await timed('latest of one station', () => store.latest(['ST-0007']))
      await timed('all of one series', () => store.range({ ...key, limit: 1_000_000 }))
      await timed('100 of one series', () => store.range({ ...key, limit: 100 }))
      const start = performance.now()
      process.stdout.write(`digest: ${(await store.digest()).length} series and days in ${Math.round(performance.now() - start)} ms\n`)
    }
    await store.close()
  }
} finally {
  await server.dispose()
}
