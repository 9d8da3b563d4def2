import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { DAY } from '#libs/model'
import type { StoredReading } from '#libs/pipeline'
import { described, startInflux } from '#libs/test-servers'
import { batchesOf, histories, naiveJournal, plainReading } from '#libs/testkit'
import { freshBuckets } from '../test/buckets.js'
import type { Fault, FaultProxy } from '../test/fault-proxy.js'
import { faultProxy } from '../test/fault-proxy.js'
import { InfluxStore } from './store.js'

const found = await startInflux()

described(describe, { kind: 'influx', name: 'what became of readings, with a real InfluxDB', found }, server => {
  let proxy: FaultProxy
  let store: InfluxStore
  let bucket: string
  let token: string

  const openStore = (): Promise<InfluxStore> => InfluxStore.open({ url: proxy.url, org: server.org, bucket, token, timeoutMs: 2_000 })

  beforeEach(async () => {
    proxy = await faultProxy(server.url)
    ;({ bucket, token } = await freshBuckets(server))
    store = await openStore()
  })
  afterEach(async () => {
    await store.close()
    await proxy.close()
  })
  afterAll(() => server.dispose())

  const faults: fc.Arbitrary<Fault> = fc.constantFrom<Fault[]>(
    ...Array.from({ length: 12 }, (): Fault => ({ kind: 'pass' })),
    { kind: 'half' },
    { kind: 'half' },
    { kind: 'lost', status: 500 },
    { kind: 'lost', status: 500 },
    { kind: 'answer', status: 500 },
    { kind: 'cut', forwarded: true },
    { kind: 'cut', forwarded: false }
  )
  let stations = 0
  const history = fc
    .constant(null)
    .map(() => `S-${String(++stations).padStart(4, '0')}`)
    .chain(histories)

  /** As the consumer does: what follows the cursor, cut anew each time. A kill forgets what the process knew. */
  async function consume(
    records: readonly StoredReading[][],
    course: { cuts: readonly number[]; kills: readonly boolean[] }
  ): Promise<void> {
    const last = records.at(-1)?.[0]?.sequence ?? 0
    let position = (records[0]?.[0]?.sequence ?? 1) - 1
    for (let attempt = 0; position < last; attempt++) {
      const rest = records.filter(record => (record[0]?.sequence ?? 0) > position)
      const batch = rest.slice(0, course.cuts[attempt % course.cuts.length])
      const upTo = batch.at(-1)?.[0]?.sequence ?? position
      const done = await store.write(batch.flat(), upTo).then(
        () => true,
        () => false
      )
      if (done) position = upTo
      else if (course.kills[attempt % course.kills.length]) {
        await store.close()
        store = await openStore()
        position = await untilAnswered(() => store.cursor())
      }
    }
  }

  it('is decided once, whatever breaks, is killed and is cut anew', () =>
    fc.assert(
      fc.asyncProperty(
        history,
        fc.array(faults, { minLength: 10, maxLength: 60 }),
        fc.record({
          cuts: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 3, maxLength: 6 }),
          kills: fc.array(fc.constantFrom(true, true, true, false), { minLength: 2, maxLength: 5 })
        }),
        async (readings, script, course) => {
          const before = await store.cursor()
          const records = batchesOf(readings, 2).map((record, n) => record.map(reading => ({ ...reading, sequence: before + 1 + n })))
          const left = [...script]
          proxy.fault = () => left.shift() ?? { kind: 'pass' }
          await consume(records, course)
          proxy.fault = () => ({ kind: 'pass' })
          const { fates } = naiveJournal(records.flat())
          const places = records.flatMap(record => record.map(({ sequence }, item) => ({ sequence, item })))
          const expected = places.flatMap((place, n) => (fates[n] === 'stored' ? [] : [{ ...place, fate: fates[n] }]))
          expect(await store.fates(before, await store.cursor())).toEqual(expected)
        }
      ),
      { numRuns: 40 }
    ))

  it('tells of a reading that InfluxDB refused for good, also when the stop came right after it', async () => {
    await store.close()
    ;({ bucket, token } = await freshBuckets(server, { readings: 30 * DAY }))
    store = await openStore()
    const now = Date.now()
    const record = [plainReading({ at: now, sequence: 7 }), plainReading({ at: now - 40 * DAY, sequence: 7 })]
    let cursors = 0
    proxy.fault = path =>
      path.includes('/write') && path.includes('-context') && ++cursors === 4 ? { kind: 'cut', forwarded: false } : { kind: 'pass' }
    await expect(store.write(record, 7)).rejects.toMatchObject({ code: 'QT_INFLUX_UNREACHABLE' })
    await store.close()
    store = await openStore()
    expect(await store.cursor()).toBe(0)
    await store.write(record, 7)
    expect(await store.fates(0, 7)).toEqual([{ sequence: 7, item: 1, fate: 'setAside' }])
  })
})

async function untilAnswered<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    const answer = await ask().catch(() => undefined)
    if (answer !== undefined) return answer
  }
}
