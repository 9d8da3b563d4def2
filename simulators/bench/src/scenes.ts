import { setTimeout as sleep } from 'node:timers/promises'
import { connectAsync } from 'mqtt'
import { readingsTopic } from '#libs/wire'
import type { LoadOptions, LoadResult } from '../../mqtt-benchmark-ts/src/index.js'
import { Histogram, runLoad } from '../../mqtt-benchmark-ts/src/index.js'
import type { BenchServer, Sample } from './bench-server.js'

export type Print = (figure: string, value: string, goal?: string) => void
type Scene = (server: BenchServer, seconds: number, print: Print) => Promise<void>

const PARAMETERS = 4
const RECORDS_OF_A_LARGE_JOURNAL = 1_000_000
const MIB = 2 ** 20

const options = (server: BenchServer, pace: LoadOptions['pace'], seconds: number): LoadOptions => ({
  host: '127.0.0.1',
  port: server.mqttPort,
  clients: server.clients,
  qos: 1,
  pace,
  seconds,
  warmupSeconds: 3,
  payload: 'quantrac',
  parameters: PARAMETERS,
  topic: readingsTopic('{station}'),
  clean: true,
  // Stations with more than 1,000 messages a second run ahead of the clock; they begin a day behind it.
  atLagMs: 24 * 3_600_000
})

interface Measured {
  readonly load: LoadResult
  readonly before: Sample
  readonly after: Sample
  readonly peakBytes: number
}

/** Runs a load and looks at the server before, every half second, and right at the end. */
async function measure(server: BenchServer, pace: LoadOptions['pace'], seconds: number): Promise<Measured> {
  const before = await server.sample()
  let peakBytes = before.residentBytes
  const watching = setInterval(() => {
    server.sample().then(
      sample => (peakBytes = Math.max(peakBytes, sample.residentBytes)),
      () => undefined // the last sample tells of a server that is gone
    )
  }, 500)
  try {
    const load = await runLoad(options(server, pace, seconds))
    const after = await server.sample()
    return { load, before, after, peakBytes: Math.max(peakBytes, after.residentBytes) }
  } finally {
    clearInterval(watching)
  }
}

/** A province on a busy day: 1,000 messages a second, latency from the intended moment of sending. */
export const lightLoad: Scene = async (server, seconds, print) => {
  const { load } = await measure(server, { rate: 1_000 }, seconds)
  print('1,000 messages/s: PUBACK p50 / p99', `${load.ackMs.p50.toFixed(2)} / ${load.ackMs.p99.toFixed(2)} ms`, 'p99 under 10 ms')
  await server.drained()
}

/** From PUBLISH to the answer of GET latest that holds the reading. */
export const freshness: Scene = async (server, _seconds, print) => {
  const [client] = server.clients
  if (!client?.username || !client.password) throw new Error('no station')
  const { station, username, password } = client
  const mqtt = await connectAsync(`mqtt://127.0.0.1:${server.mqttPort}`, { username, password, clientId: 'bench-freshness' })
  const times = new Histogram()
  for (let i = 1; i <= 200; i++) {
    const began = performance.now()
    mqtt.publish(readingsTopic(station), JSON.stringify({ at: Date.now(), readings: { pH: 5 + i / 100 } }), { qos: 1 })
    while (!(await answers(server, station, 5 + i / 100))) await sleep(1)
    times.record((performance.now() - began) * 1_000)
    await sleep(20)
  }
  await mqtt.endAsync()
  const { p50, p99 } = times.quantiles()
  print('PUBLISH to answered by GET latest p50 / p99', `${p50.toFixed(1)} / ${p99.toFixed(1)} ms`, 'p99 under 100 ms')
}

async function answers(server: BenchServer, station: string, value: number): Promise<boolean> {
  const { items } = (await server.get(`/api/v1/stations/${station}/latest`)) as { items: { parameter: string; value: number }[] }
  return items.some(item => item.parameter === 'pH' && item.value === value)
}

/** 20,000 messages a second for the whole time: does the store keep up? */
export const steadyLoad: Scene = async (server, seconds, print) => {
  const { load, before, after } = await measure(server, { rate: 20_000 }, seconds)
  const stored = (after.storedReadings - before.storedReadings) / PARAMETERS
  const received = after.received - before.received
  print('20,000 messages/s asked: acknowledged after fsync', `${Math.round(load.acknowledgedPerSecond)} /s`, '20,000 /s')
  print('  stored at the end of the load', `${((100 * stored) / received).toFixed(1)} %`, '100 %')
  print('  caught up after', `${Math.round(await server.drained())} ms`)
  print('  PUBACK p50 / p99', `${load.ackMs.p50.toFixed(1)} / ${load.ackMs.p99.toFixed(1)} ms`)
}

/** As fast as it goes: 100 connections, window 10. CPU is counted until everything is stored. */
export const heavyLoad: Scene = async (server, seconds, print) => {
  const { load, before, peakBytes } = await measure(server, { window: 10 }, seconds)
  const caughtUp = await server.drained()
  const after = await server.sample()
  const messages = after.received - before.received
  const cpu = ((after.cpu - before.cpu) * 1e6) / messages
  print('window 10: acknowledged after fsync', `${Math.round(load.acknowledgedPerSecond)} /s`, 'over 20,000 /s')
  print(
    '  acknowledged and stored, catching up included',
    `${Math.round(messages / (seconds + 3 + caughtUp / 1_000))} /s`,
    'over 20,000 /s'
  )
  print('  CPU of the server per message, until stored', `${cpu.toFixed(1)} us`, 'under 50 us')
  print('  CPU of the load client per message', `${load.clientCpuUsPerMessage.toFixed(1)} us`)
  print('  PUBACK p50 / p99', `${load.ackMs.p50.toFixed(1)} / ${load.ackMs.p99.toFixed(1)} ms`)
  print('  lost / surplus acknowledgements', `${load.total.lost} / ${load.total.surplus}`, '0 / 0')
  print('  resident memory, peak', `${Math.round(peakBytes / MIB)} MiB`, 'under 250 MB')
}

/** From the start of the process to its first PUBACK, on a journal of a million records. */
export async function coldStart(server: BenchServer, print: Print): Promise<void> {
  while ((await server.sample()).received < RECORDS_OF_A_LARGE_JOURNAL) await runLoad(options(server, { window: 10 }, 5))
  const records = (await server.sample()).received
  await server.drained()
  await server.end()
  const began = performance.now()
  const ready = await server.start()
  await runLoad({ ...options(server, { window: 1 }, 0.001), warmupSeconds: 0, clients: server.clients.slice(0, 1) })
  print(`cold start on a journal of ${records} records: ready`, `${Math.round(ready)} ms`)
  print('  first PUBACK at the latest', `${Math.round(performance.now() - began)} ms`, 'under 3,000 ms')
}
