import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { SqliteStore } from '#libs/adapters/store-sqlite'
import { DAY, HOUR } from '#libs/model'
import type { StoredReading } from '#libs/pipeline'
import { copyStore } from '#libs/pipeline'
import { described, startInflux } from '#libs/test-servers'
import type { TempDir } from '#libs/testkit'
import { BEGIN, histories, plainReading, tempDir } from '#libs/testkit'
import { freshBuckets } from '../test/buckets.js'
import { InfluxStore } from './store.js'

const found = await startInflux()

/** What the two stores must agree on for `ops store copy`. */
described(describe, { kind: 'influx', name: 'InfluxStore beside SqliteStore', found }, server => {
  let influx: InfluxStore
  let sqlite: SqliteStore
  let dir: TempDir
  let stations = 0

  beforeAll(async () => {
    dir = await tempDir()
    sqlite = await SqliteStore.open({ dataDir: dir.path })
    influx = await InfluxStore.open({ url: server.url, org: server.org, ...(await freshBuckets(server)) })
  })
  afterAll(async () => {
    await influx.close()
    await sqlite.close()
    await dir.remove()
    await server.dispose()
  })

  const collect = async (batches: AsyncIterable<StoredReading[]>): Promise<StoredReading[]> => {
    const all: StoredReading[] = []
    for await (const batch of batches) all.push(...batch)
    return all
  }

  it('has the same readings, sequences, digests and conflicts after the same history', () =>
    fc.assert(
      fc.asyncProperty(
        fc
          .constant(null)
          .map(() => `S-${String(++stations).padStart(4, '0')}`)
          .chain(histories),
        async history => {
          expect(await influx.write(history, 1)).toEqual(await sqlite.write(history, 1))
          expect(await collect(influx.readAll())).toEqual(await collect(sqlite.readAll()))
          expect(await influx.digest(BEGIN + HOUR, BEGIN + DAY)).toEqual(await sqlite.digest(BEGIN + HOUR, BEGIN + DAY))
          expect(await influx.conflicts(0, 10_000)).toEqual(await sqlite.conflicts(0, 10_000))
        }
      ),
      { numRuns: 12 }
    ))

  it('pages through a long series, some of it unusual, and cuts where it is told', async () => {
    const long = [...Array(4_500).keys()].map(n =>
      plainReading({
        station: 'LONG',
        at: BEGIN + n * 1_000,
        value: n,
        sequence: n + 1,
        flag: n % 3 === 0 ? 3 : 1,
        road: n % 7 ? 'mqtt' : 'http'
      })
    )
    await influx.write(long, 5_000)
    const ofLong = (await collect(influx.readAll({ from: BEGIN + 500, to: BEGIN + 4_400_000 }))).filter(({ station }) => station === 'LONG')
    expect(ofLong).toEqual(long.slice(1, 4_400))
    expect(await collect(influx.readAll({ from: BEGIN, to: BEGIN }))).toEqual([])
  })

  it('is copied into, and back, without a difference, and takes the cursor of the journal that was named', async () => {
    const readings = [...Array(3_000).keys()].map(n =>
      plainReading({ station: `COPY-${n % 5}`, at: BEGIN + n * HOUR, value: n, sequence: n + 1, revision: n % 2 })
    )
    const other = plainReading({ station: 'COPY-0', at: BEGIN, value: -1, sequence: 3_001 })
    const fresh = await tempDir()
    const source = await SqliteStore.open({ dataDir: fresh.path })
    await source.write([...readings, other], 3_001)
    const buckets = await freshBuckets(server)
    const target = await InfluxStore.open({ url: server.url, org: server.org, ...buckets, journal: 'aaaa' })
    expect(await copyStore(source, target, () => {})).toMatchObject({ written: 3_000, different: [], conflicts: 1, cursor: 3_001 })
    expect(await copyStore(source, target, () => {})).toMatchObject({ written: 0, different: [] })
    expect(await target.conflicts(0, 10)).toEqual(await source.conflicts(0, 10))
    const another = await InfluxStore.open({ url: server.url, org: server.org, ...buckets, journal: 'bbbb' })
    expect(await another.cursor()).toBe(0)
    const backDir = await tempDir()
    const back = await SqliteStore.open({ dataDir: backDir.path })
    expect(await copyStore(target, back, () => {})).toMatchObject({ different: [] })
    expect(await back.digest()).toEqual(await source.digest())
    for (const store of [source, target, another, back]) await store.close()
    for (const dir of [fresh, backDir]) await dir.remove()
  })
})
