/** The thread of reader.spec.ts: reads one series over and over, and tells of every answer that no moment of the store can explain. */
import { parentPort, workerData } from 'node:worker_threads'
import { SqliteStore } from '../src/store.js'
import { BEGIN } from './numbered-batches.js'

const { dataDir, until } = workerData as { dataDir: string; until: number }
const store = await SqliteStore.open({ dataDir, readOnly: true })
const faults: string[] = []
const lengths = new Set<number>()
let shortest = 0
const read = () => store.range({ station: 'AG-017', parameter: 'COD', from: 0, to: BEGIN * 2, limit: 1_000_000 })
// The writer begins after the first look, so that there are two answers at least on the busiest machine.
lengths.add((await read()).length)
parentPort?.postMessage('reading')
while (shortest < until) {
  const readings = await read()
  const hole = readings.findIndex((reading, index) => reading.value !== index)
  if (hole >= 0) faults.push(`at ${hole} of ${readings.length} stands ${readings[hole]?.value}`)
  if (readings.length < shortest) faults.push(`${readings.length} after ${shortest}`)
  shortest = Math.max(shortest, readings.length)
  lengths.add(readings.length)
}
await store.close()
parentPort?.postMessage({ faults: faults.slice(0, 5), lengths: lengths.size })
