import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { SqliteStore } from '#libs/adapters/store-sqlite'
import { DAY, HOUR } from '#libs/model'
import { BEGIN, plainReading, type TempDir, tempDir } from '#libs/testkit'
import type { StoredReading } from './ports.js'
import { copyStore } from './store-copy.js'

/** Few identities, so that revisions and conflicts happen; three days. */
const histories: fc.Arbitrary<StoredReading[]> = fc
  .array(
    fc.record({
      station: fc.constantFrom('AG-017', 'CT-002'),
      parameter: fc.constantFrom('COD', 'pH'),
      at: fc.nat(3).map(n => BEGIN + n * 6 * HOUR),
      value: fc.constantFrom(1, 2, 3),
      revision: fc.constantFrom(0, 0, 0, 1)
    }),
    { minLength: 1, maxLength: 60 }
  )
  .map(all => all.map((fields, n) => plainReading({ ...fields, receivedAt: BEGIN + n, sequence: n + 1 })))

describe('copyStore', () => {
  let dirs: TempDir[]
  let stores: SqliteStore[]

  beforeEach(() => {
    dirs = []
    stores = []
  })
  afterEach(clear)

  async function clear(): Promise<void> {
    for (const store of stores.splice(0)) await store.close()
    for (const dir of dirs.splice(0)) await dir.remove()
  }

  async function open(readings: readonly StoredReading[] = [], cursor = 0): Promise<SqliteStore> {
    const dir = await tempDir()
    dirs.push(dir)
    const store = await SqliteStore.open({ dataDir: dir.path })
    stores.push(store)
    await store.write(readings, cursor)
    return store
  }

  it('takes everything along, conflicts and cursor too, whatever the target had of it', () =>
    fc.assert(
      fc.asyncProperty(histories, fc.nat(60), async (history, there) => {
        const source = await open(history, history.length)
        const target = await open(history.slice(0, there))
        const report = await copyStore(source, target, () => {})
        expect(report).toMatchObject({ different: [], cursor: history.length })
        expect(await target.digest()).toEqual(await source.digest())
        expect(await target.latest()).toEqual(await source.latest())
        expect(await target.conflicts(0, 1_000)).toEqual(await source.conflicts(0, 1_000))
        await clear()
      }),
      { numRuns: 40 }
    ))

  it('takes a conflict along whose readings a higher revision has replaced', async () => {
    const of = (sequence: number, value: number, revision = 0) => plainReading({ sequence, value, revision, receivedAt: BEGIN + sequence })
    const history = [of(1, 3), of(2, 1), of(3, 2, 1)]
    const [source, target] = [await open(history, 3), await open()]
    await copyStore(source, target, () => {})
    expect(await target.conflicts(0, 10)).toEqual(await source.conflicts(0, 10))
    expect(await target.conflicts(0, 10)).toHaveLength(1)
    expect(await target.digest()).toEqual(await source.digest())
  })

  it('passes over what is there already', async () => {
    const readings = [0, 1, 2, 3].map(n => plainReading({ at: BEGIN + n * DAY, sequence: n + 1 }))
    const source = await open(readings, 4)
    const target = await open(readings.slice(0, 3))
    const shown: number[] = []
    expect(await copyStore(source, target, ({ read }) => shown.push(read))).toMatchObject({ read: 4, written: 1, days: 4 })
    expect(shown.at(-1)).toBe(4)
    expect(await copyStore(source, await open(), () => {})).toMatchObject({ read: 4, written: 4 })
  })

  it('leaves the cursor where the source’s stood at the begin: the journal brings what came meanwhile', async () => {
    const source = await open([plainReading({ sequence: 5 })], 5)
    const target = await open()
    const late = plainReading({ at: BEGIN + DAY, sequence: 6 })
    const write = target.write.bind(target)
    let once = true
    target.write = async (readings, upTo) => {
      if (once) await source.write([late], 6)
      once = false
      return write(readings, upTo)
    }
    expect((await copyStore(source, target, () => {})).cursor).toBe(5)
  })

  it('stops when somebody else writes into the target, and refuses one that is ahead', async () => {
    const source = await open([plainReading({ sequence: 5 })], 5)
    const target = await open()
    const write = target.write.bind(target)
    target.write = (readings, upTo) => write(readings, upTo + 1)
    await expect(copyStore(source, target, () => {})).rejects.toMatchObject({ code: 'QT_STORE_COPY_BUSY' })
    await expect(copyStore(source, await open([], 6), () => {})).rejects.toMatchObject({ code: 'QT_STORE_COPY_BUSY' })
  })
})
