import { afterAll, describe, expect, it } from '@jest/globals'
import { MINUTE } from '#libs/model'
import type { StoredReading, WriteOutcome } from '#libs/pipeline'
import { digestOf } from '#libs/pipeline'
import { described, startInflux } from '#libs/test-servers'
import { BEGIN, plainReading } from '#libs/testkit'
import { freshBuckets } from '../test/buckets.js'
import { InfluxStore } from './store.js'

const found = await startInflux()
const BATCHES = 16
const SERIES = 40
const PER_SERIES = 40
const FATES = ['stored', 'replaced', 'repeated', 'conflicts', 'setAside'] as const

/** Batch n: 50 series, 40 minutes of each, every tenth reading corrected in the next batch, every seventh sent again there. */
function batchOf(n: number): StoredReading[] {
  const batch: StoredReading[] = []
  for (let s = 0; s < SERIES; s++) {
    for (let i = 0; i < PER_SERIES; i++) batch.push(numbered(s, n * PER_SERIES + i, n))
    if (n === 0) continue
    batch.push({ ...numbered(s, (n - 1) * PER_SERIES + 10, n), revision: 1, value: -n })
    batch.push({ ...numbered(s, (n - 1) * PER_SERIES + 7, n) })
  }
  return batch
}

const numbered = (series: number, slot: number, n: number): StoredReading =>
  plainReading({ station: `AG-${series}`, at: BEGIN + slot * MINUTE, value: slot + series / 100, sequence: n + 1 })

async function* once(readings: StoredReading[]): AsyncGenerator<StoredReading[]> {
  yield readings
}

describedWithProcess('a real InfluxDB that is killed and frozen', server => {
  afterAll(() => server.dispose())

  it('killed again and again in mid-write: no hole, no double, exact counts', async () => {
    const store = await InfluxStore.open({ url: server.url, org: server.org, ...(await freshBuckets(server)) })
    const total = { stored: 0, replaced: 0, repeated: 0, conflicts: 0, setAside: 0 }
    let failures = 0
    const writing = (async () => {
      for (let n = 0; n < BATCHES; n++) {
        const outcome = await untilDone(
          () => store.write(batchOf(n), n + 1),
          () => failures++
        )
        for (const fate of FATES) total[fate] += outcome[fate]
      }
    })()
    for (let kill = 0; kill < 4; kill++) {
      await new Promise(resolve => setTimeout(resolve, 60 + kill * 40))
      await server.process.stop('SIGKILL')
      await server.process.start()
    }
    await writing
    expect(failures).toBeGreaterThan(0)
    const later = (BATCHES - 1) * SERIES
    expect(total).toEqual({ stored: BATCHES * SERIES * PER_SERIES, replaced: later, repeated: later, conflicts: 0, setAside: 0 })
    expect(await store.digest()).toEqual(await digestOf(once(expected())))
    expect(await store.cursor()).toBe(BATCHES)
    await store.close()
  })

  it('frozen with a batch in its hands: what it does after it thaws undoes no later correction', async () => {
    const buckets = await freshBuckets(server)
    const store = await InfluxStore.open({ url: server.url, org: server.org, ...buckets, timeoutMs: 700 })
    await store.write([numbered(0, 0, 0)], 1)
    const batch = [1, 2, 3].map(slot => numbered(0, slot, slot))
    server.process.freeze()
    const code = await store.write(batch, 4).then(
      () => 'done',
      (error: unknown) => (error as { code?: string }).code
    )
    server.process.thaw()
    expect(code).toBe('QT_INFLUX_SLOW')
    const grown = [...batch, { ...numbered(0, 2, 4), revision: 1, value: 999 }]
    expect(await untilDone(() => store.write(grown, 5))).toMatchObject({ stored: 3, replaced: 1 })
    await new Promise(resolve => setTimeout(resolve, 300))
    const span = { from: 0, to: Number.MAX_SAFE_INTEGER, limit: 100 }
    expect((await store.range({ station: 'AG-0', parameter: 'COD', ...span })).map(({ value }) => value)).toEqual([0, 1, 999, 3])
    await store.close()
  })
})

function expected(): StoredReading[] {
  const all = new Map<string, StoredReading>()
  for (let n = 0; n < BATCHES; n++) {
    for (const reading of batchOf(n)) {
      const id = `${reading.station}@${reading.at}`
      const before = all.get(id)
      if (!before || reading.revision > before.revision) all.set(id, reading)
    }
  }
  return [...all.values()]
}

async function untilDone(write: () => Promise<WriteOutcome>, onFailure: () => void = () => {}): Promise<WriteOutcome> {
  for (let attempt = 0; attempt < 400; attempt++) {
    try {
      return await write()
    } catch {
      onFailure()
      await new Promise(resolve => setTimeout(resolve, 25))
    }
  }
  throw new Error('400 attempts were not enough')
}

type Server = Exclude<typeof found, { readonly absent: string }>
type Killable = Server & { readonly process: NonNullable<Server['process']> }

function isKillable(server: Server): server is Killable {
  return server.process !== null
}

/** Only a server that this test has started itself may be killed. */
function describedWithProcess(name: string, body: (server: Killable) => void): void {
  const given = { absent: 'a server given by its address is not killed' }
  const killable = 'absent' in found ? found : isKillable(found) ? found : given
  described(describe, { kind: 'influx', name, found: killable }, body)
}
