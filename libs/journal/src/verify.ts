import type { Database } from 'better-sqlite3'
import { type Block, BlockCursor, isDirectorySound } from './block.js'
import { openForReading } from './database.js'
import { storageFailure, toJournalError } from './errors.js'

/** So many findings of each kind are named; all are counted. */
const NAMED = 1_000

export interface JournalReport {
  /** True: every record kept is as it was written, none is missing between the first and the last. */
  readonly sound: boolean
  readonly blocks: number
  readonly records: number
  /** Heads, bodies and frames. */
  readonly bytes: number
  /** Sequences of the oldest and the newest record; 0 when there is none. */
  readonly first: number
  readonly last: number
  readonly damagedRecords: number
  /** Their sequences, ascending, at most the first 1,000. */
  readonly damaged: readonly number[]
  /** First sequences of blocks whose directory or row fields are damaged; their records may be sound. At most 1,000. */
  readonly damagedBlocks: readonly number[]
  /** Sequences that should be there and are not. At most 1,000. */
  readonly missing: readonly { readonly from: number; readonly to: number }[]
  /** What SQLite's own integrity check found. */
  readonly structure: readonly string[]
}

/**
 * Reads every byte of the journal in `dir` and says what is wrong with it. Changes nothing, and runs beside a writer.
 *
 * Throws QT_JOURNAL_MISSING, QT_JOURNAL_FORMAT, QT_JOURNAL_CORRUPT (not even the list of blocks can be read) or QT_JOURNAL_IO.
 */
export function verifyJournal(dir: string): JournalReport {
  const db = openForReading(dir)
  try {
    const tally = new Tally()
    for (const block of blocks(db)) tally.add(block, first => wasDeletedMeanwhile(db, first))
    return tally.report(checkStructure(db))
  } catch (error) {
    throw toJournalError(error)
  } finally {
    db.close()
  }
}

type MaybeBlock = Omit<Block, 'directory' | 'bytes'> & { contents: Pick<Block, 'directory' | 'bytes'> | null }

/** Block by block, so that no long read keeps the writer's log from being folded. */
function* blocks(db: Database): Generator<MaybeBlock> {
  const header = db.prepare<[number], Omit<Block, 'directory' | 'bytes'>>(
    'SELECT first, count, committed_at AS committedAt FROM block WHERE first > ? ORDER BY first LIMIT 1'
  )
  const contents = db.prepare<[number], Pick<Block, 'directory' | 'bytes'>>('SELECT directory, bytes FROM block WHERE first = ?')
  for (let row = header.get(Number.MIN_SAFE_INTEGER); row; row = header.get(row.first)) {
    const { first } = row
    yield { ...row, contents: readable(() => contents.get(first)) }
  }
}

function readable<T>(read: () => T | undefined): T | null {
  try {
    return read() ?? null
  } catch (error) {
    if (storageFailure(error)?.code === 'QT_JOURNAL_CORRUPT') return null
    throw error
  }
}

/** Retention takes from the front: a block that went while this reads took all before it along. */
function wasDeletedMeanwhile(db: Database, first: number): boolean {
  return db.prepare('SELECT 1 FROM block WHERE first = ?').get(first) === undefined
}

function checkStructure(db: Database): string[] {
  const lines = readable(() => db.pragma(`integrity_check(${NAMED})`) as { integrity_check: string }[])
  const findings = lines?.map(line => line.integrity_check) ?? ['the integrity check itself could not read the file']
  return findings.filter(finding => finding !== 'ok')
}

class Tally {
  #blocks = 0
  #records = 0
  #bytes = 0
  #first = 0
  #last = 0
  #lastBlock = 0
  #damagedRecords = 0
  readonly #damaged: number[] = []
  readonly #damagedBlocks: number[] = []
  readonly #missing: { from: number; to: number }[] = []

  add({ contents, ...header }: MaybeBlock, wasDeleted: (first: number) => boolean): void {
    const { first, count } = header
    if (contents === null && wasDeleted(first)) return
    if (this.#blocks > 0 && first !== this.#last + 1 && !wasDeleted(this.#lastBlock)) {
      this.#missing.push({ from: this.#last + 1, to: first - 1 })
    }
    this.#blocks++
    if (this.#first === 0) this.#first = first
    this.#lastBlock = first
    this.#last = first + count - 1
    this.#walk({ ...header, ...(contents ?? { directory: new Uint8Array(0), bytes: new Uint8Array(0) }) })
  }

  report(structure: string[]): JournalReport {
    const { length } = this.#damagedBlocks
    return {
      sound: this.#damagedRecords === 0 && length === 0 && this.#missing.length === 0 && structure.length === 0,
      blocks: this.#blocks,
      records: this.#records,
      bytes: this.#bytes,
      first: this.#first,
      last: this.#last,
      damagedRecords: this.#damagedRecords,
      damaged: this.#damaged,
      damagedBlocks: this.#damagedBlocks.slice(0, NAMED),
      missing: this.#missing.slice(0, NAMED),
      structure
    }
  }

  #walk(block: Block): void {
    const cursor = new BlockCursor(block)
    let damaged = 0
    while (!cursor.done) {
      const { sequence } = cursor
      if (cursor.next() !== null) continue
      damaged++
      if (this.#damaged.length < NAMED) this.#damaged.push(sequence)
    }
    this.#records += block.count
    this.#bytes += block.bytes.length
    this.#damagedRecords += damaged
    if (!isDirectorySound(block) || (damaged === 0 && cursor.position !== block.bytes.length)) this.#damagedBlocks.push(block.first)
  }
}
