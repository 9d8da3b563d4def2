import { statSync } from 'node:fs'
import type { Database, Statement } from 'better-sqlite3'
import { type Block, bodyOfFrame, DIRECTORY_ENTRY_BYTES, isDirectorySound, sameBytes, soundFrameEnd } from './block.js'
import { memoryOf } from './crc.js'
import { FIRST_SEQUENCE, LAST_SEQUENCE, openForWriting } from './database.js'
import { storageFailure } from './errors.js'

const ROW = 'first, count, committed_at AS committedAt'

/** Blocks kept in memory for comparing bodies. */
const CACHED_BLOCKS = 16

const DIRECTORIES = 'SELECT first, count, committed_at, ?column FROM block WHERE first >= ? ORDER BY first LIMIT 1000'
type DirectoryRow = [first: number, count: number, committedAt: number, directory: Uint8Array | null]

/** A consumer's new position; null = the consumer is forgotten. */
export type Marks = ReadonlyMap<string, number | null>

/** A block without its contents. */
export interface BlockSpan {
  readonly first: number
  readonly count: number
  readonly committedAt: number
  readonly bytes: number
}

/** The writer's connection: all statements that change the file. */
export class BlockStore {
  readonly #db: Database
  readonly #walFile: string
  readonly #pageSize: number
  readonly #insert: Statement
  readonly #begin: Statement
  readonly #commit: Statement
  readonly #rollback: Statement
  readonly #blockAt: Statement<[number], Block>
  #cache: Block[] = []

  constructor(file: string, walBytes: number) {
    this.#db = openForWriting(file, walBytes)
    this.#walFile = `${file}-wal`
    this.#pageSize = Number(this.#db.pragma('page_size', { simple: true }))
    this.#begin = this.#db.prepare('BEGIN IMMEDIATE')
    this.#commit = this.#db.prepare('COMMIT')
    this.#rollback = this.#db.prepare('ROLLBACK')
    this.#insert = this.#db.prepare('INSERT INTO block (first, count, committed_at, directory, bytes) VALUES (?, ?, ?, ?, ?)')
    this.#blockAt = this.#db.prepare(`SELECT ${ROW}, directory, bytes FROM block WHERE first <= ? ORDER BY first DESC LIMIT 1`)
  }

  lastSequence(): number {
    return this.#number(LAST_SEQUENCE)
  }

  /** Sequence of the oldest record kept; 0 when there is none. */
  firstSequence(): number {
    return this.#number(FIRST_SEQUENCE)
  }

  cursors(): Map<string, number> {
    const rows = this.#db.prepare<[], { name: string; sequence: number }>('SELECT name, sequence FROM cursor').all()
    return new Map(rows.map(row => [row.name, row.sequence]))
  }

  /** Runs `work` in one transaction, durable when this returns; nothing of it is left when this throws. */
  transact(work: () => void): void {
    this.#begin.run()
    try {
      work()
      this.#commit.run()
    } catch (error) {
      if (this.#db.inTransaction) this.#rollback.run() // SQLite has already rolled back when the disk failed
      throw error
    }
  }

  insert({ first, count, committedAt, directory, bytes }: Block): void {
    this.#insert.run(first, count, committedAt, directory, bytes)
  }

  saveMarks(marks: Marks): void {
    const save = this.#db.prepare(
      'INSERT INTO cursor (name, sequence) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET sequence = excluded.sequence'
    )
    const forget = this.#db.prepare('DELETE FROM cursor WHERE name = ?')
    for (const [name, sequence] of marks) {
      if (sequence === null) forget.run(name)
      else save.run(name, sequence)
    }
  }

  /** The oldest blocks, at most `limit`, contents left on disk. */
  oldest(limit: number): BlockSpan[] {
    return this.#db.prepare<[number], BlockSpan>(`SELECT ${ROW}, length(bytes) AS bytes FROM block ORDER BY first LIMIT ?`).all(limit)
  }

  /** Deletes the blocks that begin at or before `first`; `lastSequence` is remembered as used. */
  deleteUpTo(first: number, lastSequence: number): void {
    this.#cache = []
    this.#db
      .prepare("INSERT INTO meta (name, value) VALUES ('highWater', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value")
      .run(lastSequence)
    this.#db.prepare('DELETE FROM block WHERE first <= ?').run(first)
  }

  /** Bytes of the pages in use; freed pages are used again before the file grows, so they do not count. */
  pageBytes(): number {
    const pages = Number(this.#db.pragma('page_count', { simple: true })) - Number(this.#db.pragma('freelist_count', { simple: true }))
    return pages * this.#pageSize
  }

  /** Length of the write-ahead log's file. */
  walBytes(): number {
    return statSync(this.#walFile, { throwIfNoEntry: false })?.size ?? 0
  }

  /** The most that a block of so many bytes can add to the pages in use, and to the log. */
  costOf(bytes: number): number {
    return (Math.ceil(bytes / (this.#pageSize - 4)) + 4) * (this.#pageSize + 24)
  }

  /** Folds the log into the file: as far as readers allow (`PASSIVE`), or wholly, giving the log's room back (`TRUNCATE`). */
  checkpoint(mode: 'PASSIVE' | 'TRUNCATE'): void {
    this.#db.pragma(`wal_checkpoint(${mode})`)
  }

  /** Writes so many bytes durably and deletes them again; throws what the disk answers. */
  probe(bytes: number): void {
    this.#db.exec('DELETE FROM probe') // of a probe that a kill cut short
    this.#db.prepare('INSERT INTO probe (bytes) VALUES (zeroblob(?))').run(bytes)
    this.#db.exec('DELETE FROM probe')
  }

  /** Calls `see` with the CRC of each body from `from` on, in order; 0 where the directory is damaged. */
  eachBodyCrc(from: number, see: (sequence: number, bodyCrc: number) => void): void {
    let next = this.#number(`SELECT max(first) FROM block WHERE first <= ${from}`)
    for (let rows = this.#directories(next); rows.length > 0; rows = this.#directories(next)) {
      for (const [first, count, committedAt, directory] of rows) {
        const isSound = directory !== null && isDirectorySound({ first, count, committedAt, directory })
        const entries = isSound ? memoryOf(directory).view : null
        for (let index = Math.max(0, from - first); index < count; index++) {
          see(first + index, entries?.getUint32(index * DIRECTORY_ENTRY_BYTES + 4, true) ?? 0)
        }
        next = first + count
      }
    }
  }

  /** True when the record is kept, sound, and has this body. */
  holds(sequence: number, body: Uint8Array): boolean {
    const block = this.#soundBlockOf(sequence)
    if (!block) return false
    const at = memoryOf(block.directory).view.getUint32((sequence - block.first) * DIRECTORY_ENTRY_BYTES, true)
    const memory = memoryOf(block.bytes)
    return soundFrameEnd(memory, at, sequence) > 0 && sameBytes(bodyOfFrame(memory, at), body)
  }

  close(): void {
    this.#db.close()
  }

  #soundBlockOf(sequence: number): Block | undefined {
    const known = this.#cache.find(block => sequence >= block.first && sequence < block.first + block.count)
    if (known) return known
    const block = whereReadable(() => this.#blockAt.get(sequence))
    if (!block || sequence >= block.first + block.count || !isDirectorySound(block)) return undefined
    if (this.#cache.push(block) > CACHED_BLOCKS) this.#cache.shift()
    return block
  }

  /** Many at a time, since a call costs more than a row; one by one only where SQLite stumbles over a broken one. */
  #directories(from: number): DirectoryRow[] {
    const query = (column: string) => this.#db.prepare<[number], DirectoryRow>(DIRECTORIES.replace('?column', column)).raw()
    const rows = whereReadable(() => query('directory').all(from))
    if (rows) return rows
    const one = this.#db.prepare<[number], Uint8Array>('SELECT directory FROM block WHERE first = ?').pluck()
    return query('NULL')
      .all(from)
      .map(([first, count, committedAt]) => [first, count, committedAt, whereReadable(() => one.get(first)) ?? null])
  }

  #number(sql: string): number {
    return this.#db.prepare<[], number>(sql).pluck().get() ?? 0
  }
}

/** A block that SQLite finds broken has nothing to compare with: verify names it. */
function whereReadable<T>(read: () => T | undefined): T | undefined {
  try {
    return read()
  } catch (error) {
    if (storageFailure(error)?.code === 'QT_JOURNAL_CORRUPT') return undefined
    throw error
  }
}
