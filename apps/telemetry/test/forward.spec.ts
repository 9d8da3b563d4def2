import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { MqttClient } from 'mqtt'
import { WarehouseReceiver } from '#libs/test-servers'
import { TestCertificates } from '#libs/testkit'
import { eventually, TestServer } from './server.js'

const STATION = 'AG-KCN-BINHHOA-01'
const HOUR = 3_600_000
const DAY = 24 * HOUR

type Row = Record<string, unknown>

/** The started server with the receiver of `simulators/warehouse` beside it, over mutual TLS and with a token: readings go in by MQTT, rows are read at the receiver. */
describe('aggregates on their way to the warehouse', () => {
  const path = mkdtempSync(join(tmpdir(), 'quantrac-forward-'))
  const certificates = mkdtempSync(join(tmpdir(), 'quantrac-forward-'))
  // In the middle of an hour of five days ago: all its windows but the month are closed.
  const at = Math.floor((Date.now() - 5 * DAY) / HOUR) * HOUR + HOUR / 2
  let receiver: WarehouseReceiver
  let server: TestServer
  let station: MqttClient
  let reader: string

  beforeAll(async () => {
    const made = await TestCertificates.in(certificates)
    const { cert, key } = await made.client('quantrac')
    const own = ['--tls-cert', made.server.cert, '--tls-key', made.server.key, '--client-ca', made.ca]
    receiver = await WarehouseReceiver.start({ path }, own)
    server = await TestServer.start({
      ...receiver.environment,
      QUANTRAC_WAREHOUSE_TLS_CERT: cert,
      QUANTRAC_WAREHOUSE_TLS_KEY: key,
      QUANTRAC_WAREHOUSE_TLS_CA: made.ca
    })
    reader = await server.ops('token', 'add', 'reader', '--role', 'reader')
    station = await server.connect(STATION, await server.ops('station', 'secret', STATION))
  }, 60_000)

  afterAll(async () => {
    await station.endAsync(true)
    await server.dispose()
    await receiver.stop()
    for (const dir of [path, certificates]) rmSync(dir, { recursive: true, force: true })
  })

  const publish = (readings: object, more: object = {}) =>
    station.publishAsync(`quantrac/v1/${STATION}/readings`, JSON.stringify({ at, readings, ...more }), { qos: 1 })
  const rows = async (): Promise<Row[]> => (await receiver.rows()).filter(row => row['parameter'] === 'COD' && row['period'] !== 'month')
  const brief = (all: readonly Row[]) => all.map(({ period, revision, mean }) => [period, revision, mean]).sort()
  const holds = (...expected: [string, number, number][]) =>
    eventually(
      async () => JSON.stringify(brief(await rows())) === JSON.stringify(expected),
      `the receiver holds ${JSON.stringify(expected)}`,
      20_000
    )
  const status = () => server.ops('forward', 'status')

  it('arrive as they are published, and again with the next revision when a late reading changes them', async () => {
    await publish({ COD: 60 })
    await holds(['day', 1, 60], ['hour', 1, 60])
    await publish({ COD: 80 }, { revision: 1 })
    await holds(['day', 2, 80], ['hour', 2, 80])
    const { items } = (
      await server.get(`/api/v1/series/${STATION}/COD/aggregates?period=hour&from=${at - HOUR}&to=${at + HOUR}`, reader)
    ).json()
    const [ours] = items
    const [theirs] = (await rows()).filter(({ period }) => period === 'hour')
    for (const field of ['received', 'count', 'expected', 'completeness', 'mean', 'p95', 'stddev', 'sum', 'revision', 'unit', 'worstFlag'])
      expect([field, theirs?.[field]]).toEqual([field, ours?.[field]])
  })

  it('are counted in the ledger, where there was nothing before', async () => {
    const { items } = (await server.get(`/api/v1/ledger?station=${STATION}`, reader)).json()
    expect(items.at(-1)?.['forwarded']).toEqual(expect.any(Number))
  })

  it('wait while the receiver is away and the server is killed, and arrive when both are back', async () => {
    await receiver.stop('SIGKILL')
    await publish({ COD: 90 }, { revision: 2 })
    await eventually(async () => /fresh [1-9]/.test(await status()), 'they wait')
    await server.end('SIGKILL')
    await server.start()
    await receiver.kill()
    await holds(['day', 3, 90], ['hour', 3, 90])
    await eventually(async () => (await status()).startsWith('fresh 0 waiting 0 rejected 0'), 'nothing waits')
    expect(await receiver.stats()).toMatchObject({ violations: 0 })
    station = await server.connect(STATION, await server.ops('station', 'secret', STATION))
  })

  it('are set aside when they are rejected, listed with the reason, counted, and sent again by command', async () => {
    await receiver.faults({ refuseStation: STATION })
    await publish({ COD: 95 }, { revision: 3 })
    await eventually(async () => /rejected [2-9]/.test(await status()), 'they are set aside')
    expect(await server.ops('forward', 'rejected')).toMatch(
      new RegExp(`${STATION}/COD day \\S+\\+07:00 revision 4 since \\S+ attempts 1: \\S+`)
    )
    const metrics = (await server.get('/metrics', reader)).text
    expect(metrics).toMatch(/quantrac_forward_aggregates\{state="rejected"\} [2-9]/)
    await receiver.faults({})
    expect(await server.ops('forward', 'redo', '--rejected')).toMatch(/^aggregates [2-9] are sent again$/)
    await holds(['day', 4, 95], ['hour', 4, 95])
    expect(await status()).toMatch(/rejected 0/)
  })

  it('are compared, and what the receiver has lost is sent again', async () => {
    await receiver.stop()
    rmSync(path, { recursive: true, force: true })
    await receiver.kill() // with nothing in it
    expect(await rows()).toEqual([])
    await server.ops('forward', 'compare', '--from', new Date(at - 2 * DAY).toISOString())
    await holds(['day', 4, 95], ['hour', 4, 95])
    await eventually(async () => /compared \S+ days \d+ differing [2-9] resent [2-9]/.test(await status()), 'the comparison is told')
  })

  it('can be sent again by range; a choice that makes no sense is told', async () => {
    expect(await server.ops('forward', 'redo', '--station', STATION, '--period', 'day')).toMatch(/^aggregates [1-9] are sent again$/)
    for (const words of [
      ['redo'],
      ['redo', '--period', 'week'],
      ['redo', '--all', '--next-revision'],
      ['compare'],
      ['redo', '--from', 'then']
    ])
      await expect(server.ops('forward', ...words)).rejects.toMatchObject({ stderr: expect.stringContaining('QT_OPS_USAGE') })
    expect(await server.ops('forward', 'schema')).toContain('create schema')
  })
})

it.each([
  [{ QUANTRAC_WAREHOUSE_URL: 'postgres://u:p4ss@warehouse.example/db' }, 'QT_WAREHOUSE_CONFIG_INVALID', 'sslmode=verify-full'],
  [
    { QUANTRAC_WAREHOUSE_URL: 'https://w.example', QUANTRAC_WAREHOUSE_TLS_CA: '/not/there' },
    'QT_TLS_UNREADABLE',
    'QUANTRAC_WAREHOUSE_TLS_CA'
  ]
])('a warehouse that cannot be used is told at the start: %j', async (environment, code, text) => {
  const server = await TestServer.prepare(environment)
  try {
    expect(await server.launch()).toBe(1)
    expect(server.output).toContain(`[${code}]`)
    expect(server.output).toContain(text)
    expect(server.output).not.toContain('p4ss')
  } finally {
    await server.dispose()
  }
})

it('the demo has a receiver of its own, which ends with it', async () => {
  const demo = await TestServer.start({ QUANTRAC_DEMO: 'on' })
  try {
    const admin = await eventually(() => Promise.resolve(/curl '(\S+)\/rows/.exec(demo.output)?.[1]), 'the demo greets')
    expect(await (await fetch(`${admin}/stats`)).json()).toMatchObject({ violations: 0 })
    await demo.end('SIGKILL')
    await eventually(
      () =>
        fetch(`${admin}/stats`).then(
          () => false,
          () => true
        ),
      'the receiver has ended too'
    )
  } finally {
    await demo.dispose()
  }
}, 30_000)
