import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from '@jest/globals'
import { setupInflux } from '#libs/adapters/store-influx'
import { described, startInflux } from '#libs/test-servers'
import { eventually, TestServer } from './server.js'

const found = await startInflux()
const STATION = 'AG-KCN-BINHHOA-01'
const BEGIN = Date.now() - 3_600_000

/** The started program with its time series in a real InfluxDB 2. */
described(describe, { kind: 'influx', name: 'the server on InfluxDB 2', found }, influx => {
  let servers: TestServer[] = []
  let buckets = 0

  afterEach(async () => {
    for (const server of servers) await server.dispose()
    servers = []
  })
  afterAll(() => influx.dispose())

  const settings = async (): Promise<Record<string, string>> => {
    const bucket = `server-${process.pid}-${++buckets}`
    const { url, org } = influx
    const { token } = await setupInflux({ url, org, bucket, adminToken: influx.token })
    return { QUANTRAC_INFLUX_URL: url, QUANTRAC_INFLUX_ORG: org, QUANTRAC_INFLUX_BUCKET: bucket, QUANTRAC_INFLUX_TOKEN: token ?? '' }
  }
  const prepare = async (environment: Record<string, string>): Promise<TestServer> => {
    const server = await TestServer.prepare(environment)
    servers.push(server)
    return server
  }

  it('stores and answers as the embedded store does, and again after a restart', async () => {
    const server = await prepare(await settings())
    await server.start()
    const feed = await Feed.of(server)
    await feed.post([1, 2, 3])
    await feed.sees([1, 2, 3])
    await server.end('SIGKILL')
    await server.start()
    await feed.post([4])
    await feed.sees([1, 2, 3, 4])
    expect(await feed.newest()).toBe(4)
  })

  it('sums up there too, and passes each revision on to the buckets of hours and days', async () => {
    const environment = await settings()
    const server = await prepare(environment)
    await server.start()
    const feed = await Feed.of(server)
    const hour = Math.floor((Date.now() - 30 * 3_600_000) / 3_600_000) * 3_600_000
    const hours = () =>
      asked(
        influx,
        environment['QUANTRAC_INFLUX_TOKEN'] ?? '',
        `from(bucket: "${environment['QUANTRAC_INFLUX_BUCKET']}-hourly")
        |> range(start: -60d) |> filter(fn: (r) => r._measurement == "hour" and r.parameter == "COD")
        |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")`
      )
    await feed.post([1, 2], hour)
    await eventually(async () => (await hours())[0]?.['mean'] === '1.5', 'the hour', 40_000)
    await feed.post([6], hour)
    const second = await eventually(async () => (await hours()).find(row => row['revision'] === '2'), 'its next revision', 40_000)
    expect(second).toMatchObject({ mean: '3', count: '3', expected: '12', unit: 'mg/L', station: STATION })
  }, 120_000)

  it('replays the journal into a store that is empty', async () => {
    const environment = await settings()
    const server = await prepare(environment)
    await server.start()
    const feed = await Feed.of(server)
    await feed.post([1, 2])
    await feed.sees([1, 2])
    await server.end('SIGTERM')
    Object.assign(environment, await settings())
    await server.start()
    await feed.sees([1, 2])
    // And back: the embedded store is rebuilt likewise.
    await server.end('SIGTERM')
    for (const name of Object.keys(environment)) environment[name] = '' // an empty setting is none
    rmSync(join(server.dataDir, 'series.sqlite'), { force: true })
    await server.start()
    await feed.sees([1, 2])
  })

  it('knows in the ledger what became of readings that were written when the process was killed', async () => {
    const environment: Record<string, string> = { ...(await settings()), QUANTRAC_FAULT_POINT: 'after-store-before-cursor' }
    const server = await prepare(environment)
    const ended = server.launch()
    const feed = await eventually(() => Feed.of(server).catch(() => null), 'the server answers')
    const body = [{ value: 1 }, { value: 1 }, { value: 2 }, { value: 3, revision: 1 }].map(({ value, revision = 0 }) => ({
      at: BEGIN,
      readings: { COD: value },
      revision
    }))
    await eventually(() => feed.sends(body), 'the readings are taken')
    expect(await ended).not.toBe(0)
    environment['QUANTRAC_FAULT_POINT'] = ''
    await server.start()
    const line = await eventually(async () => {
      const [found] = await feed.ledger()
      return found?.['received'] === 4 && found['open'] === 0 && found
    }, 'the ledger has settled them')
    expect(line).toMatchObject({ stored: 1, duplicate: 1, conflicting: 1, replaced: 1, refused: 0 })
  })

  const { process: victim } = influx
  if (victim) {
    it('starts without it, acknowledges, says what is wrong, and drains when it is there', async () => {
      const environment = await settings()
      const server = await prepare(environment)
      await victim.stop('SIGKILL')
      try {
        await server.start()
        const feed = await Feed.of(server)
        await feed.post([1, 2, 3])
        expect(await feed.newest()).toBe(3)
        const answer = await feed.readings()
        expect([answer.status, answer.json()['code']]).toEqual([503, 'QT_INFLUX_UNREACHABLE'])
        const ready = await server.get('/health/ready')
        expect(ready.status).toBe(200)
        expect(ready.text).toContain('QT_INFLUX_UNREACHABLE')
        await victim.start()
        await feed.sees([1, 2, 3])
        await eventually(async () => !(await server.get('/health/ready')).text.includes('QT_INFLUX'), 'no more complaint')
      } finally {
        await victim.stop('SIGKILL')
        await victim.start()
      }
    })
  }
})

/** One station's readings through the HTTP side. */
class Feed {
  readonly #server: TestServer
  readonly #ingest: string
  readonly #reader: string

  private constructor(server: TestServer, ingest: string, reader: string) {
    this.#server = server
    this.#ingest = ingest
    this.#reader = reader
  }

  static async of(server: TestServer): Promise<Feed> {
    const ingest = await server.ops('token', 'add', 'feed', '--role', 'ingest')
    return new Feed(server, ingest, await server.ops('token', 'add', 'eye', '--role', 'reader'))
  }

  /** Value n at minute n. */
  async post(values: readonly number[], begin = BEGIN): Promise<void> {
    const body = JSON.stringify(values.map(value => ({ at: begin + value * 60_000, readings: { COD: value } })))
    const { status } = await this.#server.request('POST', `/api/v1/readings/${STATION}`, { token: this.#ingest, body })
    expect(status).toBe(202)
  }

  /** False where the server is not there to answer. */
  async sends(message: object): Promise<boolean> {
    const options = { token: this.#ingest, body: JSON.stringify(message) }
    const answer = await this.#server.request('POST', `/api/v1/readings/${STATION}`, options).catch(() => null)
    return answer?.status === 202
  }

  async ledger(): Promise<Record<string, unknown>[]> {
    return (await this.#server.get(`/api/v1/ledger?station=${STATION}`, this.#reader)).json().items
  }

  readings() {
    return this.#server.get(`/api/v1/series/${STATION}/COD/readings`, this.#reader)
  }

  async sees(values: readonly number[]): Promise<void> {
    const seen = async () => {
      const answer = await this.readings()
      return answer.status === 200 && answer.json().items.map(item => item['value'])
    }
    await eventually(async () => JSON.stringify(await seen()) === JSON.stringify(values), `the readings ${values.join(' ')}`, 20_000)
  }

  async newest(): Promise<unknown> {
    const answer = await this.#server.get(`/api/v1/stations/${STATION}/latest`, this.#reader)
    return answer.json().items.find(item => item['parameter'] === 'COD')?.['value']
  }
}

/** The rows of one Flux question, as CSV has them: texts by column. */
async function asked({ url, org }: { url: string; org: string }, token: string, flux: string): Promise<Record<string, string>[]> {
  const headers = { authorization: `Token ${token}`, 'content-type': 'application/vnd.flux', accept: 'application/csv' }
  const answer = await fetch(`${url}/api/v2/query?org=${encodeURIComponent(org)}`, { method: 'POST', headers, body: flux })
  const [names = [], ...rows] = (await answer.text())
    .split('\r\n')
    .filter(line => line !== '')
    .map(line => line.split(','))
  return rows.map(row => Object.fromEntries(row.map((text, n) => [names[n] ?? '', text])))
}
