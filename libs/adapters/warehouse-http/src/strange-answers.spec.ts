import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from '@jest/globals'
import { HOUR } from '#libs/model'
import { type Aggregate, warehouseKey } from '#libs/pipeline'
import { plainAggregate } from '#libs/testkit'
import { keysIn, type Seen, StubWarehouse, TOKEN } from '../test/stub-warehouse.js'
import { HttpWarehouse } from './http-warehouse.js'

const never = new AbortController().signal
const SECRET = 'quite-secret'
const hours = (count: number): Aggregate[] => Array.from({ length: count }, (_, n) => plainAggregate({ end: (n + 1_000) * HOUR }))
const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function open(answer: (seen: Seen, response: ServerResponse) => void, token?: object) {
  const stub = await StubWarehouse.start(answer, token)
  const client = { tokenUrl: `${stub.url}/token`, id: 'quantrac', secret: SECRET }
  const sink = new HttpWarehouse({ url: stub.url, client, timeoutMs: 5_000 })
  closers.push(
    () => stub.stop(),
    () => sink.close()
  )
  return { stub, sink, send: (items: readonly Aggregate[] = hours(1)) => sink.send(items, never) }
}

const say = (response: ServerResponse, status: number, body: unknown, headers = {}) =>
  response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body))
const acceptAll = (seen: Seen, response: ServerResponse) =>
  say(response, 200, { items: keysIn(seen).map(key => ({ key, outcome: 'accepted' })) })
const retry = (reason: unknown) => ({ outcome: 'retry', reason })

describe('what is sent', () => {
  it('is one JSON object of all fields, packed, with a token and a key of its items', async () => {
    const { stub, send } = await open(acceptAll)
    const items = hours(20).map((item, n) => (n === 0 ? { ...item, mean: null, min: null } : item))
    await send(items)
    await send(items)
    const [first, second] = stub.batches as [Seen, Seen]
    expect(first.path).toBe('/v1/aggregates')
    expect(first.headers).toMatchObject({
      authorization: `Bearer ${TOKEN.access_token}`,
      'content-encoding': 'gzip',
      'accept-encoding': 'gzip'
    })
    expect(second.headers['idempotency-key']).toBe(first.headers['idempotency-key'])
    expect(JSON.parse(first.body)).toMatchObject({
      items: [
        {
          key: warehouseKey(items[0]!),
          start: '1970-02-11T22:00:00+07:00',
          end: '1970-02-11T23:00:00+07:00',
          mean: null,
          min: null,
          minAt: null,
          max: 85,
          maxAt: '1970-02-11T23:00:00+07:00',
          checksum: expect.stringMatching(/^[0-9a-f]{16}$/)
        },
        ...items.slice(1).map(item => ({ key: warehouseKey(item) }))
      ]
    })
    await send(hours(19))
    expect(stub.batches[2]?.headers['idempotency-key']).not.toBe(first.headers['idempotency-key'])
  })

  it('names the client by HTTP Basic, both parts form-encoded', async () => {
    const stub = await StubWarehouse.start(acceptAll)
    const sink = new HttpWarehouse({
      url: `${stub.url}/`,
      client: { tokenUrl: `${stub.url}/token`, id: 'a b', secret: 'c:d%', scope: 'write' }
    })
    closers.push(
      () => stub.stop(),
      () => sink.close()
    )
    await sink.send(hours(1), never)
    const [asked] = stub.seen
    expect(asked?.headers.authorization).toBe(`Basic ${Buffer.from('a+b:c%3Ad%25').toString('base64')}`)
    expect(asked?.body).toBe('grant_type=client_credentials&scope=write')
    expect(stub.batches[0]?.path).toBe('/v1/aggregates')
  })
})

describe('answers to a batch', () => {
  it('may come packed', async () => {
    const { send } = await open((seen, response) => {
      const body = JSON.stringify({ items: keysIn(seen).map(key => ({ key, outcome: 'accepted' })) })
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(body))
    })
    expect(await send()).toEqual({ outcome: 'answered', items: [{ outcome: 'accepted' }] })
  })

  it('may come in any order, with items that nobody sent, and in words of their own', async () => {
    const { send } = await open((seen, response) => {
      const [a, b, c, d] = keysIn(seen)
      const items = [
        { key: d, outcome: 'maybe' },
        { key: c, outcome: 'known', revision: 'seven' },
        null,
        { key: 'other', outcome: 'accepted' },
        { key: b, outcome: 'rejected', reason: `  no\nsuch ${'x'.repeat(900)}` },
        { key: a, outcome: 'accepted' }
      ]
      say(response, 200, { items })
    })
    expect(await send(hours(4))).toEqual({
      outcome: 'answered',
      items: [
        { outcome: 'accepted' },
        { outcome: 'rejected', reason: expect.stringMatching(/^no such x{192}$/) },
        { outcome: 'known', revision: 0 },
        { outcome: 'retry', reason: expect.stringContaining('maybe') }
      ]
    })
  })

  it.each([
    ['nothing', ''],
    ['no JSON', '<html>'],
    ['null', 'null'],
    ['a list', '[]'],
    ['an object without items', '{}']
  ])('that are %s are none', async (_name, body) => {
    const { send } = await open((_seen, response) => say(response, 200, body))
    expect(await send()).toEqual(retry('HTTP 200 with an answer that is none of the contract'))
  })

  it('that claim to be packed and are not are none', async () => {
    const { send } = await open((_seen, response) => say(response, 200, 'plain', { 'content-encoding': 'gzip' }))
    expect(await send()).toEqual(retry('an answer that claims to be gzip is none'))
  })

  it.each([
    [
      'packed',
      (response: ServerResponse) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(17 * 2 ** 20)))
    ],
    ['plain', (response: ServerResponse) => response.end(Buffer.alloc(17 * 2 ** 20))]
  ])('beyond any measure are cut off, %s', async (_name, flood) => {
    const { send } = await open((_seen, response) => flood(response))
    expect(await send()).toEqual(retry('an answer of more than 16 MiB'))
  })

  it.each([301, 302, 307, 308])('that redirect (%i) are not followed', async status => {
    const elsewhere = await open(acceptAll)
    const { send } = await open((_seen, response) => say(response, status, '', { location: elsewhere.stub.url }))
    expect(await send()).toEqual(retry(`HTTP ${status}: redirects are not followed; enter the final address`))
    expect(elsewhere.stub.seen).toEqual([])
  })

  it.each([403, 404, 405, 409, 415, 500, 502, 504])('of status %i give nothing up', async status => {
    const { send } = await open((_seen, response) => say(response, status, 'no'))
    expect(await send(hours(3))).toEqual(retry(`HTTP ${status}: no`))
  })

  it('that say 401 to a fresh token are asked once more and no further', async () => {
    const { stub, send } = await open((_seen, response) => say(response, 401, ''))
    expect(await send()).toEqual(retry('HTTP 401'))
    expect(stub.batches).toHaveLength(2)
  })

  it('that say back what they were told do not bring a secret or a token into a reason', async () => {
    const { send } = await open((seen, response) => say(response, 500, `${seen.headers.authorization} ${SECRET}`))
    expect(await send()).toEqual(retry('HTTP 500: Bearer [secret] [secret]'))
  })
})

describe('a batch that the warehouse cannot read', () => {
  const refusing = (bad: (key: string) => boolean, status = 400) =>
    open((seen, response) => (keysIn(seen).some(bad) ? say(response, status, 'schema') : acceptAll(seen, response)))

  it.each([400, 422, 413])('because of one item (%i) costs that item alone', async status => {
    const items = hours(100)
    const bad = warehouseKey(items[63]!)
    const { stub, send } = await refusing(key => key === bad, status)
    expect(await send(items)).toEqual({
      outcome: 'answered',
      items: items.map((_, n) => (n === 63 ? { outcome: 'rejected', reason: `HTTP ${status}: schema` } : { outcome: 'accepted' }))
    })
    expect(stub.batches.length).toBeLessThan(120)
  })

  it('whatever is in it gives nothing up', async () => {
    const { stub, send } = await refusing(() => true)
    expect(await send(hours(100))).toEqual(retry('HTTP 400: schema'))
    expect(stub.batches.length).toBeLessThan(20)
  })

  it('keeps the answers before a trouble, and has the rest sent again', async () => {
    const items = hours(8)
    let count = 0
    const { send } = await open((seen, response) => {
      if (keysIn(seen).length > 2) say(response, 413, '')
      else if (++count > 2) say(response, 503, '', { 'retry-after': '60' })
      else acceptAll(seen, response)
    })
    const before = Date.now()
    const answer = await send(items)
    expect(answer).toMatchObject({
      outcome: 'answered',
      items: items.map((_, n) => (n < 4 ? { outcome: 'accepted' } : { outcome: 'retry', reason: 'HTTP 503' }))
    })
    expect(answer.notBefore).toBeGreaterThanOrEqual(before + 60_000)
  })
})

it('a kept connection that ends when it is used again costs nothing', async () => {
  const used = new WeakSet<object>()
  const { stub, send } = await open((seen, response) => {
    const { socket } = response
    if (!socket || used.has(socket)) return void socket?.destroy()
    used.add(socket)
    acceptAll(seen, response)
  })
  for (let n = 0; n < 3; n += 1) expect(await send()).toMatchObject({ outcome: 'answered' })
  expect(stub.batches).toHaveLength(5)
})

describe('token answers', () => {
  it.each([
    ['without a token', { token_type: 'Bearer' }],
    ['of another kind', { ...TOKEN, token_type: 'mac' }],
    ['that would break a header', { ...TOKEN, access_token: 'a\r\nb' }],
    ['without any life', { ...TOKEN, expires_in: 0 }]
  ])('%s are none', async (_name, token) => {
    const { stub, send } = await open(acceptAll, token)
    expect(await send()).toEqual(retry('token: the answer is none of RFC 6749, 5.1'))
    expect(stub.batches).toEqual([])
  })

  it('need not say how long a token lives', async () => {
    const { send } = await open(acceptAll, { access_token: 'x', token_type: 'bearer' })
    expect(await send()).toMatchObject({ outcome: 'answered' })
  })
})

describe('digests', () => {
  const query = { period: 'hour', from: 0, to: HOUR } as const
  const entry = { station: 'A1', period: 'hour', date: '2026-11-24', count: 3, checksum: '00000000000000ff' }

  it('are read page by page', async () => {
    const { stub, sink } = await open((seen, response) => {
      const more = !seen.path.includes('after=')
      say(response, 200, { items: [{ ...entry, station: more ? 'A1' : 'A2' }], next: more ? 'c/1' : null })
    })
    expect(await sink.digest(query, never)).toEqual([entry, { ...entry, station: 'A2' }])
    const [first, second] = stub.batches.map(({ path }) => Object.fromEntries(new URL(path, stub.url).searchParams))
    expect(first).toEqual({ period: 'hour', from: '1970-01-01T07:00:00+07:00', to: '1970-01-01T08:00:00+07:00' })
    expect(second).toEqual({ ...first, after: 'c/1' })
  })

  it.each([
    ['no list', { items: 3, next: null }],
    ['no end', { items: [] }],
    ['a wrong checksum', { items: [{ ...entry, checksum: 'FF' }], next: null }],
    ['a wrong date', { items: [{ ...entry, date: '24/11/2026' }], next: null }],
    ['an entry that is none', { items: [null], next: null }]
  ])('with %s are none', async (_name, body) => {
    const { sink } = await open((_seen, response) => say(response, 200, body))
    await expect(sink.digest(query, never)).rejects.toMatchObject({ code: 'QT_WAREHOUSE_DIGEST' })
  })
})
