import type { Database, Statement } from 'better-sqlite3'
import { type Block, BlockCursor, type JournalEntry } from './block.js'
import { FIRST_SEQUENCE, IDENTITY, LAST_SEQUENCE, openForReading } from './database.js'
import { JournalError, storageFailure, toJournalError } from './errors.js'

export interface ReadLimit {
  /** At most this many entries. */
  readonly records: number
  /** No further entry once heads and bodies have this many bytes together; the first entry always comes. */
  readonly bytes: number
}

export interface ReaderOptions {
  /** Told of each damaged record, once per reader; reading then goes on behind it. Without it, reading stops there with an error. */
  readonly onDamaged?: (error: JournalError) => void
}

const ROW = 'SELECT first, count, committed_at AS committedAt, directory, bytes FROM block'
const NO_BYTES = new Uint8Array(0)

/** Reads a journal, in any thread or process, also while it is written to. Not to be shared between threads. */
export class JournalReader {
  readonly #db: Database
  readonly #onDamaged: ((error: JournalError) => void) | undefined
  readonly #blockAt: Statement<[number], Block>
  readonly #blockAfter: Statement<[number], Block>
  readonly #last: Statement<[], number>
  readonly #first: Statement<[], number | null>
  readonly #damaged = new Set<number>()
  /** Where the last read stopped: the next one usually goes on from there, within the same block. */
  #cursor: BlockCursor | null = null

  private constructor(db: Database, options: ReaderOptions) {
    this.#db = db
    this.#onDamaged = options.onDamaged
    this.#blockAt = db.prepare(`${ROW} WHERE first <= ? ORDER BY first DESC LIMIT 1`)
    this.#blockAfter = db.prepare(`${ROW} WHERE first > ? ORDER BY first LIMIT 1`)
    this.#last = db.prepare<[], number>(LAST_SEQUENCE).pluck()
    this.#first = db.prepare<[], number | null>(FIRST_SEQUENCE).pluck()
  }

  /** Throws QT_JOURNAL_MISSING, QT_JOURNAL_FORMAT, QT_JOURNAL_CORRUPT or QT_JOURNAL_IO. */
  static open(dir: string, options: ReaderOptions = {}): JournalReader {
    return new JournalReader(openForReading(dir), options)
  }

  /** Damaged records met so far. */
  get damagedRecords(): number {
    return this.#damaged.size
  }

  /** Sequence of the newest durable record, deleted ones counted; 0 before the first. */
  lastSequence(): number {
    return this.#ask(() => this.#last.get() ?? 0)
  }

  /** Tells this journal from every other: 12 hexadecimal digits. */
  identity(): string {
    return this.#ask(() => Number(this.#db.prepare(IDENTITY).pluck().get() ?? 0))
      .toString(16)
      .padStart(12, '0')
  }

  /** Sequence of the oldest record kept; 0 when there is none. */
  firstSequence(): number {
    return this.#ask(() => this.#first.get() ?? 0)
  }

  /**
   * The entries that follow `after`, in order; none at the end. Heads and bodies are views into the blocks that were read.
   *
   * Throws QT_JOURNAL_DAMAGED with the record's sequence when the next record is damaged and no `onDamaged` was given; the sound
   * ones before it are returned first, and reading `after` the damaged one goes on. QT_JOURNAL_CORRUPT: the file itself is broken.
   */
  read(after: number, limit: ReadLimit): JournalEntry[] {
    const entries: JournalEntry[] = []
    let bytes = 0
    let cursor = this.#seek(after + 1)
    while (cursor !== null && entries.length < limit.records && bytes < limit.bytes) {
      if (cursor.done) {
        cursor = this.#open(this.#blockAfter, cursor.block.first)
        continue
      }
      const sequence = cursor.sequence
      const entry = cursor.next()
      if (entry !== null) {
        entries.push(entry)
        bytes += entry.head.length + entry.body.length
      } else if (!this.#passDamaged(sequence, entries)) break
    }
    if (cursor) this.#cursor = cursor
    return entries
  }

  /** The newest entries, at most `count`, oldest first. */
  readBack(count: number): JournalEntry[] {
    const last = this.lastSequence()
    return this.read(Math.max(0, last - count), { records: count, bytes: Number.POSITIVE_INFINITY })
  }

  close(): void {
    this.#cursor = null
    this.#db.close()
  }

  /** The cursor that stands at `sequence`, or at what follows it. */
  #seek(sequence: number): BlockCursor | null {
    const current = this.#cursor
    if (current?.sequence === sequence) return current
    const isAhead = current !== null && sequence > current.sequence && sequence < current.end
    const cursor = isAhead ? current : this.#open(this.#blockAt, sequence)
    if (cursor === null || sequence >= cursor.end) return this.#open(this.#blockAfter, sequence - 1)
    cursor.skipTo(sequence)
    return cursor
  }

  #open(statement: Statement<[number], Block>, sequence: number): BlockCursor | null {
    const block = this.#ask(() => this.#blockOrHeader(statement, sequence))
    return block ? new BlockCursor(block) : null
  }

  /** Where SQLite cannot follow a block's pages, what the row's beginning says still tells which records are damaged. */
  #blockOrHeader(statement: Statement<[number], Block>, sequence: number): Block | undefined {
    try {
      return statement.get(sequence)
    } catch (error) {
      if (storageFailure(error)?.code !== 'QT_JOURNAL_CORRUPT') throw error
      const header = statement.source.replace('directory, bytes', 'NULL AS directory, NULL AS bytes')
      const block = this.#db.prepare<[number], Block>(header).get(sequence)
      return block && { ...block, directory: NO_BYTES, bytes: NO_BYTES }
    }
  }

  /** True when reading goes on behind the damaged record. */
  #passDamaged(sequence: number, before: readonly JournalEntry[]): boolean {
    const error = new JournalError('QT_JOURNAL_DAMAGED', `record ${sequence} of the journal is damaged`, { sequence })
    if (!this.#onDamaged) {
      if (before.length > 0) return false
      this.#damaged.add(sequence)
      throw error
    }
    if (!this.#damaged.has(sequence)) {
      this.#damaged.add(sequence)
      this.#onDamaged(error)
    }
    return true
  }

  #ask<T>(question: () => T): T {
    try {
      return question()
    } catch (error) {
      throw toJournalError(error)
    }
  }
}
