import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { formatInstant, HOUR } from '#libs/model'
import { checksumOf } from './contract.js'
import { Faults } from './faults.js'
import { Warehouse, type WarehouseOptions } from './warehouse.js'

let requests = 0
const END = Date.UTC(2026, 10, 24, 3)
const CLIENT = { id: 'quantrac', secret: 's3cret' }
let dir: string
let warehouse: Warehouse
const options = (more: Partial<WarehouseOptions> = {}): WarehouseOptions => ({
  ...{ dataDir: dir, host: '127.0.0.1', port: 0, adminPort: 0, client: CLIENT, faults: Faults.parse({}), maxItems: 10, maxBytes: 20_000 },
  ...more
})
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quantrac-warehouse-'))
  warehouse = await Warehouse.open(options())
})
afterEach(async () => {
  await warehouse.close()
  await rm(dir, { recursive: true })
})

/** An item by the page of the contract. */
function item(differences: { station?: string; end?: number; revision?: number; mean?: number } = {}): Record<string, unknown> {
  const { station = 'AG-017', end = END, revision = 0, mean = 82.5 } = differences
  const figures = {
    ...{ station, parameter: 'COD', period: 'hour' as const, start: end - HOUR, end, revision, algorithm: 1, unit: 'mg/L' },
    ...{ received: 12, count: 12, expected: 12, completeness: 1, validShare: 1, sufficient: true },
    ...{ mean, min: 80, minAt: end - HOUR / 2, max: 85, maxAt: end, sum: null, p95: 84, stddev: 1.5, worstFlag: 1, exceedanceMinutes: 0 }
  }
  const instants = {
    start: formatInstant(end - HOUR),
    end: formatInstant(end),
    minAt: formatInstant(end - HOUR / 2),
    maxAt: formatInstant(end)
  }
  return { ...figures, ...instants, key: `${station}/COD/hour/${end}/${revision}`, checksum: checksumOf(figures) }
}

const basic = ({ id, secret } = CLIENT) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
const askToken = (authorization = basic(), grant = 'client_credentials') =>
  fetch(`${warehouse.url}/oauth/token`, { method: 'POST', headers: { authorization }, body: new URLSearchParams({ grant_type: grant }) })
async function bearer(): Promise<string> {
  const { access_token } = (await (await askToken()).json()) as { access_token: string }
  return `Bearer ${access_token}`
}
interface Sent {
  readonly headers?: Record<string, string>
  readonly body: string | Buffer
}
const post = async ({ headers, body }: Sent) =>
  fetch(`${warehouse.url}/v1/aggregates`, {
    method: 'POST',
    headers: { authorization: await bearer(), 'idempotency-key': String(++requests), ...headers },
    body
  })
const send = async (items: readonly object[]) => {
  const answer = (await (await post({ body: JSON.stringify({ items }) })).json()) as { items: Record<string, unknown>[] }
  return answer.items.map(({ key: _, ...said }) => said)
}
const admin = (path: string, method = 'GET', body?: object) =>
  fetch(`${warehouse.adminUrl}${path}`, { method, ...(body ? { body: JSON.stringify(body) } : {}) })
const digests = async (query: string) => fetch(`${warehouse.url}/v1/digests?${query}`, { headers: { authorization: await bearer() } })

describe('the contract', () => {
  it('gives tokens for the client’s secret alone', async () => {
    expect(await (await askToken()).json()).toMatchObject({ token_type: 'Bearer', expires_in: 3_600 })
    expect((await askToken(basic({ ...CLIENT, secret: 'other' }))).status).toBe(401)
    expect((await askToken('Basic !')).status).toBe(401)
    expect((await askToken(basic(), 'password')).status).toBe(400)
  })

  it.each(['', 'Bearer x', basic()])('lets nobody in with %p', async authorization => {
    const response = await post({ headers: { authorization }, body: '{}' })
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, expect.stringContaining('Bearer')])
  })

  it('answers each item', async () => {
    const held = item({ revision: 2 })
    expect(await send([held])).toEqual([{ outcome: 'accepted' }])
    const others = [held, item({ revision: 1 }), item({ revision: 3 }), item({ revision: 3, mean: 1 })]
    expect(await send(others)).toEqual([
      { outcome: 'known', revision: 2 },
      { outcome: 'known', revision: 2 },
      { outcome: 'accepted' },
      { outcome: 'rejected', reason: expect.stringContaining('other figures') }
    ])
  })

  it.each([
    ['of another shape', { mean: 'high' }, 'mean'],
    ['without a zone', { end: '2026-11-24T10:00:00' }, 'end'],
    ['with a field too many', { colour: 'red' }, 'colour'],
    ['whose key is another', { key: 'x' }, 'key'],
    ['whose figures are not those of the checksum', { mean: 82.6 }, 'checksum']
  ])('rejects an item %s, and not the one beside it', async (_name, wrong, reason) => {
    expect(await send([{ ...item(), ...wrong }, item({ station: 'B1' })])).toEqual([
      { outcome: 'rejected', reason: expect.stringContaining(reason) },
      { outcome: 'accepted' }
    ])
  })

  it.each([
    ['no JSON', 400, { body: '{' }],
    ['no batch', 400, { body: '{"items":[]}' }],
    ['items without a key', 400, { body: '{"items":[{}]}' }],
    ['too many items', 413, { body: JSON.stringify({ items: Array.from({ length: 11 }, (_, n) => ({ key: String(n) })) }) }],
    ['too many bytes', 413, { body: ' '.repeat(20_001) }],
    ['too many bytes once unpacked', 413, { body: gzipSync(' '.repeat(20_001)), headers: { 'content-encoding': 'gzip' } }],
    ['no gzip', 400, { body: '{}', headers: { 'content-encoding': 'gzip' } }],
    ['another packing', 415, { body: '{}', headers: { 'content-encoding': 'br' } }]
  ])('refuses a request with %s', async (_name, status, sent: Sent) => {
    const response = await post(sent)
    expect([response.status, response.headers.get('content-type')]).toEqual([status, 'application/problem+json'])
  })

  it('takes packed requests and packs its answers', async () => {
    const items = Array.from({ length: 10 }, (_, n) => ({ ...item(), key: `${n}${'x'.repeat(150)}` }))
    const body = gzipSync(JSON.stringify({ items }))
    const response = await post({ body, headers: { 'content-encoding': 'gzip', 'accept-encoding': 'gzip' } })
    expect(response.headers.get('content-encoding')).toBe('gzip')
    expect((await response.json()) as object).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ outcome: 'rejected' })])
    })
  })

  it('tells digests a page at a time', async () => {
    await send(['A1', 'A2', 'A3'].map(station => item({ station })))
    const span = `period=hour&from=${encodeURIComponent(formatInstant(END - 1))}&to=${encodeURIComponent(formatInstant(END))}&limit=2`
    const first = (await (await digests(span)).json()) as { items: object[]; next: string }
    expect(first.items).toEqual(
      ['A1', 'A2'].map(station => ({ station, period: 'hour', date: '2026-11-24', count: 1, checksum: item({ station })['checksum'] }))
    )
    const second = await (await digests(`${span}&after=${first.next}`)).json()
    expect(second).toEqual({ items: [expect.objectContaining({ station: 'A3' })], next: null })
    expect((await digests('period=week')).status).toBe(400)
  })

  it('has nothing else', async () => {
    expect((await fetch(`${warehouse.url}/v2`, { headers: { authorization: await bearer() } })).status).toBe(404)
  })
})

describe('behind the stage', () => {
  it('dumps rows page by page, in one order', async () => {
    await send([3, 1, 2].map(n => item({ end: END + n * HOUR })))
    const lines = async (query: string) =>
      (await (await admin(`/rows${query}`)).text()).split('\n').flatMap(line => (line ? [(JSON.parse(line) as { end: number }).end] : []))
    const ends = [1, 2, 3].map(n => END + n * HOUR)
    expect(await lines('')).toEqual(ends)
    expect(await lines('?limit=2')).toEqual(ends.slice(0, 2))
    expect(await lines(`?after=hour/${ends[1]}/AG-017/COD`)).toEqual(ends.slice(2))
  })

  it('counts, and notices a key that comes with other items', async () => {
    const headers = { 'idempotency-key': 'k' }
    for (const one of [item(), item(), item({ revision: 1 })]) await post({ headers, body: JSON.stringify({ items: [one] }) })
    expect(await (await admin('/stats')).json()).toMatchObject({
      batches: 3,
      repeatedBatches: 1,
      violations: 1,
      accepted: 2,
      known: 1,
      rows: 1
    })
  })

  it('changes faults while it runs, and refuses what is none', async () => {
    expect(await (await admin('/faults', 'PATCH', { busy: 1, retryAfterSeconds: 7 })).json()).toMatchObject({ busy: 1, error500: 0 })
    const response = await post({ body: '{}' })
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '7'])
    expect((await admin('/faults', 'PATCH', { busy: 2 })).status).toBe(400)
    expect((await admin('/faults', 'PUT', { bad: 1 })).status).toBe(400)
    expect(await (await admin('/faults', 'PUT', {})).json()).toEqual(Faults.parse({}))
    expect((await admin('/nothing')).status).toBe(404)
  })

  it('leaves items out of its answer, with and without having stored them', async () => {
    const stored = async () => ((await (await admin('/stats')).json()) as { rows: number }).rows
    await admin('/faults', 'PUT', { skip: 1 })
    expect([await send([item()]), await stored()]).toEqual([[], 0])
    await admin('/faults', 'PUT', { omit: 1 })
    expect([await send([item()]), await stored()]).toEqual([[], 1])
  })

  it('expires every token at once', async () => {
    const authorization = await bearer()
    await admin('/tokens/expire', 'POST')
    expect((await post({ headers: { authorization }, body: '{}' })).status).toBe(401)
  })

  it('vanishes, and comes back to the same place with what it had', async () => {
    await send([item()])
    await admin('/vanish', 'POST', { ms: 1_000 })
    await expect(askToken()).rejects.toThrow()
    await comesBack()
    expect(await send([item()])).toEqual([{ outcome: 'known', revision: 0 }])
  })

  it('has what it had after a restart', async () => {
    await send([item()])
    await warehouse.close()
    warehouse = await Warehouse.open(options())
    expect(await send([item()])).toEqual([{ outcome: 'known', revision: 0 }])
  })
})

async function comesBack(): Promise<void> {
  while (!(await askToken().catch(() => null))) await new Promise(resolve => setTimeout(resolve, 5))
}
