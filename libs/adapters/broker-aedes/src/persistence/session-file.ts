import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import {
  type FileContent,
  type FromWriter,
  type Operation,
  QUERIES,
  SCHEMA,
  SCHEMA_VERSION,
  STATEMENTS,
  type StatementName,
  type WriterSetup
} from './schema.js'

/** A predecessor that is just being stopped gets this long to let go of the file. */
const LOCK_WAIT_MS = 1_000
const PAGE_BYTES = 4_096

export type Written = Extract<FromWriter, { kind: 'written' }>

/**
 * `sessions.sqlite`, opened by one process and in it by one thread.
 *
 * - Write-ahead log. A second server on the same data directory is refused by an exclusive lock on the empty file
 *   `sessions.lock` beside it, a lock of the kernel that ends with the process. The file itself is not locked, so that
 *   a backup copies it while the server runs.
 * - A batch is one transaction. It is committed with synchronous=FULL when something in it was promised to somebody (a queued
 *   message, a subscription, a retained message, a will, a step of QoS 2): that commit has been fsynced before the promise
 *   resolves, and survives a power cut. Other batches (identifiers given to QoS 1 messages, acknowledged ones taken away) are
 *   committed with synchronous=NORMAL: they survive the death of the process; after a power cut such a message is sent again,
 *   as "at least once" allows.
 * - When a batch fails (disk full), its changes are tried one by one: one that cannot be kept does not take the others along.
 */
export class SessionFile {
  readonly #db: Database.Database
  readonly #lock: Database.Database
  readonly #statements: Map<StatementName, Database.Statement>

  private constructor(db: Database.Database, lock: Database.Database) {
    this.#db = db
    this.#lock = lock
    const prepared = Object.entries(STATEMENTS).map(([name, sql]) => [name as StatementName, db.prepare(sql)] as const)
    this.#statements = new Map(prepared)
  }

  /** @throws SqliteError SQLITE_BUSY when another process has it, and others when it is no such file */
  static open({ file, maxBytes }: WriterSetup): SessionFile {
    const lock = takeLock(join(dirname(file), 'sessions.lock'))
    const db = new Database(file, { timeout: LOCK_WAIT_MS })
    try {
      db.pragma(`page_size = ${PAGE_BYTES}`)
      db.pragma('journal_mode = WAL')
      db.pragma(`max_page_count = ${Math.max(1, Math.floor(maxBytes / PAGE_BYTES))}`)
      db.pragma('synchronous = FULL')
      const version = db.pragma('user_version', { simple: true })
      if (version === 0) db.transaction(() => db.exec(SCHEMA))()
      else if (version !== SCHEMA_VERSION) throw new Error(`layout ${String(version)} is not known to this version of the program`)
      return new SessionFile(db, lock)
    } catch (error) {
      db.close()
      lock.close()
      throw error
    }
  }

  /** Whether the last commit was fsynced before `write` returned. */
  get isDurable(): boolean {
    return this.#db.pragma('synchronous', { simple: true }) === 2
  }

  readAll(): FileContent {
    const rows = Object.entries(QUERIES).map(([name, sql]) => [name, this.#db.prepare(sql).all()] as const)
    return Object.fromEntries(rows) as unknown as FileContent
  }

  write(operations: readonly Operation[], durable: boolean): Written {
    if (durable !== this.isDurable) this.#db.pragma(`synchronous = ${durable ? 'FULL' : 'NORMAL'}`)
    try {
      this.#db.transaction(() => operations.forEach(operation => this.#run(operation)))()
      return { kind: 'written', failed: [] }
    } catch {
      return this.#oneByOne(operations)
    }
  }

  close(): void {
    this.#db.close()
    this.#lock.close()
  }

  #oneByOne(operations: readonly Operation[]): Written {
    const failed: number[] = []
    let first: unknown
    operations.forEach((operation, place) => {
      try {
        this.#run(operation)
      } catch (error) {
        first ??= error
        failed.push(place)
      }
    })
    return failed.length === 0 ? { kind: 'written', failed } : { kind: 'written', failed, ...describe(first) }
  }

  #run([name, ...values]: Operation): void {
    this.#statements.get(name)?.run(...values)
  }
}

function takeLock(file: string): Database.Database {
  const lock = new Database(file, { timeout: LOCK_WAIT_MS })
  try {
    lock.exec('BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock.close()
    throw error
  }
}

export function describe(error: unknown): { code: string; message: string } {
  const { code = 'UNKNOWN', message } = error as { code?: string; message: string }
  return { code, message }
}
