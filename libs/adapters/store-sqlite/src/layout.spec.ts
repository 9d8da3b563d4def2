import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import Database from 'better-sqlite3'
import * as fc from 'fast-check'
import { DAY, HOUR, MINUTE } from '#libs/model'
import type { StoredReading } from '#libs/pipeline'
import type { TempDir } from '#libs/testkit'
import { BEGIN, plainReading, tempDir } from '#libs/testkit'
import { MAX_POINTS } from './part.js'
import { SqliteStore } from './store.js'

const COD = { station: 'AG-017', parameter: 'COD', from: 0, to: BEGIN * 2, limit: 1_000_000 }
let dir: TempDir
let store: SqliteStore

beforeEach(async () => {
  dir = await tempDir()
  store = await SqliteStore.open({ dataDir: dir.path })
})
afterEach(async () => {
  await store.close()
  await dir.remove()
})

const every = (step: number, count: number, from = BEGIN): StoredReading[] =>
  Array.from({ length: count }, (_, n) => plainReading({ at: from + n * step, value: n, sequence: n + 1 }))

async function writeInBatches(readings: readonly StoredReading[], size: number): Promise<void> {
  for (let n = 0; n < readings.length; n += size) await store.write(readings.slice(n, n + size), n + size)
}

function ask<T>(sql: string): T[] {
  const db = new Database(join(dir.path, 'series.sqlite'), { readonly: true })
  const rows = db.prepare<[], T>(sql).all()
  db.close()
  return rows
}

describe('rows', () => {
  it.each([
    ['five minutes', 5 * MINUTE, 288],
    ['a minute', MINUTE, 1_440]
  ])('are one per series and hour at a reading every %s', async (_, step, count) => {
    await writeInBatches(every(step, count), 7)
    expect(await store.stats()).toMatchObject({ series: 1, rows: 24, points: count, conflicts: 0 })
    expect(await store.stats()).toMatchObject({ span: { from: BEGIN, to: BEGIN + DAY - step } })
  })

  it('of a busy hour are many small ones, each full', async () => {
    await writeInBatches(every(5, 10_000), 50)
    expect((await store.stats()).rows).toBe(Math.ceil(10_000 / MAX_POINTS))
    expect(ask(`SELECT max(length(bytes)) AS size FROM part`)).toEqual([{ size: 8 + 32 * MAX_POINTS }])
    expect((await store.range({ ...COD, from: BEGIN + 5 * 5_000, limit: 2 })).map(reading => reading.value)).toEqual([5_000, 5_001])
  })

  it('are counted as they are, and never overlap, whatever was written', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 1, max: 120 }), fc.integer({ min: 1, max: 90_000 })), {
          maxLength: 12
        }),
        fc.integer({ min: 1, max: 5 }),
        async (runs, id) => {
          const station = `AG-${id}`
          for (const [hour, count, step] of runs) {
            const run = every(step, count, BEGIN + hour * HOUR).map(reading => ({ ...reading, station }))
            await store.write(
              run.filter((_, n) => n % 2 === 0),
              1
            )
            await store.write(
              run.filter((_, n) => n % 2 === 1),
              1
            )
          }
          const { rows, points } = await store.stats()
          const [counted] = ask<{ rows: number }>('SELECT (SELECT count(*) FROM part) + (SELECT count(*) FROM tail) AS rows')
          const everything = await Promise.all([1, 2, 3, 4, 5].map(n => store.range({ ...COD, station: `AG-${n}` })))
          expect({ rows, points }).toEqual({ rows: counted?.rows, points: everything.flat().length })
          for (const readings of everything) {
            const instants = readings.map(reading => reading.at)
            expect(instants).toEqual([...new Set(instants)].sort((a, b) => a - b))
          }
        }
      ),
      { numRuns: 20 }
    ))

  it('can be looked at with any SQLite tool', async () => {
    await store.write(every(30 * MINUTE, 5), 5)
    expect(ask('SELECT * FROM part_by_series ORDER BY start_utc')).toEqual([
      { station: 'AG-017', parameter: 'COD', start_utc: '2026-11-23 17:00:00', size: 72 },
      { station: 'AG-017', parameter: 'COD', start_utc: '2026-11-23 18:00:00', size: 72 }
    ])
  })
})

describe('conflicts within one revision', () => {
  let instants = 0

  it('are the same whatever the order of arrival', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(1, 2, 3, 4), { minLength: 2, maxLength: 8 }).chain(drawn =>
          fc.shuffledSubarray(
            drawn.map((value, n) => plainReading({ value, sequence: n + 1 })),
            { minLength: drawn.length }
          )
        ),
        async arrivals => {
          const at = BEGIN + ++instants * MINUTE
          for (const reading of arrivals) await store.write([{ ...reading, at }], 1)
          const inOrder = [...arrivals].sort((a, b) => a.sequence - b.sequence)
          const kept = inOrder[0]?.value
          const others = inOrder.filter((reading, n) => inOrder.findIndex(first => first.value === reading.value) === n).slice(1)
          const listed = (await store.conflicts(0, 1_000_000)).filter(conflict => conflict.at === at)
          expect(listed.map(({ kept: stays, other, sequence }) => [stays, other, sequence])).toEqual(
            others.map(reading => [kept, reading.value, reading.sequence])
          )
        }
      ),
      { numRuns: 60 }
    ))

  it('are told by status and unit too', async () => {
    const fates = []
    for (const differences of [{}, { status: '02' }, { unit: 'g/L' }, { status: '02' }, {}]) {
      const { conflicts, repeated } = await store.write([plainReading({ sequence: fates.length + 1, ...differences })], 1)
      fates.push(conflicts - repeated)
    }
    expect(fates).toEqual([0, 1, 1, -1, -1])
    expect((await store.conflicts(0, 10)).map(conflict => conflict.sequence)).toEqual([2, 3])
  })
})

describe('retention', () => {
  it('deletes whole hours, from every series, and their conflicts', async () => {
    const pH = every(7 * MINUTE, 200).map(reading => ({ ...reading, parameter: 'pH' }))
    const other = plainReading({ value: -1, sequence: 900 })
    await store.write([...every(5 * MINUTE, 288), ...pH, other], 900)
    expect(await store.deleteBefore(BEGIN + 3 * HOUR - 1)).toEqual({ rows: 4, points: 24 + 18, conflicts: 1 })
    for (const parameter of ['COD', 'pH']) {
      const [first] = await store.range({ ...COD, parameter })
      expect(first?.at).toBeGreaterThanOrEqual(BEGIN + 2 * HOUR)
      expect(first?.at).toBeLessThan(BEGIN + 2 * HOUR + 7 * MINUTE)
    }
    expect(await store.stats()).toMatchObject({ points: 288 + 200 - 42, conflicts: 0, span: { from: BEGIN + 2 * HOUR } })
    expect(await store.deleteBefore(BEGIN + 3 * HOUR - 1)).toEqual({ rows: 0, points: 0, conflicts: 0 })
    expect(await store.cursor()).toBe(900)
  })

  it('leaves the newest point of a series that fell silent', async () => {
    await writeInBatches(every(1_000, 1_200), 100) // several parts in its last hour
    expect(await store.deleteBefore(BEGIN + DAY)).toMatchObject({ points: 1_199 })
    expect((await store.range(COD)).map(reading => reading.value)).toEqual([1_199])
    expect((await store.latest()).map(reading => reading.value)).toEqual([1_199])
    expect(await store.stats()).toMatchObject({ rows: 1, points: 1, span: { from: BEGIN } })
    await writeInBatches(every(1_000, 1_200), 100) // a replay brings everything back
    expect((await store.range(COD)).map(reading => reading.value)).toEqual([...Array(1_200).keys()])
  })

  it('goes on in small steps while others write', async () => {
    await writeInBatches(every(HOUR, 2_500), 2_500)
    const deleting = store.deleteBefore(BEGIN + 2_400 * HOUR)
    await store.write([plainReading({ at: BEGIN + 2_399 * HOUR + 1, value: -1, sequence: 3_000 })], 3_000)
    expect(await deleting).toMatchObject({ rows: 2_400, points: 2_401 })
    expect(await store.range(COD)).toHaveLength(100)
    expect((await store.stats()).points).toBe(100)
  })
})
