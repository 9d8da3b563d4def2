/** The suite that aedes-persistence publishes for its implementations, bound to ours. Run by `node --test`. */
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { after, test } from 'node:test'
import { DEFAULT_LIMITS } from '../src/options.js'
import { SqlitePersistence } from '../src/persistence/persistence.js'

const abstract = createRequire(import.meta.url)('aedes-persistence/abstract.js') as (options: object) => void
const folders: string[] = []

abstract({
  test,
  testAsync: true,
  persistence: async () => {
    const dir = await mkdtemp(`${tmpdir()}/quantrac-abstract-`)
    folders.push(dir)
    return SqlitePersistence.open({ file: `${dir}/sessions.sqlite`, limits: DEFAULT_LIMITS, now: Date.now, sessionsBegin: 'used' })
  }
})

after(() => Promise.all(folders.map(dir => rm(dir, { recursive: true }))))
