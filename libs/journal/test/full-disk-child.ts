/**
 * Fills a disk that cannot take more, and sees the journal recover when there is room: `node full-disk-child.js '{"dir": "…"}'`.
 *
 * A reader that stays in one transaction keeps the write-ahead log from being folded, so the log grows until the file-size limit
 * (or the file system) says no. When the reader lets go, the log can be folded: that is the room. Prints what it saw as JSON.
 */
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Journal, JournalError, type JournalHealth, JournalReader } from '../src/index.js'

export interface FullDiskReport {
  readonly code: string | undefined
  readonly retry: boolean | undefined
  /** The next append was refused with the same error, without asking the disk. */
  readonly atOnce: boolean
  readonly whileFull: JournalHealth
  /** State after some probes, before there is room. */
  readonly stillFull: string
  /** What an append met when there was room again. */
  readonly afterwards: JournalError | null
  readonly changes: readonly JournalHealth[]
  readonly acknowledged: readonly string[]
}

const { dir } = JSON.parse(process.argv[2] as string) as { dir: string }
const journal = await Journal.open({ dir, probeIntervalMs: 20 })
const changes: JournalHealth[] = []
journal.onHealth(health => changes.push(health))

const encoder = new TextEncoder()
const acknowledged: string[] = []

async function append(name: string): Promise<JournalError | null> {
  try {
    await journal.append({ head: new Uint8Array(0), body: encoder.encode(name.padEnd(60_000)) })
    acknowledged.push(name)
    return null
  } catch (error) {
    if (!(error instanceof JournalError)) throw error
    return error
  }
}

await append('first')
const consumer = JournalReader.open(dir) // so that the writer's is not the only connection
const holder = new Database(join(dir, 'journal.sqlite'), { readonly: true })
holder.exec('BEGIN')
holder.prepare('SELECT count(*) FROM block').get()

let failure: JournalError | null = null
for (let n = 1; failure === null && n < 500; n++) failure = await append(`filling ${n}`)
const atOnce = (await append('at once')) === failure
const whileFull = journal.health()
await new Promise(resolve => setTimeout(resolve, 100)) // some probes fail
const stillFull = journal.health().state

holder.exec('COMMIT')
holder.close()
for (let n = 1; journal.health().state !== 'ok' && n < 1_000; n++) await new Promise(resolve => setTimeout(resolve, 10))
const afterwards = await append('afterwards')
consumer.close()
await journal.close()
const saw: FullDiskReport = {
  code: failure?.code,
  retry: failure?.retry,
  atOnce,
  whileFull,
  stillFull,
  afterwards,
  changes,
  acknowledged
}
process.stdout.write(`${JSON.stringify(saw)}\n`)
