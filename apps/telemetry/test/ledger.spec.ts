import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import type { MqttClient } from 'mqtt'
import { freePort } from '#libs/test-servers'
import { eventually, TestServer } from './server.js'

const STATION = 'AG-KCN-BINHHOA-01'
const TOPIC = `quantrac/v1/${STATION}/readings`
const MINUTE = 60_000
const SUMMED = ['stored', 'replaced', 'duplicate', 'conflicting', 'setAside', 'refused', 'open'] as const
const COLUMNS = ['received', ...SUMMED, 'late', 'clockAhead'] as const

type Counts = Record<string, number>
type Line = Record<(typeof COLUMNS)[number], number> & {
  readonly station: string
  readonly day: string
  readonly refusedBy: Counts
  readonly byRoad: Counts
  readonly balanced: boolean
  readonly forwarded: null
  readonly measured: Counts
}

/** Asks for the whole ledger, page by page; every line must balance, whenever one asks. */
async function linesOf(server: TestServer, token?: string, query = ''): Promise<Line[]> {
  const lines: Line[] = []
  let after = ''
  do {
    const page = (await server.get(`/api/v1/ledger?limit=7${query}${after}`, token)).json()
    lines.push(...(page.items as unknown as Line[]))
    after = typeof page['next'] === 'string' ? `&after=${page['next']}` : ''
  } while (after)
  for (const line of lines) {
    expect(line.received).toBe(SUMMED.reduce((sum, column) => sum + line[column], 0))
    expect(Math.min(...COLUMNS.map(column => line[column]))).toBeGreaterThanOrEqual(0)
    expect(Object.values(line.byRoad).reduce((sum, count) => sum + count, 0)).toBe(line.received)
    expect(Object.values(line.refusedBy).reduce((sum, count) => sum + count, 0)).toBe(line.refused)
    expect(line.balanced).toBe(true)
  }
  return lines
}

/** Sums over the days, without what is nothing. */
function sums(lines: readonly Line[]): Counts {
  const counts: Counts = {}
  const add = (name: string, count: number): void => {
    if (count !== 0) counts[name] = (counts[name] ?? 0) + count
  }
  for (const line of lines) {
    for (const column of COLUMNS) add(column, line[column])
    for (const [road, count] of Object.entries(line.byRoad)) add(road, count)
    for (const [reason, count] of Object.entries(line.refusedBy)) add(reason, count)
  }
  return counts
}

const difference = (after: Counts, before: Counts): Counts =>
  Object.fromEntries(
    Object.entries(after).flatMap(([name, count]) => (count === before[name] ? [] : [[name, count - (before[name] ?? 0)]]))
  )

describe('the ledger of the started program', () => {
  let server: TestServer
  let secret: string
  let reader: string
  let writer: string
  let logger: MqttClient
  const others: TestServer[] = []

  beforeAll(async () => {
    server = await TestServer.start()
    secret = await server.ops('station', 'secret', STATION)
    reader = await server.ops('token', 'add', 'reader', '--role', 'reader')
    writer = await server.ops('token', 'add', 'feed', '--role', 'ingest')
    logger = await server.connect(STATION, secret)
  })
  afterEach(async () => {
    for (const other of others.splice(0)) await other.dispose()
  })
  afterAll(async () => {
    await logger.endAsync(true)
    await server.dispose()
  })

  const sumsNow = async () => sums(await linesOf(server, reader, `&station=${STATION}`))
  const mqtt = (payload: string) => logger.publishAsync(TOPIC, payload, { qos: 1 })
  const http = (payload: string) => server.request('POST', `/api/v1/readings/${STATION}`, { token: writer, body: payload })
  /** What the ledger says when so many readings more have been received, and none is open. */
  const settled = async (before: Counts, received: number): Promise<Counts> =>
    difference(
      await eventually(async () => {
        const counts = await sumsNow()
        return counts['received'] === (before['received'] ?? 0) + received && !counts['open'] && counts
      }, `${received} readings are settled`),
      before
    )

  let at = Date.now() - 20 * 60 * MINUTE
  const later = (): number => (at += MINUTE)
  const message = (when: number | string, value: unknown = 1, more: object = {}): string =>
    JSON.stringify({ at: when, readings: { COD: value }, ...more })
  const again = message(later())

  it.each<[string, string, Counts]>([
    ['a good reading', again, { stored: 1 }],
    ['a late one', message(at - 5 * MINUTE - 1), { stored: 1, late: 1 }],
    ['a clock that is ahead', message(Date.now() + 30 * MINUTE), { stored: 1, clockAhead: 1 }],
    ['another value for the same instant', message(at, 2), { conflicting: 1 }],
    ['a correction', message(at, 3, { revision: 1 }), { replaced: 1 }],
    ['a lower revision', message(at, 4), { duplicate: 1 }],
    ['no JSON', '{{{', { refused: 1, 'not-json': 1 }],
    ['a time without a zone', message('2026-11-24T10:00:00'), { refused: 1, 'no-zone': 1 }],
    ['an unknown unit', message(later(), { value: 1, unit: 'furlong' }), { refused: 1, 'unknown-unit': 1 }],
    ['an unknown parameter', JSON.stringify({ at, readings: { Gold: 1 } }), { refused: 1, 'unknown-parameter': 1 }],
    ['a text for a number', message(at, '1'), { refused: 1, 'not-a-number': 1 }]
  ])('%s is exactly its own line', async (_, payload, line) => {
    const before = await sumsNow()
    await mqtt(payload)
    expect(await settled(before, 1)).toEqual({ received: 1, mqtt: 1, ...line })
  })

  it('a repeat is one by any road: published again, posted again, and known to the journal', async () => {
    const before = await sumsNow()
    await mqtt(again)
    expect((await http(again)).json()['repeated']).toBe(true)
    const fresh = message(later())
    expect((await http(fresh)).json()['repeated']).toBe(false)
    expect(await settled(before, 3)).toEqual({ received: 3, mqtt: 1, http: 2, stored: 1, duplicate: 2 })
  })

  it('good readings of a message with bad ones are told apart', async () => {
    const before = await sumsNow()
    await http(JSON.stringify({ at: later(), readings: { COD: 1, pH: 7, Gold: 1 } }))
    expect(await settled(before, 3)).toEqual({ received: 3, http: 3, stored: 2, refused: 1, 'unknown-parameter': 1 })
  })

  it('counts by day of receipt what came, by day of measurement what there is', async () => {
    const old = Date.now() - 40 * 24 * 60 * MINUTE
    const before = await linesOf(server, reader, `&station=${STATION}`)
    await mqtt(message(old, 1))
    await settled(sums(before), 1)
    const [today] = (await linesOf(server, reader, `&station=${STATION}`)).slice(-1)
    expect(today?.received).toBe((before.at(-1)?.received ?? 0) + 1)
    expect(today?.measured['stored']).toBe(before.at(-1)?.measured['stored'])
    expect(today?.forwarded).toBeNull()
    expect(today?.measured['expected']).toBeGreaterThan(0)
  })

  it('is CSV for whom accepts it, with gaps, and says what is wrong with a question', async () => {
    const csv = await server.get(`/api/v1/ledger?station=${STATION}`, reader, { accept: 'text/csv' })
    expect(csv.headers.get('content-type')).toContain('text/csv')
    expect(csv.text).toMatch(/^station,day,mqtt,http,file,received,stored,/)
    expect(csv.text).toMatch(new RegExp(`\r\n${STATION},\\d{4}-\\d{2}-\\d{2},`))
    const gaps = await server.get('/api/v1/ledger/gaps?limit=5', reader)
    expect([gaps.status, Array.isArray(gaps.json().items)]).toEqual([200, true])
    expect((await server.get('/api/v1/ledger/gaps', reader, { accept: 'text/csv' })).text).toMatch(
      /^station,parameter,day,from,to,seconds,open,cause\r\n/
    )
    for (const path of ['ledger?after=bm8', 'ledger?from=2000&to=1000', 'ledger/gaps?limit=0', 'ledger/gaps?after=MTIz']) {
      expect((await server.get(`/api/v1/${path}`, reader)).json()).toMatchObject({ status: 400, code: 'QT_HTTP_INVALID' })
    }
    expect((await server.get('/api/v1/ledger')).status).toBe(401)
  })

  it('balances at every look through kill -9 in the middle of it: each reading is stored once, what came twice is a duplicate', async () => {
    const before = await sumsNow()
    const readings = Array.from({ length: 200 }, () => message(later()))
    let lost = closed()
    let ended: Promise<number> | null = null
    for (const [n, payload] of readings.entries()) {
      if (n % 80 === 50) ended = killSoon(n % 7)
      while (!(await Promise.race([mqtt(payload).then(acknowledged, notAcknowledged), lost]))) {
        await Promise.all([logger.endAsync(true), ended])
        await server.start()
        logger = await server.connect(STATION, secret)
        lost = closed()
        await sumsNow()
      }
    }
    const counts = await eventually(async () => {
      const now = difference(await sumsNow(), before)
      return now['stored'] === readings.length && !now['open'] && now
    }, 'all are stored')
    expect(counts['received']).toBe(readings.length + (counts['duplicate'] ?? 0))
    expect(await server.ops('journal', 'verify')).toMatch(/ damaged 0 /)
  }, 60_000)

  const acknowledged = (): boolean => true
  const notAcknowledged = (): boolean => false
  const closed = (): Promise<boolean> => new Promise(resolve => logger.once('close', () => resolve(false)))
  const killSoon = (ms: number): Promise<number> => new Promise(resolve => setTimeout(() => void server.end('SIGKILL').then(resolve), ms))

  it('shows as open what the store has not taken, and settles it when the store is there', async () => {
    const env = { QUANTRAC_INFLUX_URL: `http://127.0.0.1:${await freePort()}`, QUANTRAC_INFLUX_TOKEN: 'none' }
    const away = await TestServer.prepare(env)
    others.push(away)
    void away.launch()
    const token = await away.ops('token', 'add', 'both', '--role', 'ingest')
    const asking = await away.ops('token', 'add', 'asking', '--role', 'reader')
    const post = (payload: string) =>
      away.request('POST', `/api/v1/readings/${STATION}`, { token, body: payload }).then(
        answer => [202, 422].includes(answer.status),
        () => false
      )
    await eventually(() => post(message(1_000_000)), 'the server takes readings without its store')
    for (const payload of [message(2_000_000), message(2_000_000, 2), '{{{']) await post(payload)
    await eventually(async () => {
      const counts = sums(await linesOf(away, asking))
      return counts['received'] === 4 && counts['open'] === 3 && counts['refused'] === 1
    }, 'three are open')
    await away.end('SIGKILL')
    const back = await TestServer.prepare({ QUANTRAC_DATA_DIR: away.dataDir })
    others.push(back)
    await back.start()
    await eventually(async () => {
      const counts = sums(await linesOf(back, asking))
      return counts['received'] === 4 && !counts['open'] && counts['stored'] === 2 && counts['conflicting'] === 1
    }, 'they are settled')
  })

  it('of the demo balances on every station and day', async () => {
    const demo = await TestServer.start({ QUANTRAC_DEMO: 'on' })
    others.push(demo)
    const lines = await eventually(
      async () => {
        const all = await linesOf(demo)
        const stations = new Set(all.filter(line => line.stored > 5).map(line => line.station))
        return stations.size >= 8 && all
      },
      'the fleet is in the ledger',
      25_000
    )
    expect(lines.length).toBeGreaterThanOrEqual(8)
  }, 40_000)
})
