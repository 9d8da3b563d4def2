import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import Database from 'better-sqlite3'
import { DAY, HOUR, MINUTE } from '#libs/model'
import type { StoredReading } from '#libs/pipeline'
import type { TempDir } from '#libs/testkit'
import { BEGIN, plainReading, tempDir } from '#libs/testkit'
import { SqliteStore } from './store.js'

const COD = { station: 'AG-017', parameter: 'COD', from: 0, to: BEGIN * 2, limit: 1_000_000 }
const code = (expected: string, retry: boolean) => expect.objectContaining({ code: expected, retry })
const every = (step: number, count: number, from = BEGIN): StoredReading[] =>
  Array.from({ length: count }, (_, n) => plainReading({ at: from + n * step, value: n, sequence: n + 1 }))

let dir: TempDir
let store: SqliteStore
const values = async (of: SqliteStore = store): Promise<number[]> => (await of.range(COD)).map(reading => reading.value)

beforeEach(async () => {
  dir = await tempDir()
  store = await SqliteStore.open({ dataDir: dir.path })
})
afterEach(async () => {
  await store.close()
  await dir.remove()
})

/** Another program at the same file. */
function meddle(sql: string, ...values: unknown[]): void {
  const db = new Database(join(dir.path, 'series.sqlite'))
  db.prepare(sql).run(...values)
  db.close()
}

describe('damage', () => {
  const FLIP = `bytes = cast(substr(bytes, 1, 20) || x'55' || substr(bytes, 22) AS BLOB)`

  it('is told with series and hour, and touches no other hour and no other series', async () => {
    await store.write([...every(10 * MINUTE, 18), plainReading({ parameter: 'pH', sequence: 20 })], 20)
    meddle(`UPDATE part SET ${FLIP} WHERE key & ${2 ** 43 - 1} = ?`, BEGIN + HOUR)
    await expect(store.range(COD)).rejects.toEqual(code('QT_STORE_DAMAGED', false))
    await expect(store.range(COD)).rejects.toThrow(/AG-017\/COD, hour of 2026-11-24T01:00:00\+07:00: wrong checksum/)
    expect(await store.range({ ...COD, to: BEGIN + HOUR })).toHaveLength(6)
    expect(await store.range({ ...COD, from: BEGIN + 2 * HOUR })).toHaveLength(6)
    expect(await store.range({ ...COD, parameter: 'pH' })).toHaveLength(1)
    const late = plainReading({ at: BEGIN + HOUR + 1, sequence: 21 })
    await expect(store.write([plainReading({ parameter: 'pH', at: BEGIN + 1, sequence: 21 }), late], 21)).rejects.toEqual(
      code('QT_STORE_DAMAGED', false)
    )
    expect(await store.cursor()).toBe(20)
    expect(await store.range({ ...COD, parameter: 'pH' })).toHaveLength(1)
  })

  it('is noticed in the newest hour too, by the one who writes and the one who reads', async () => {
    await store.write(every(MINUTE, 3), 3)
    meddle(`UPDATE tail SET ${FLIP}`)
    await expect(store.latest()).rejects.toThrow(/AG-017\/COD, hour of 2026-11-24T00:00:00\+07:00/)
    await expect(store.write([plainReading({ at: BEGIN + HOUR, sequence: 4 })], 4)).rejects.toEqual(code('QT_STORE_DAMAGED', false))
  })

  it('of the file itself is an error, not an answer', async () => {
    await store.write(every(5 * MINUTE, 2_000), 2_000)
    await store.close()
    const file = await open(join(dir.path, 'series.sqlite'), 'r+')
    const { size } = await file.stat()
    for (let page = 8; page * 4_096 < size; page++) await file.write(Buffer.alloc(4_096, 0xff), 0, 4_096, page * 4_096)
    await file.close()
    store = await SqliteStore.open({ dataDir: dir.path })
    await expect(store.range(COD)).rejects.toEqual(code('QT_STORE_DAMAGED', false))
  })
})

describe('a full disk', () => {
  it('rolls the write back; once there is room again the same write works', async () => {
    await store.write(every(5 * MINUTE, 3_000), 3_000)
    await store.close()
    const { bytes } = await sizeOf()
    store = await SqliteStore.open({ dataDir: dir.path, maxBytes: bytes + 8_192 })
    const more = every(5 * MINUTE, 3_000, BEGIN + 30 * DAY).map(reading => ({ ...reading, sequence: reading.sequence + 3_000 }))
    await store.write(more.slice(0, 1), 3_001)
    await expect(store.write(more, 6_000)).rejects.toEqual(code('QT_STORE_FULL', true))
    await expect(store.write(more, 6_000)).rejects.toEqual(code('QT_STORE_FULL', true))
    expect([await store.cursor(), (await values()).length, (await store.stats()).points]).toEqual([3_001, 3_001, 3_001])
    const freed = await store.deleteBefore(BEGIN + 30 * DAY)
    expect(await store.write(more, 6_000)).toEqual({ stored: 2_999, replaced: 0, repeated: 1, conflicts: 0, setAside: 0 })
    expect([await store.cursor(), (await values()).length, freed.points]).toEqual([6_000, 3_000, 3_000])
  })

  async function sizeOf(): Promise<{ bytes: number }> {
    const reader = await SqliteStore.open({ dataDir: dir.path, readOnly: true })
    const stats = await reader.stats()
    await reader.close()
    return stats
  }
})

describe('a write that fails', () => {
  it('leaves no trace in the file or in memory', async () => {
    await store.write(every(MINUTE, 10), 10)
    const before = await store.stats()
    const bad = [...every(MINUTE, 100), plainReading({ station: 'NEW-1', sequence: 101 }), plainReading({ value: Number.NaN })]
    await expect(store.write(bad, 101)).rejects.toEqual(code('QT_STORE_MISUSE', false))
    const oddUnit = plainReading({ at: BEGIN + 90 * MINUTE, unit: 'x'.repeat(300), sequence: 101 })
    await expect(store.write([...every(MINUTE, 80), oddUnit], 101)).rejects.toEqual(code('QT_STORE_MISUSE', false))
    expect([await store.stats(), await store.cursor()]).toEqual([before, 10])
    await store.write([plainReading({ station: 'NEW-2', sequence: 11 }), ...every(MINUTE, 12)], 12)
    expect(await values()).toEqual([...Array(12).keys()])
    expect((await store.latest()).map(reading => reading.station)).toEqual(['AG-017', 'NEW-2'])
  })
})

describe('two writers', () => {
  it('see what the other wrote before they write themselves', async () => {
    const other = await SqliteStore.open({ dataDir: dir.path })
    try {
      const all = every(45_000, 400)
      for (let n = 0; n < all.length; n += 5) await (n % 2 === 0 ? store : other).write(all.slice(n, n + 5), n + 5)
      expect(await values()).toEqual([...Array(400).keys()])
      expect(await values(other)).toEqual([...Array(400).keys()])
      // 80 points an hour are two rows, however often a newest part was read anew before it moved.
      expect(await store.stats()).toMatchObject({ points: 400, rows: 10 })
    } finally {
      await other.close()
    }
  })
})
