import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { MqttClient } from 'mqtt'
import { eventually, TestServer } from './server.js'

const STATION = 'AG-KCN-BINHHOA-01'
const TOPIC = `quantrac/v1/${STATION}/readings`

type Line = Record<string, number> & { readonly refusedBy: Record<string, number>; readonly byRoad: Record<string, number> }

/** The ledger of the started program: each kind of fault is seen as its own line, and the columns balance whenever one looks. */
describe('the ledger', () => {
  let server: TestServer
  let reader: string
  let writer: string
  let logger: MqttClient

  beforeAll(async () => {
    server = await TestServer.start()
    reader = await server.ops('token', 'add', 'reader', '--role', 'reader')
    writer = await server.ops('token', 'add', 'feed', '--role', 'ingest')
    logger = await server.connect(STATION, await server.ops('station', 'secret', STATION))
  })
  afterAll(async () => {
    await logger.endAsync(true)
    await server.dispose()
  })

  const lines = async (query = ''): Promise<Line[]> => {
    const items = (await server.get(`/api/v1/ledger?station=${STATION}${query}`, reader)).json().items as unknown as Line[]
    for (const line of items) expectBalance(line)
    return items
  }
  const total = async (column: string): Promise<number> => (await lines()).reduce((sum, line) => sum + (line[column] ?? 0), 0)
  const publish = (payload: object | string) =>
    logger.publishAsync(TOPIC, typeof payload === 'string' ? payload : JSON.stringify(payload), { qos: 1 })
  const settled = (column: string, count: number) =>
    eventually(async () => (await total(column)) === count && (await total('open')) === 0, `${column} is ${count}`)

  it('counts what was received, stored and refused', async () => {
    const now = Date.now()
    await publish({ at: now - 60_000, readings: { COD: 41, pH: 7 } })
    await publish('{{{')
    const body = JSON.stringify({ at: now - 50_000, readings: { COD: 42, Gold: 1 } })
    expect((await server.request('POST', `/api/v1/readings/${STATION}`, { token: writer, body })).status).toBe(202)
    await settled('received', 5)
    expect([await total('stored'), await total('refused')]).toEqual([3, 2])
  })
})

function expectBalance(line: Line): void {
  const { received = 0, stored = 0, replaced = 0, duplicate = 0, conflicting = 0, setAside = 0, refused = 0, open = 0 } = line
  expect(received).toBe(stored + replaced + duplicate + conflicting + setAside + refused + open)
  expect(open).toBeGreaterThanOrEqual(0)
}
