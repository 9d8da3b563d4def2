import { join } from 'node:path'
import type { Database } from 'better-sqlite3'
import type { Millis, Reading } from '#libs/model'
import { EARLIEST, LATEST } from '#libs/model'
import type { Conflict, DayDigest, RangeQuery, ReadingFate, StoredReading, TimeSeriesStore, WriteOutcome } from '#libs/pipeline'
import { digestOf } from '#libs/pipeline'
import { BatchWriter } from './batch-writer.js'
import { ConflictTable } from './conflict-table.js'
import { StoreError, storeError } from './errors.js'
import { FateTable } from './fate-table.js'
import { FILE_NAME, openFile } from './file.js'
import { hourOf } from './part.js'
import type { StoreStats } from './reader.js'
import { Reader } from './reader.js'
import type { Deleted } from './retention.js'
import { deleteOlder } from './retention.js'

/** Points that `readAll` hands over at a time. */
const PAGE = 20_000

export interface SqliteStoreOptions {
  /** Directory of `series.sqlite`; made where it is missing, except by a reader. */
  readonly dataDir: string
  /** For other threads and processes: every question, no write. The writer must have opened the store once before. */
  readonly readOnly?: boolean
  /** Largest size of the file in bytes, WAL not counted. A write beyond it throws QT_STORE_FULL. Default: the disk's. */
  readonly maxBytes?: number
  /** Called within each write, after its points and before the cursor: where the kill proof ends the process. */
  readonly beforeCursor?: () => void
}

/**
 * The time series in one SQLite file: points packed in one row per series and hour (part.ts), in WAL mode with
 * `synchronous = NORMAL`. The cursor moves in the transaction that writes the points, so a power cut takes away both or none,
 * and the journal replays what is missing: keep journal records for some minutes after the cursor has passed them.
 *
 * One writer at a time is meant; a second one costs it its memory, nothing else. All work is synchronous: run it in a worker.
 * Every method throws a StoreError, and has then changed nothing.
 */
export class SqliteStore implements TimeSeriesStore {
  readonly #db: Database
  readonly #file: string
  readonly #reader: Reader
  readonly #conflicts: ConflictTable
  readonly #fates: FateTable
  readonly #writer: BatchWriter | null

  private constructor(db: Database, file: string, beforeCursor: () => void) {
    this.#db = db
    this.#file = file
    this.#reader = new Reader(db)
    this.#conflicts = new ConflictTable(db)
    this.#fates = new FateTable(db)
    this.#writer = db.readonly ? null : new BatchWriter(db, beforeCursor)
  }

  /** Throws QT_STORE_OPEN, QT_STORE_FORMAT, QT_STORE_FULL; with `readOnly` QT_STORE_ABSENT before a writer has made the file. */
  static async open({ dataDir, readOnly = false, maxBytes, beforeCursor = () => {} }: SqliteStoreOptions): Promise<SqliteStore> {
    const db = openFile({ dataDir, readOnly, maxBytes })
    try {
      return new SqliteStore(db, join(dataDir, FILE_NAME), beforeCursor)
    } catch (error) {
      db.close()
      throw storeError(error, join(dataDir, FILE_NAME))
    }
  }

  async cursor(): Promise<number> {
    return this.#run(() => this.#reader.cursor())
  }

  /**
   * All or nothing. Of two readings of one identity the higher revision stays; of equal revisions the one of the earlier journal
   * record, and the other becomes a conflict if value, unit or status differ. A conflict that is known already counts as repeated.
   */
  async write(readings: readonly StoredReading[], upTo: number): Promise<WriteOutcome> {
    return this.#run(() => this.#writing().write(readings, upTo))
  }

  async latest(stations?: readonly string[], before: Millis = LATEST): Promise<Reading[]> {
    return this.#run(() => this.#reader.latest(stations, Math.ceil(before)))
  }

  async range(query: RangeQuery): Promise<Reading[]> {
    return this.#run(() => this.#reader.range(query))
  }

  /** A page never ends inside a journal record: it may be shorter than `limit`, and is longer where one record alone has more. */
  async conflicts(after: number, limit: number): Promise<Conflict[]> {
    return this.#run(() => this.#conflicts.list(after, limit))
  }

  /** Every reading with its journal sequence, ordered by station, parameter and instant, in batches. Writes may go on meanwhile. */
  async *readAll({ from = EARLIEST, to = LATEST }: { readonly from?: Millis; readonly to?: Millis } = {}): AsyncGenerator<StoredReading[]> {
    for (const key of this.#run(() => this.#reader.series())) {
      for (let start = from; start < to; ) {
        const page = this.#run(() => this.#reader.stored({ ...key, from: start, to, limit: PAGE }))
        if (page.length > 0) yield page
        if (page.length < PAGE) break
        start = (page.at(-1)?.at ?? to) + 1
      }
    }
  }

  /** Counts and checksums per series and day of UTC+7 of `from <= at < to`. */
  digest(from: Millis = EARLIEST, to: Millis = LATEST): Promise<DayDigest[]> {
    return digestOf(this.readAll({ from, to }))
  }

  async fates(after: number, upTo: number): Promise<ReadingFate[]> {
    return this.#run(() => this.#fates.list(after, upTo))
  }

  async stats(): Promise<StoreStats> {
    return this.#run(() => this.#reader.stats())
  }

  /** Deletes whole hours, those that end at or before `at`; the newest point of a series stays. Writes may go on meanwhile. */
  async deleteBefore(at: Millis): Promise<Deleted> {
    const writer = this.#run(() => this.#writing())
    try {
      return await deleteOlder(this.#db, hourOf(Math.max(0, Math.floor(at))), () => writer.forget())
    } catch (error) {
      throw storeError(error, this.#file)
    }
  }

  /** Safe to call twice. */
  async close(): Promise<void> {
    this.#db.close()
  }

  #writing(): BatchWriter {
    if (!this.#writer) throw new StoreError('QT_STORE_MISUSE', `${this.#file}: the store was opened to read only`)
    return this.#writer
  }

  #run<T>(work: () => T): T {
    if (!this.#db.open) throw new StoreError('QT_STORE_MISUSE', `${this.#file}: the store is closed`)
    try {
      return work()
    } catch (error) {
      throw storeError(error, this.#file)
    }
  }
}
