import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { HOUR, MINUTE } from '#libs/model'
import type { Conflict, RangeQuery, StoredReading, TimeSeriesStore } from '#libs/pipeline'
import { naiveJournal, naiveLatest, naiveRange, withoutSequence } from './naive-series.js'
import { BEGIN, batchesOf, deliveries, histories, plainReading, strangeReadings } from './reading-histories.js'

/** A store on fresh ground. */
export interface StoreUnderTest {
  readonly store: TimeSeriesStore
  /** Closes it and opens it again, as a restart of the server does. */
  reopen(): Promise<TimeSeriesStore>
  /** Closes what is open and removes all traces. */
  dispose(): Promise<void>
}

const ALL = { from: 0, to: Number.MAX_SAFE_INTEGER, limit: Number.MAX_SAFE_INTEGER }
/** Milliseconds; a thousand of them are a little less than three hours. */
const STEP = 10_790

/**
 * What every TimeSeriesStore has to do; call it at the top of a spec. Properties use a station of their own for each run. A store
 * behind a network gets less `effort`: that share of the runs of each property.
 */
export function timeSeriesStoreSuite(name: string, open: () => Promise<StoreUnderTest>, { effort = 1 }: { effort?: number } = {}): void {
  const runs = (full: number) => ({ numRuns: Math.max(2, Math.round(full * effort)) })
  const RUNS = runs(60)
  let under: StoreUnderTest
  let store: TimeSeriesStore
  let stations = 0
  const nextStation = (): string => `S-${String(++stations).padStart(4, '0')}`
  const rangeOf = (station: string, query: Partial<RangeQuery> = {}) => store.range({ station, parameter: 'COD', ...ALL, ...query })

  beforeEach(async () => {
    under = await open()
    store = under.store
  })
  afterEach(() => under.dispose())

  const writeAll = async (batches: readonly StoredReading[][], upTo: number): Promise<void> => {
    for (const batch of batches) await store.write(batch, upTo)
  }

  const expectAnswersOf = async (station: string, written: readonly StoredReading[]): Promise<void> => {
    for (const parameter of ['COD', 'TSS', 'pH']) {
      expect(await store.range({ station, parameter, ...ALL })).toEqual(naiveRange(written, { station, parameter }, ALL))
    }
    expect(await store.latest([station])).toEqual(naiveLatest(written))
    for (const { at } of written.slice(0, 3)) expect(await store.latest([station], at)).toEqual(naiveLatest(written, at))
  }

  const conflictsOf = async (station: string): Promise<Conflict[]> =>
    (await store.conflicts(0, Number.MAX_SAFE_INTEGER)).filter(conflict => conflict.station === station)

  describe(`${name}: what stays`, () => {
    it('knows nothing at first', async () => {
      expect(await store.cursor()).toBe(0)
      expect(await store.latest()).toEqual([])
      expect(await store.latest(['AG-017'])).toEqual([])
      expect(await rangeOf('AG-017')).toEqual([])
      expect(await store.conflicts(0, 10)).toEqual([])
    })

    it('gives back every field as it was written', () =>
      fc.assert(
        fc.asyncProperty(fc.constant(null).map(nextStation).chain(strangeReadings), async reading => {
          await store.write([reading], 1)
          const { station, parameter, at } = reading
          expect(await store.range({ station, parameter, from: at, to: at + 1, limit: 1 })).toEqual(
            naiveRange([reading], reading, { from: at, to: at + 1, limit: 1 })
          )
        }),
        RUNS
      ))

    it('answers the same whatever the order, the cut and the repeats', () =>
      fc.assert(
        fc.asyncProperty(
          fc
            .constant(null)
            .map(nextStation)
            .chain(histories)
            .chain(history => fc.tuple(fc.constant(history), deliveries(history))),
          async ([history, batches]) => {
            await writeAll(batches, 1)
            await expectAnswersOf(history[0]?.station ?? '', history)
          }
        ),
        RUNS
      ))

    it('reports what it did, and lists each conflict once', () =>
      fc.assert(
        fc.asyncProperty(fc.constant(null).map(nextStation).chain(histories), fc.integer({ min: 1, max: 20 }), async (history, size) => {
          const total = { stored: 0, replaced: 0, repeated: 0, conflicts: 0, setAside: 0 }
          for (const batch of batchesOf(history, size)) {
            const outcome = await store.write(batch, 1)
            for (const fate of Object.keys(total) as (keyof typeof total)[]) total[fate] += outcome[fate]
          }
          const { counts, conflicts } = naiveJournal(history)
          expect(total).toEqual(counts)
          expect(await conflictsOf(history[0]?.station ?? '')).toEqual(conflicts)
        }),
        RUNS
      ))

    it('changes nothing on a replay', () =>
      fc.assert(
        fc.asyncProperty(fc.constant(null).map(nextStation).chain(histories), async history => {
          const station = history[0]?.station ?? ''
          await store.write(history, 1)
          const before = [await rangeOf(station), await store.latest([station]), await conflictsOf(station)]
          expect(await store.write(history, 1)).toEqual({ stored: 0, replaced: 0, repeated: history.length, conflicts: 0, setAside: 0 })
          expect([await rangeOf(station), await store.latest([station]), await conflictsOf(station)]).toEqual(before)
        }),
        RUNS
      ))

    it('knows what became of each reading that was not new, whatever is written again and whoever opens it', () =>
      fc.assert(
        fc.asyncProperty(
          fc.constant(null).map(nextStation).chain(histories),
          fc.array(fc.constantFrom('on', 'again', 'restart'), { minLength: 8, maxLength: 8 }),
          async (history, course) => {
            const before = await store.cursor()
            const records = batchesOf(history, 3).map((record, n) => record.map(reading => ({ ...reading, sequence: before + 1 + n })))
            for (const [n, batch] of batchesOf(records, 4).entries()) {
              const upTo = batch.at(-1)?.[0]?.sequence ?? before
              if (course[n] === 'again') await store.write(batch.flat(), upTo)
              await store.write(batch.flat(), upTo)
              if (course[n] === 'restart') store = await under.reopen()
            }
            const { fates } = naiveJournal(records.flat())
            const places = records.flatMap(record => record.map(({ sequence }, item) => ({ sequence, item })))
            const expected = places.flatMap((place, n) => (fates[n] === 'stored' ? [] : [{ ...place, fate: fates[n] }]))
            const last = await store.cursor()
            expect(await store.fates(before, last)).toEqual(expected)
            expect(await store.fates(before + 1, last - 1)).toEqual(expected.filter(f => f.sequence > before + 1 && f.sequence < last))
          }
        ),
        runs(30)
      ))

    it('survives a restart', () =>
      fc.assert(
        fc.asyncProperty(fc.constant(null).map(nextStation).chain(histories), async history => {
          await writeAll(batchesOf(history, 7), 1)
          store = await under.reopen()
          await expectAnswersOf(history[0]?.station ?? '', history)
        }),
        runs(10)
      ))

    it('keeps the first of two values, and both of them visible', async () => {
      const first = plainReading({ sequence: 4 })
      const other = plainReading({ sequence: 9, value: 12, receivedAt: BEGIN + 5_000 })
      expect(await store.write([first, other], 9)).toEqual({ stored: 1, replaced: 0, repeated: 0, conflicts: 1, setAside: 0 })
      expect(await rangeOf('AG-017')).toEqual([withoutSequence(first)])
      const { station, parameter, at, revision, receivedAt } = other
      expect(await store.conflicts(0, 10)).toEqual([{ station, parameter, at, revision, kept: 82.5, other: 12, sequence: 9, receivedAt }])
    })

    it('lets a higher revision replace, and a lower one change nothing', async () => {
      await store.write([plainReading({ revision: 1, sequence: 1 })], 1)
      const corrected = plainReading({ revision: 2, sequence: 2, value: 80 })
      expect(await store.write([corrected], 2)).toMatchObject({ replaced: 1 })
      expect(await store.write([plainReading({ revision: 0, sequence: 3, value: 7 })], 3)).toMatchObject({ repeated: 1 })
      expect(await rangeOf('AG-017')).toEqual([withoutSequence(corrected)])
      expect(await store.conflicts(0, 10)).toEqual([])
    })
  })

  // A store that leaves out what is usual must not keep what the replaced reading had of the unusual.
  it(`${name}: nothing of a replaced reading is left`, async () => {
    const unusual = {
      unit: 'g/L',
      status: '02',
      flag: 4,
      flags: ['device-fault'],
      road: 'file',
      reported: { value: 1, unit: 'K' }
    } as const
    await store.write([plainReading({ ...unusual, sequence: 1 })], 1)
    await store.write([plainReading({ revision: 1, sequence: 2 })], 2)
    expect(await rangeOf('AG-017')).toEqual([withoutSequence(plainReading({ revision: 1 }))])
    expect(await store.latest()).toEqual([withoutSequence(plainReading({ revision: 1 }))])
  })

  describe(`${name}: what is asked`, () => {
    it('answers any span and limit', () =>
      fc.assert(
        fc.asyncProperty(
          fc.constant(null).map(nextStation).chain(histories),
          fc.integer({ min: -HOUR, max: 5 * HOUR }),
          fc.integer({ min: -HOUR, max: 5 * HOUR }),
          fc.integer({ min: 1, max: 20 }),
          async (history, from, length, limit) => {
            await store.write(history, 1)
            const span = { from: BEGIN + from, to: BEGIN + from + length, limit }
            const key = { station: history[0]?.station ?? '', parameter: 'COD' }
            expect(await store.range({ ...key, ...span })).toEqual(naiveRange(history, key, span))
          }
        ),
        RUNS
      ))

    it('takes the begin of a span in and leaves its end out', async () => {
      const instants = [BEGIN - 1, BEGIN, BEGIN + HOUR - 1, BEGIN + HOUR, BEGIN + HOUR + 1]
      await store.write(
        instants.map((at, n) => plainReading({ at, sequence: n + 1 })),
        5
      )
      const found = await rangeOf('AG-017', { from: BEGIN, to: BEGIN + HOUR })
      expect(found.map(reading => reading.at)).toEqual([BEGIN, BEGIN + HOUR - 1])
      expect(await rangeOf('AG-017', { from: BEGIN, to: BEGIN })).toEqual([])
    })

    it('holds a thousand points of three hours, whatever their order', () =>
      fc.assert(
        fc.asyncProperty(
          fc.shuffledSubarray([...Array(1_000).keys()], { minLength: 1_000 }),
          fc.integer({ min: 1, max: 400 }),
          async (order, size) => {
            const station = nextStation()
            const readings = order.map((n, sequence) => plainReading({ station, at: BEGIN + n * STEP, value: n, sequence: sequence + 1 }))
            await writeAll(batchesOf(readings, size), 1)
            expect((await rangeOf(station)).map(reading => reading.value)).toEqual([...Array(1_000).keys()])
            const part = await rangeOf(station, { from: BEGIN + 500 * STEP, limit: 3 })
            expect(part.map(reading => reading.value)).toEqual([500, 501, 502])
            expect((await store.latest([station])).map(reading => reading.value)).toEqual([999])
            expect((await store.latest([station], BEGIN + 500 * STEP)).map(reading => reading.value)).toEqual([499])
          }
        ),
        runs(8)
      ))

    it('lists the newest of each series by station and parameter, of all or of those named', async () => {
      const at = (n: number): number => BEGIN + n * MINUTE
      const readings = [
        plainReading({ station: 'CT-002', parameter: 'pH', at: at(3), sequence: 1 }),
        plainReading({ station: 'AG-017', parameter: 'pH', at: at(2), sequence: 2 }),
        plainReading({ station: 'AG-017', parameter: 'COD', at: at(5), sequence: 3 }),
        plainReading({ station: 'AG-017', parameter: 'COD', at: at(4), sequence: 4 }),
        plainReading({ station: 'KG-001', parameter: 'EC', at: at(1), sequence: 5 })
      ]
      await store.write(readings, 5)
      const brief = async (named?: readonly string[]): Promise<string[]> =>
        (await store.latest(named)).map(({ station, parameter, at: instant }) => `${station}/${parameter} ${(instant - BEGIN) / MINUTE}`)
      expect(await brief()).toEqual(['AG-017/COD 5', 'AG-017/pH 2', 'CT-002/pH 3', 'KG-001/EC 1'])
      expect(await brief(['CT-002', 'AG-017', 'NOBODY'])).toEqual(['AG-017/COD 5', 'AG-017/pH 2', 'CT-002/pH 3'])
      expect(await brief([])).toEqual([])
    })

    it('pages through conflicts without missing those of one record', async () => {
      const slots = [0, 1, 2, 3, 4, 5]
      await store.write(
        slots.map(n => plainReading({ at: BEGIN + n * MINUTE, sequence: 1 })),
        1
      )
      const others = slots.map(n => plainReading({ at: BEGIN + n * MINUTE, value: n, sequence: 2 + Math.floor(n / 2) }))
      await store.write(others, 4)
      const seen: number[] = []
      for (let after = 0; ; ) {
        const page = await store.conflicts(after, 3)
        if (page.length === 0) break
        expect(page.length).toBeLessThanOrEqual(3)
        seen.push(...page.map(conflict => conflict.other))
        after = page.at(-1)?.sequence ?? after
      }
      expect(seen).toEqual(slots)
    })
  })

  describe(`${name}: the cursor`, () => {
    it('moves with the readings, without any, and never back', async () => {
      await store.write([plainReading({ sequence: 7 })], 7)
      expect(await store.cursor()).toBe(7)
      await store.write([], 2 ** 40)
      expect(await store.cursor()).toBe(2 ** 40)
      expect(await store.write([plainReading({ sequence: 7 })], 3)).toMatchObject({ stored: 0, repeated: 1 })
      expect(await store.cursor()).toBe(2 ** 40)
      store = await under.reopen()
      expect(await store.cursor()).toBe(2 ** 40)
    })
  })
}
