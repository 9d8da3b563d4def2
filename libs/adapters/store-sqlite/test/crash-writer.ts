/**
 * The child of kill.spec.ts: writes batch after batch from where the cursor stands, and prints each number once it is
 * committed. It is meant to be killed.
 */
import { writeSync } from 'node:fs'
import { SqliteStore } from '../src/store.js'
import { batch } from './numbered-batches.js'

const store = await SqliteStore.open({ dataDir: process.argv[2] ?? '' })
for (let n = (await store.cursor()) + 1; ; n++) {
  await store.write(batch(n), n)
  writeSync(1, `${n}\n`)
}
