import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { State } from '#libs/adapters/state'
import { HttpWarehouse } from '#libs/adapters/warehouse-http'
import { acknowledge, mergeAlarm } from '#libs/alarms'
import type { Millis } from '#libs/model'
import { DAY, HOUR, MINUTE } from '#libs/model'
import type { Log, Published, WarehouseSink } from '#libs/pipeline'
import { Forwarder } from '#libs/pipeline'
import { WarehouseReceiver } from '#libs/test-servers'
import type { Print } from './scenes.js'

/** 500 stations of 4 parameters. */
const SERIES = 2_000
const MANY = 1_000_000
const WEEK_HOURS = 168
const BEGIN = Date.UTC(2026, 0, 1, 17)
const MEBIBYTE = 2 ** 20

const silent: Log = { info: () => {}, warn: () => {}, error: (_, text) => console.error(text) }

/** A million aggregates that are published already go to the receiver, and a week without one. */
export async function forwardScenes(dir: string, print: Print): Promise<void> {
  const state = await State.open({ dataDir: join(dir, 'state'), life: { mergeAlarm, acknowledge } })
  const receiver = await WarehouseReceiver.start({ path: join(dir, 'warehouse') })
  const sink = new HttpWarehouse(receiver.settings())
  try {
    await aMillion(state, sink, print)
    await aWeekAway({ state, receiver, sink, print })
  } finally {
    await sink.close()
    await receiver.stop()
    await state.close()
  }
}

async function aMillion(state: State, sink: WarehouseSink, print: Print): Promise<void> {
  for (let hour = 0; hour < MANY / SERIES; hour++) await publishHour(state, hour)
  const cpu = process.cpuUsage()
  const began = performance.now()
  const forwarder = forwarderOf(state, sink)
  forwarder.start()
  while (forwarder.report.accepted < MANY) await sleep(20)
  const seconds = (performance.now() - began) / 1_000
  const { user, system } = process.cpuUsage(cpu)
  await forwarder.close()
  print('1,000,000 aggregates from the state to the receiver', `${Math.round(MANY / seconds)} /s`, '10,000 /s')
  print('CPU an aggregate, reading and settling included', `${((user + system) / MANY).toFixed(1)} us`)
}

interface Away {
  readonly state: State
  readonly receiver: WarehouseReceiver
  readonly sink: WarehouseSink
  readonly print: Print
}

/** Every hour of a week is published while nobody answers, some of it twice. */
async function aWeekAway({ state, receiver, sink, print }: Away): Promise<void> {
  await receiver.stop('SIGKILL')
  const forwarder = forwarderOf(state, new HttpWarehouse(receiver.settings()))
  forwarder.start()
  const resident: number[] = []
  for (let hour = MANY / SERIES; hour < MANY / SERIES + WEEK_HOURS; hour++) {
    await publishHour(state, hour)
    if (hour % 24 === 0) await publishHour(state, hour - 1, 0.5)
    resident.push(residentMiB())
  }
  const quarter = Math.floor(resident.length / 4)
  const mean = (part: readonly number[]) => Math.round(part.reduce((sum, one) => sum + one, 0) / part.length)
  const { fresh, waiting } = await state.forwarding.status()
  print('a week without the warehouse: aggregates that wait', `${fresh} and ${waiting} apart`)
  print(
    'resident memory in its first and last quarter',
    `${mean(resident.slice(0, quarter))}, ${mean(resident.slice(-quarter))} MiB`,
    'flat'
  )
  await forwarder.close()
  await receiver.kill()
  const again = forwarderOf(state, sink)
  const began = performance.now()
  again.start()
  while ((await state.forwarding.status()).fresh > 0) await sleep(50)
  await again.close()
  print('the week sent when it is back', `${Math.round(fresh / ((performance.now() - began) / 1_000))} /s`)
}

const forwarderOf = (state: State, sink: WarehouseSink) =>
  new Forwarder({
    book: state.forwarding.book('bench'),
    // The sink is closed by who opened it: a scene stops its forwarder and goes on with the same connection.
    sink: {
      name: sink.name,
      limit: sink.limit,
      send: sink.send.bind(sink),
      digest: () => Promise.resolve([]),
      close: () => Promise.resolve()
    },
    clock: Date.now,
    random: Math.random,
    log: silent,
    maxPerSecond: 1_000_000,
    daily: { atMinute: 0 }
  })

async function publishHour(state: State, hour: number, more = 0): Promise<void> {
  const results = Array.from({ length: SERIES }, (_, n) => published(n, BEGIN + hour * HOUR, more))
  await state.aggregates.publish(results)
}

function published(series: number, end: Millis, more: number): Published {
  const mean = 40 + Math.sin(series + end / DAY) * 20 + more
  const [station, parameter] = [`AG-${String(series >> 2).padStart(4, '0')}`, ['COD', 'TSS', 'pH', 'NH4'][series & 3] ?? 'COD']
  const window = { period: 'hour', start: end - HOUR, end } as const
  return {
    mark: { station, parameter, ...window, dueAt: end, sequence: 1 },
    unit: 'mg/L',
    values: null,
    summary: {
      ...window,
      received: 12,
      count: 11,
      expected: 12,
      completeness: 11 / 12,
      validShare: 11 / 12,
      sufficient: true,
      mean,
      min: { value: mean - 3.25, at: end - 35 * MINUTE },
      max: { value: mean + 4.125, at: end - 5 * MINUTE },
      sum: null,
      p95: mean + 3.7,
      stddev: Math.abs(mean) / 17,
      worstFlag: 3,
      exceedanceMinutes: 5
    }
  }
}

const residentMiB = (): number => process.memoryUsage().rss / MEBIBYTE
