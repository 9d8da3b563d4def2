import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { DAY, HOUR, MINUTE, SECOND } from '#libs/model'
import type { StoredReading, WriteOutcome } from '#libs/pipeline'
import { described, startInflux } from '#libs/test-servers'
import { BEGIN, batchesOf, histories, naiveJournal, naiveRange, plainReading } from '#libs/testkit'
import { freshBuckets } from '../test/buckets.js'
import type { Fault, FaultProxy } from '../test/fault-proxy.js'
import { faultProxy } from '../test/fault-proxy.js'
import { InfluxStore } from './store.js'

const ALL = { from: 0, to: Number.MAX_SAFE_INTEGER, limit: Number.MAX_SAFE_INTEGER }
const NOTHING = { stored: 0, replaced: 0, repeated: 0, conflicts: 0, setAside: 0 }
const FATES = ['stored', 'replaced', 'repeated', 'conflicts', 'setAside'] as const
const TIMEOUT_MS = 2_000

const found = await startInflux()

described(describe, { kind: 'influx', name: 'InfluxStore in trouble with a real InfluxDB', found }, server => {
  let proxy: FaultProxy
  let store: InfluxStore
  let bucket: string
  let token: string

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

  const openStore = (): Promise<InfluxStore> => InfluxStore.open({ url: proxy.url, org: server.org, bucket, token, timeoutMs: TIMEOUT_MS })

  /** Each request meets the next fault; after the last one all pass. */
  const misbehave = (...faults: Fault[]): void => {
    const left = [...faults]
    proxy.fault = () => left.shift() ?? { kind: 'pass' }
  }

  const writeUntilDone = async (batch: readonly StoredReading[], upTo: number): Promise<WriteOutcome> => {
    for (let attempt = 0; attempt < 200; attempt++) {
      try {
        return await store.write(batch, upTo)
      } catch {
        // as the runner does: the same again
      }
    }
    throw new Error('200 attempts were not enough')
  }

  const answerOf = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'done',
      (error: unknown) => String((error as { code?: unknown }).code)
    )
  const first = plainReading({ sequence: 1 })

  describe('one clear error', () => {
    it.each<[string, Fault, string]>([
      ['nobody listens to its answer', { kind: 'cut', forwarded: false }, 'QT_INFLUX_UNREACHABLE'],
      ['a wrong token', { kind: 'answer', status: 401 }, 'QT_INFLUX_UNAUTHORIZED'],
      ['a token that may not', { kind: 'answer', status: 403 }, 'QT_INFLUX_UNAUTHORIZED'],
      ['no such bucket', { kind: 'answer', status: 404 }, 'QT_INFLUX_NO_BUCKET'],
      ['busy', { kind: 'answer', status: 503 }, 'QT_INFLUX_BUSY'],
      ['a fault within', { kind: 'answer', status: 500 }, 'QT_INFLUX_FAILED'],
      ['a proxy that cannot reach it', { kind: 'answer', status: 502 }, 'QT_INFLUX_FAILED'],
      ['a 400 that is not about lines', { kind: 'answer', status: 400, body: '<html>Bad Request</html>' }, 'QT_INFLUX_FAILED'],
      ['a clock an hour ahead', { kind: 'clock', offsetMs: HOUR }, 'QT_INFLUX_CLOCK'],
      ['a clock ten minutes behind', { kind: 'clock', offsetMs: -10 * MINUTE }, 'QT_INFLUX_CLOCK'],
      ['silence', { kind: 'silent' }, 'QT_INFLUX_SLOW']
    ])('%s', async (_, fault, code) => {
      proxy.fault = () => fault
      expect(await answerOf(store.write([first], 1))).toBe(code)
      proxy.fault = () => ({ kind: 'pass' })
      expect(await store.write([first], 1)).toEqual({ ...NOTHING, stored: 1 })
      expect([await store.cursor(), await store.range({ ...first, ...ALL })]).toMatchObject([1, [{ at: first.at }]])
    })

    it('down, then up again', async () => {
      await proxy.down()
      expect(await answerOf(store.write([first], 1))).toBe('QT_INFLUX_UNREACHABLE')
      expect(await answerOf(store.latest())).toBe('QT_INFLUX_UNREACHABLE')
      await proxy.up()
      expect(await store.write([first], 1)).toEqual({ ...NOTHING, stored: 1 })
    })

    it('leaves a server alone that asks for it', async () => {
      misbehave({ kind: 'answer', status: 429, headers: { 'retry-after': '1' } })
      expect(await answerOf(store.write([first], 1))).toBe('QT_INFLUX_BUSY')
      const asked = proxy.requests.length
      expect(await answerOf(store.write([first], 1))).toBe('QT_INFLUX_BUSY')
      expect(proxy.requests).toHaveLength(asked)
      await new Promise(resolve => setTimeout(resolve, 1_050))
      expect(await store.write([first], 1)).toEqual({ ...NOTHING, stored: 1 })
    })

    it('names what to do for a bucket that is not there, and never the token', async () => {
      const other = await InfluxStore.open({ url: proxy.url, org: server.org, bucket: 'nowhere', token })
      const error = await other.write([first], 1).catch((cause: unknown) => cause)
      expect(error).toMatchObject({ code: 'QT_INFLUX_NO_BUCKET', message: expect.stringContaining('influx setup') })
      expect(String(error)).not.toContain(token)
      await other.close()
    })
  })

  const faults: fc.Arbitrary<Fault> = fc.oneof(
    fc.constantFrom<Fault[]>({ kind: 'pass' }, { kind: 'pass' }, { kind: 'pass' }, { kind: 'half' }),
    fc.constantFrom<Fault[]>({ kind: 'lost', status: 500 }, { kind: 'lost', status: 503 }, { kind: 'lost', status: 401 }),
    fc.constantFrom<Fault[]>({ kind: 'answer', status: 500 }, { kind: 'answer', status: 429 }, { kind: 'clock', offsetMs: DAY }),
    fc.boolean().map((forwarded): Fault => ({ kind: 'cut', forwarded }))
  )

  let stations = 0
  it('whatever goes wrong in whatever order: no hole, no double, exact counts, each conflict once', () =>
    fc.assert(
      fc.asyncProperty(
        fc
          .constant(null)
          .map(() => `S-${String(++stations).padStart(4, '0')}`)
          .chain(histories),
        fc.integer({ min: 5, max: 40 }),
        fc.array(faults, { maxLength: 40 }),
        fc.boolean(),
        async (history, size, script, restarts) => {
          const total = { ...NOTHING }
          const base = await store.cursor()
          const moved = history.map(reading => ({ ...reading, sequence: reading.sequence + base }))
          misbehave(...script)
          for (const batch of batchesOf(moved, size)) {
            const outcome = await writeUntilDone(batch, batch.at(-1)?.sequence ?? 0)
            for (const fate of FATES) total[fate] += outcome[fate]
            if (restarts) {
              await store.close()
              store = await openStore()
            }
          }
          misbehave()
          const { counts, conflicts } = naiveJournal(moved)
          const station = moved[0]?.station ?? ''
          for (const parameter of ['COD', 'TSS']) {
            expect(await store.range({ station, parameter, ...ALL })).toEqual(naiveRange(moved, { station, parameter }, ALL))
          }
          expect(total).toEqual(counts)
          expect((await store.conflicts(base, 1_000)).filter(conflict => conflict.station === station)).toEqual(conflicts)
          expect(await store.cursor()).toBe(moved.at(-1)?.sequence)
        }
      ),
      { numRuns: 25 }
    ))

  const isWriteTo = (path: string, role: string): boolean => path.startsWith('/api/v2/write') && path.includes(`bucket=${bucket}${role}&`)
  const failAt = (role: string, times: number): void => {
    let left = times
    proxy.fault = path => (isWriteTo(path, role) && left-- > 0 ? { kind: 'answer', status: 500 } : { kind: 'pass' })
  }
  const reopened = async (): Promise<void> => {
    await store.close()
    store = await openStore()
  }

  it('a retry may have grown by a correction', async () => {
    await store.write([plainReading({ at: BEGIN - HOUR, sequence: 1 })], 1)
    misbehave({ kind: 'half' })
    const batch = [0, 1, 2, 3].map(n => plainReading({ at: BEGIN + n * MINUTE, value: n, flag: 3, sequence: 2 + n }))
    expect(await answerOf(store.write(batch, 5))).toBe('QT_INFLUX_UNREACHABLE')
    const correction = plainReading({ at: BEGIN, revision: 1, value: 77, sequence: 6 })
    expect(await store.write([...batch, correction], 6)).toEqual({ ...NOTHING, stored: 4, replaced: 1 })
    expect(await store.range({ ...first, ...ALL, from: BEGIN })).toEqual(naiveRange([correction, ...batch.slice(1)], first, ALL))
    expect(await store.cursor()).toBe(6)
  })

  it('a retry may be cut before a correction that is stored already', async () => {
    misbehave({ kind: 'pass' }, { kind: 'pass' }, { kind: 'lost', status: 500 })
    const reading = plainReading({ sequence: 1, flag: 3 })
    const correction = plainReading({ sequence: 2, revision: 1, value: 77 })
    expect(await answerOf(store.write([reading, correction], 2))).toBe('QT_INFLUX_FAILED')
    for (const [n, one] of [reading, correction].entries()) await store.write([one], n + 1)
    expect(await store.range({ ...first, ...ALL })).toEqual(naiveRange([correction], first, ALL))
  })

  it('the cursor tells of no reading that is not there', async () => {
    failAt('', 1)
    expect(await answerOf(store.write([first], 1))).toBe('QT_INFLUX_FAILED')
    await reopened()
    expect([await store.cursor(), await store.latest()]).toEqual([0, []])
    expect(await store.write([first], 1)).toEqual({ ...NOTHING, stored: 1 })
  })

  it('a conflict outlives a stop between it and the point that ousts the other', async () => {
    const later = plainReading({ sequence: 9, value: 12 })
    const earlier = plainReading({ sequence: 4 })
    await store.write([later], 9)
    for (const role of ['-context', '']) {
      failAt(role, 1)
      expect(await answerOf(store.write([earlier], 9))).toBe('QT_INFLUX_FAILED')
      await reopened()
    }
    await store.write([earlier], 9)
    expect(await store.conflicts(0, 10)).toMatchObject([{ kept: 82.5, other: 12, sequence: 9 }])
    expect(await store.range({ ...first, ...ALL })).toMatchObject([{ value: 82.5 }])
  })

  describe('what InfluxDB refuses for good', () => {
    beforeEach(async () => {
      await store.close()
      ;({ bucket, token } = await freshBuckets(server, { readings: 30 * DAY }))
      store = await openStore()
    })
    const now = Date.now()
    const tooOld = [0, 1, 2].map(n => plainReading({ at: now - 40 * DAY - n * HOUR, value: n, sequence: 10 + n }))
    const young = [0, 1, 2].map(n => plainReading({ at: now - n * HOUR, value: n, sequence: 20 + n }))

    it('older than the retention: set aside with the reason, the rest stored, the cursor moves', async () => {
      const mixed = [...tooOld, ...young]
      expect(await store.write(mixed, 30)).toEqual({ ...NOTHING, stored: 3, setAside: 3 })
      expect(await store.range({ ...first, ...ALL })).toEqual(naiveRange(young, first, ALL))
      expect(await store.cursor()).toBe(30)
      const aside = await store.setAside(10)
      expect(aside.map(({ at, sequence }) => [at, sequence])).toEqual(tooOld.map(({ at, sequence }) => [at, sequence]).reverse())
      expect(aside[0]?.reason).toContain('retention')
      expect(aside[0]?.line).toContain('reading,parameter=COD,station=AG-017 value=2,sequence=12i')
    })

    it('a replay sets nothing aside twice', async () => {
      await store.write([...tooOld, ...young], 30)
      expect(await store.write([...tooOld, ...young], 30)).toEqual({ ...NOTHING, repeated: 3, setAside: 3 })
      expect(await store.setAside(10)).toHaveLength(3)
      expect(await store.stats()).toMatchObject({ points: 3, setAside: 3, series: 1 })
    })

    it('a field that somebody else wrote with another type: the readings beside it are kept', async () => {
      // Somebody wrote whole numbers where readings have their value: this shard takes no others any more.
      const spoilt = now - 20 * DAY
      const body = `reading,parameter=TSS,station=AG-017 value=1i ${spoilt}`
      const query = new URLSearchParams({ org: server.org, bucket, precision: 'ms' })
      const response = await fetch(`${server.url}/api/v2/write?${query.toString()}`, {
        method: 'POST',
        body,
        headers: { authorization: `Token ${token}` }
      })
      expect(response.status).toBe(204)
      const stuck = plainReading({ at: spoilt + SECOND, sequence: 31 })
      expect(await store.write([stuck, ...young], 31)).toEqual({ ...NOTHING, stored: 3, setAside: 1 })
      expect((await store.setAside(10)).map(({ reason }) => reason)).toEqual([expect.stringContaining('field type conflict')])
    })
  })
})
