import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { expect, it } from '@jest/globals'
import { tempDir } from '#libs/testkit'
import { SqliteStore } from '../src/store.js'
import { numbered } from './numbered-batches.js'

it('shows a reader in another thread no moment that never was, while parts fill, move and begin', async () => {
  const dir = await tempDir()
  const store = await SqliteStore.open({ dataDir: dir.path })
  const until = 6_000
  const reader = new Worker(new URL('./reading-thread.js', import.meta.url), { workerData: { dataDir: dir.path, until } })
  try {
    await once(reader, 'message') // it has looked once
    const result = once(reader, 'message')
    for (let n = 0; n < until; n += 3) {
      const readings = [n, n + 1, n + 2].map(number => numbered({ station: 'AG-017', parameter: 'COD', number, sequence: n + 1 }))
      await store.write(readings, n + 1)
      await setImmediate()
    }
    const [{ faults, lengths }] = (await result) as [{ faults: string[]; lengths: number }]
    expect(faults).toEqual([])
    expect(lengths).toBeGreaterThan(1)
  } finally {
    await reader.terminate()
    await store.close()
    await dir.remove()
  }
})
