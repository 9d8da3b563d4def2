import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { HOUR, SECOND } from '#libs/model'
import type { Aggregate } from '#libs/pipeline'
import { warehouseKey } from '#libs/pipeline'
import { RECEIVER_SECRET, WarehouseReceiver } from '#libs/test-servers'
import { newestOf, plainAggregate, sendAll, type TempDir, tempDir, textsOf } from '#libs/testkit'
import { toAggregate } from '../test/to-aggregate.js'
import { HttpWarehouse } from './http-warehouse.js'

const never = new AbortController().signal
const hours = (station: string, count: number): Aggregate[] =>
  Array.from({ length: count }, (_, n) => plainAggregate({ station, end: (n + 1_000) * HOUR, mean: 80 + n / 7 }))

let dir: TempDir
let receiver: WarehouseReceiver
let sink: HttpWarehouse
let stations = 0
let station: string

beforeAll(async () => {
  dir = await tempDir()
  receiver = await WarehouseReceiver.start(dir)
})
afterAll(async () => {
  await receiver.stop()
  await dir.remove()
})
beforeEach(() => {
  sink = new HttpWarehouse(receiver.settings())
  station = `T-${++stations}`
})
afterEach(async () => {
  await receiver.faults({})
  await sink.close()
})

const heldOf = async (code: string) => (await receiver.rows()).map(toAggregate).filter(row => row.station === code)
const retry = (reason: unknown, more = {}) => ({ outcome: 'retry', reason, ...more })

describe('a warehouse that misbehaves', () => {
  it.each([
    ['loses answers', { loseAnswer: 0.5 }],
    ['breaks connections while a request comes in', { cutRequest: 0.5 }],
    ['breaks them in the middle of an answer', { cutAnswer: 0.5 }],
    ['leaves items out of its answers', { omit: 0.3 }],
    ['answers with a page of HTML', { babble: 0.5 }],
    ['breaks down', { error500: 0.5 }],
    [
      'does all of it',
      { loseAnswer: 0.2, cutRequest: 0.1, cutAnswer: 0.2, omit: 0.1, babble: 0.1, error500: 0.1, busy: 0.1, throttle: 0.1 }
    ]
  ])('and %s has the highest revision of each in the end', async (_name, faults) => {
    const all = hours(station, 60).flatMap(item => [item, { ...item, revision: 1, mean: 9 }])
    await receiver.faults(faults)
    for (let from = 0; from < all.length; from += 20) await sendAll(sink, all.slice(from, from + 20))
    await receiver.faults({})
    expect(textsOf(await heldOf(station))).toEqual(textsOf(newestOf(all)))
  })

  it('never saw an Idempotency-Key with other items than before, and saw some again', async () => {
    const { violations, repeatedBatches } = await receiver.stats()
    expect(violations).toBe(0)
    expect(repeatedBatches).toBeGreaterThan(0)
  })

  it('and loses an answer is asked again, and says known', async () => {
    const items = hours(station, 3)
    await receiver.faults({ loseAnswer: 1 })
    expect(await sink.send(items, never)).toEqual(retry(expect.stringMatching(/socket hang up|ECONNRESET/)))
    await receiver.faults({})
    expect(await sink.send(items, never)).toEqual({ outcome: 'answered', items: items.map(() => ({ outcome: 'known', revision: 0 })) })
  })

  it('and leaves items out has those asked again and no others', async () => {
    const items = hours(station, 200)
    await receiver.faults({ omit: 0.5 })
    const answer = await sink.send(items, never)
    const said = answer.outcome === 'answered' ? answer.items.map(({ outcome }) => outcome) : []
    expect([...new Set(said)].sort()).toEqual(['accepted', 'retry'])
  })

  it.each([
    ['busy', 503],
    ['throttle', 429]
  ])('and answers %s is left alone for as long as it says', async (fault, status) => {
    const now = Date.UTC(2026, 10, 25)
    sink = new HttpWarehouse(receiver.settings(), { clock: () => now })
    await receiver.faults({ [fault]: 1, retryAfterSeconds: 90 })
    expect(await sink.send(hours(station, 1), never)).toEqual(
      retry(expect.stringContaining(`HTTP ${status}`), { notBefore: now + 90 * SECOND })
    )
  })

  it('and refuses a station says so for its items alone', async () => {
    await receiver.faults({ refuseStation: station })
    const [item, other] = [plainAggregate({ station }), plainAggregate({ station: `${station}-B` })]
    expect(await sink.send([item, other], never)).toEqual({
      outcome: 'answered',
      items: [{ outcome: 'rejected', reason: `station ${station} is unknown here` }, { outcome: 'accepted' }]
    })
  })

  it('and takes longer than it may is given up, by its time or by ours', async () => {
    await receiver.faults({ slowMs: 60_000 })
    const hasty = new HttpWarehouse(receiver.settings({ timeoutMs: 50 }))
    expect(await hasty.send(hours(station, 1), never)).toEqual(retry('no answer within 0.05 s'))
    await hasty.close()
    const stop = new AbortController()
    const sending = sink.send(hours(station, 1), stop.signal)
    stop.abort()
    expect(await sending).toEqual(retry('broken off'))
  })

  it('and vanishes is tried until it is back', async () => {
    await receiver.act('/vanish', { ms: 300 })
    expect(await sink.send(hours(station, 1), never)).toEqual(retry(expect.stringContaining('ECONNREFUSED')))
    await sendAll(sink, hours(station, 1), 10_000)
    expect(await heldOf(station)).toHaveLength(1)
  })

  it('and is killed has what it had said, and takes the rest', async () => {
    const items = hours(station, 1_500)
    const first = await sink.send(items.slice(0, 500), never)
    const cut = sink.send(items.slice(500), never)
    await receiver.kill()
    const said = [first, await cut].flatMap(answer => (answer.outcome === 'answered' ? answer.items : []))
    const accepted = items.filter((_, n) => said[n]?.outcome === 'accepted').map(warehouseKey)
    expect((await heldOf(station)).map(warehouseKey)).toEqual(expect.arrayContaining(accepted))
    await sendAll(sink, items, 10_000)
    expect(textsOf(await heldOf(station))).toEqual(textsOf(items))
  })
})

describe('tokens', () => {
  const issued = async () => (await receiver.stats())['tokens'] ?? 0

  it('are asked for once, and again when they are refused', async () => {
    const before = await issued()
    for (const item of hours(station, 3)) await sink.send([item], never)
    expect(await issued()).toBe(before + 1)
    await receiver.act('/tokens/expire')
    expect(await sink.send(hours(station, 1), never)).toMatchObject({ outcome: 'answered' })
    expect(await issued()).toBe(before + 2)
  })

  it('are renewed before they end', async () => {
    let now = Date.UTC(2026, 10, 25)
    sink = new HttpWarehouse(receiver.settings(), { clock: () => now })
    await receiver.faults({ tokenSeconds: 3_600 })
    const before = await issued()
    for (const seconds of [0, 3_539, 1]) {
      now += seconds * SECOND
      await sink.send(hours(station, 1), never)
    }
    expect(await issued()).toBe(before + 2)
  })

  it('are not had with another secret: a retry that tells no secret', async () => {
    const { client } = receiver.settings()
    const wrong = new HttpWarehouse(receiver.settings({ client: { ...client, secret: `${RECEIVER_SECRET}x` } }))
    const answer = await wrong.send(hours(station, 1), never)
    await wrong.close()
    expect(answer).toEqual(retry(expect.stringContaining('token: HTTP 401')))
    expect(JSON.stringify(answer)).not.toContain(RECEIVER_SECRET)
  })

  it('are taken for digests too, and a warehouse that cannot be asked is an error with a code', async () => {
    const query = { period: 'hour', from: 0, to: HOUR } as const
    await receiver.act('/tokens/expire')
    expect(await sink.digest(query, never)).toEqual([])
    await receiver.faults({ error500: 1 })
    await expect(sink.digest(query, never)).rejects.toMatchObject({
      code: 'QT_WAREHOUSE_DIGEST',
      message: expect.stringContaining('HTTP 500')
    })
  })
})

describe('the limits of a request', () => {
  let narrow: WarehouseReceiver
  let narrowDir: TempDir
  beforeAll(async () => {
    narrowDir = await tempDir()
    narrow = await WarehouseReceiver.start(narrowDir, ['--max-items', '30', '--max-bytes', '100000'])
  })
  afterAll(async () => {
    await narrow.stop()
    await narrowDir.remove()
  })

  it('are kept: what does not fit goes in several requests', async () => {
    const kept = new HttpWarehouse(narrow.settings({ maxItems: 30, maxBytes: 5_000 }))
    expect(kept.limit).toBe(30)
    expect(await kept.send(hours(station, 70), never)).toMatchObject({ outcome: 'answered' })
    const { batches, accepted } = await narrow.stats()
    expect(accepted).toBe(70)
    expect(batches).toBeGreaterThanOrEqual(70 / 12)
    expect(batches).toBeLessThanOrEqual(70 / 7)
    await kept.close()
  })

  it('that the warehouse alone knows are found by halving, and kept from then on', async () => {
    const wide = new HttpWarehouse(narrow.settings())
    expect(await wide.send(hours(station, 100), never)).toMatchObject({ outcome: 'answered' })
    expect(wide.limit).toBe(25)
    expect((await narrow.rows()).filter(row => row['station'] === station)).toHaveLength(100)
    await wide.close()
  })
})
