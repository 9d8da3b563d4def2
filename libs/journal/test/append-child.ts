/**
 * Appends numbered records until it is killed: `node append-child.js '{"settings": {…}, "start": 1, "writers": 20}'`. Prints each
 * number when it is acknowledged, with its sequence: `17 17`. A number that failed is printed as `17 QT_JOURNAL_…`.
 */
import { Journal, JournalError, type JournalSettings } from '../src/index.js'

export interface ChildTask {
  readonly settings: JournalSettings
  /** First number. */
  readonly start: number
  /** So many appends are on their way at a time. */
  readonly writers: number
  /** Bytes of a body. */
  readonly size: number
  /** The last number; then it stays, holding the journal open. */
  readonly end?: number
}

const task = JSON.parse(process.argv[2] as string) as ChildTask
const journal = await Journal.open(task.settings)
const encoder = new TextEncoder()
let next = task.start

async function write(): Promise<void> {
  while (next <= (task.end ?? Number.POSITIVE_INFINITY)) {
    const number = next++
    const body = encoder.encode(`${number}`.padEnd(task.size))
    try {
      const { sequence } = await journal.append({ head: new Uint8Array(5), body })
      process.stdout.write(`${number} ${sequence}\n`)
    } catch (error) {
      process.stdout.write(`${number} ${error instanceof JournalError ? error.code : String(error)}\n`)
    }
  }
}

process.stdout.write('open\n')
await Promise.all(Array.from({ length: task.writers }, write))
setInterval(() => {}, 60_000)
