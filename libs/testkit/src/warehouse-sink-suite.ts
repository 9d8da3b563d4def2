import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { DAY, HOUR } from '#libs/model'
import type { Aggregate, ItemAnswer, WarehouseSink } from '#libs/pipeline'
import { digestDifferences, WarehouseDigests, warehouseText } from '#libs/pipeline'
import { aggregateHistories, plainAggregate, strangeAggregates } from './aggregate-histories.js'
import { batchesOf } from './reading-histories.js'

/** A sink before a warehouse with nothing in it. */
export interface SinkUnderTest {
  readonly sink: WarehouseSink
  /** What the far side holds, of one station or altogether, told by itself. */
  rows(station?: string): Promise<readonly Aggregate[]>
  dispose(): Promise<void>
}

const never = new AbortController().signal
const ALWAYS = { from: 0, to: Date.UTC(2199, 0, 1) }
const outcomes = (items: readonly ItemAnswer[]): string[] => items.map(({ outcome }) => outcome)
const rowOf = ({ station, parameter, period, end }: Aggregate): string => `${station}/${parameter}/${period}/${end}`

/** The highest revision of each: what a warehouse must hold in the end. */
export function newestOf(all: readonly Aggregate[]): Aggregate[] {
  const newest = new Map<string, Aggregate>()
  for (const one of all) if ((newest.get(rowOf(one))?.revision ?? -1) < one.revision) newest.set(rowOf(one), one)
  return [...newest.values()]
}

/** Text of rows, sorted: equal where the rows are, to the last bit. */
export const textsOf = (rows: readonly Aggregate[]): string[] => rows.map(warehouseText).sort()

/** Sends until nothing is uncertain any more. */
export async function sendAll(sink: WarehouseSink, items: readonly Aggregate[], attempts = 200): Promise<ItemAnswer[]> {
  let waiting = items.map((item, index) => ({ item, index }))
  const answers: ItemAnswer[] = []
  for (let attempt = 0; waiting.length > 0 && attempt < attempts; attempt += 1) {
    const said = await sink.send(
      waiting.map(({ item }) => item),
      never
    )
    if (said.outcome === 'retry') continue
    said.items.forEach((answer, n) => {
      const place = waiting[n]?.index
      if (answer.outcome !== 'retry' && place !== undefined) answers[place] = answer
    })
    waiting = waiting.filter((_, n) => said.items[n]?.outcome === 'retry')
  }
  expect(waiting).toEqual([])
  return answers
}

/** What every WarehouseSink has to do; call it at the top of a spec. Properties use a station of their own for each run. */
export function warehouseSinkSuite(name: string, open: () => Promise<SinkUnderTest>): void {
  let under: SinkUnderTest
  let stations = 0
  const nextStation = (): string => `S-${String(++stations).padStart(4, '0')}`
  const station = fc.constant(null).map(nextStation)
  const rowsOf = async (code: string) => (await under.rows(code)).filter(row => row.station === code)
  const send = async (items: readonly Aggregate[]): Promise<readonly ItemAnswer[]> => {
    const answer = await under.sink.send(items, never)
    expect(answer).toMatchObject({ outcome: 'answered' })
    return answer.outcome === 'answered' ? answer.items : []
  }

  describe(`${name}: what every warehouse does`, () => {
    beforeAll(async () => {
      under = await open()
    })
    afterAll(() => under.dispose())

    it('has nothing at first, and takes nothing of nothing', async () => {
      expect(await under.rows()).toEqual([])
      expect(await under.sink.digest({ period: 'hour', ...ALWAYS }, never)).toEqual([])
      expect(await send([])).toEqual([])
    })

    it('keeps every field to the last bit', () =>
      fc.assert(
        fc.asyncProperty(station.chain(strangeAggregates), async item => {
          expect(await send([item])).toEqual([{ outcome: 'accepted' }])
          expect(textsOf(await rowsOf(item.station))).toEqual([warehouseText(item)])
        }),
        { numRuns: 40 }
      ))

    it('says accepted once and known afterwards, with the revision that it has', async () => {
      const item = plainAggregate({ station: nextStation(), revision: 2 })
      expect(await send([item])).toEqual([{ outcome: 'accepted' }])
      expect(await send([item, { ...item, revision: 1 }, { ...item, revision: 3 }, { ...item, revision: 0 }])).toEqual([
        { outcome: 'known', revision: 2 },
        { outcome: 'known', revision: 2 },
        { outcome: 'accepted' },
        { outcome: 'known', revision: 3 }
      ])
    })

    it('rejects the revision that it has when it comes with other figures, and keeps the first', async () => {
      const item = plainAggregate({ station: nextStation() })
      const other = { ...item, mean: 7 }
      expect(outcomes(await send([item]))).toEqual(['accepted'])
      expect(await send([other])).toEqual([{ outcome: 'rejected', reason: expect.stringContaining('other figures') }])
      expect(outcomes(await send([item]))).toEqual(['known'])
      expect(textsOf(await rowsOf(item.station))).toEqual([warehouseText(item)])
    })

    it('rejects an item that cannot be with its reason, and takes those beside it', async () => {
      const code = nextStation()
      const items = Array.from({ length: 9 }, (_, n) => plainAggregate({ station: code, end: n * HOUR + DAY }))
      const [bad] = items.splice(5, 1, { ...(items[5] as Aggregate), start: 30 * HOUR, end: 29 * HOUR }) as [Aggregate]
      const answers = await send(items)
      expect(outcomes(answers)).toEqual(items.map((_, n) => (n === 5 ? 'rejected' : 'accepted')))
      expect(answers[5]).toMatchObject({ reason: expect.stringMatching(/\w+/) })
      expect(await rowsOf(code)).toHaveLength(8)
      expect(outcomes(await send([bad]))).toEqual(['accepted'])
    })

    it('ends with the highest revision of each, whatever the order, the cut and the repeats', () =>
      fc.assert(
        fc.asyncProperty(
          station.chain(aggregateHistories).chain(all =>
            fc.tuple(
              fc.constant(all),
              fc.subarray(all).chain(again => fc.shuffledSubarray([...all, ...again], { minLength: all.length + again.length })),
              fc.integer({ min: 1, max: 20 })
            )
          ),
          async ([all, sent, size]) => {
            for (const batch of batchesOf(sent, size)) expect(outcomes(await send(batch))).not.toContain('rejected')
            expect(textsOf(await rowsOf(all[0]?.station ?? ''))).toEqual(textsOf(newestOf(all)))
          }
        ),
        { numRuns: 25 }
      ))

    it('tells digests that are ours exactly where its rows are', () =>
      fc.assert(
        fc.asyncProperty(station.chain(aggregateHistories), fc.nat(39), async (all, index) => {
          await sendAll(under.sink, all)
          const code = all[0]?.station ?? ''
          const held = newestOf(all)
          expect(digestDifferences(digestsOf(held), await digestsThere(code))).toEqual([])
          const changed = held[index % held.length] as Aggregate
          const others = held.map(row => (row === changed ? { ...row, mean: -1 } : row))
          expect(digestDifferences(digestsOf(others), await digestsThere(code))).toMatchObject([{ station: code, period: changed.period }])
        }),
        { numRuns: 15 }
      ))

    it('counts what ends after the begin of a span and not after its end', async () => {
      const code = nextStation()
      const midnight = Date.UTC(2026, 9, 1, 17)
      const items = [-1, 0, 1].map(n => plainAggregate({ station: code, end: midnight + n * HOUR }))
      await send(items)
      const query = { period: 'hour', from: midnight - HOUR, to: midnight + HOUR } as const
      const found = (await under.sink.digest(query, never)).filter(digest => digest.station === code)
      expect(found).toEqual(digestsOf(items.slice(1)))
      expect(found.map(({ date, count }) => [date, count])).toEqual([
        ['2026-10-01', 1],
        ['2026-10-02', 1]
      ])
    })

    it('lists digests by station and date, also where they are many', async () => {
      const codes = Array.from({ length: 3 }, nextStation)
      const items = codes.flatMap(code =>
        Array.from({ length: 500 }, (_, n) => plainAggregate({ station: code, end: (n + 30) * DAY, period: 'day' }))
      )
      for (const batch of batchesOf(items, under.sink.limit)) await send(batch)
      const found = (await under.sink.digest({ period: 'day', from: 0, to: 600 * DAY }, never)).filter(d => codes.includes(d.station))
      expect(found).toEqual(digestsOf(items))
    })

    it('says retry, and nothing else, when it is broken off', async () => {
      const item = plainAggregate({ station: nextStation() })
      expect(await under.sink.send([item], AbortSignal.abort())).toMatchObject({ outcome: 'retry' })
      expect(outcomes(await send([item]))).toHaveLength(1)
    })
  })

  const digestsOf = (rows: readonly Aggregate[]) => {
    const digests = new WarehouseDigests()
    for (const row of rows) digests.add(row)
    return digests.list()
  }

  const digestsThere = async (code: string) => {
    const periods = ['hour', 'day', 'month'] as const
    const all = await Promise.all(periods.map(period => under.sink.digest({ period, ...ALWAYS }, never)))
    return all.flat().filter(digest => digest.station === code)
  }
}
