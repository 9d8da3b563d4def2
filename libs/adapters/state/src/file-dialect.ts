import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  type QueryCompiler,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler
} from 'kysely'
import { asStateError, isBusy, StateError } from './errors.js'

/**
 * All that is SQLite about the state, so that PostgreSQL can take its place: how the file is opened, how a transaction
 * begins, and the names of column types. Everything else goes through Kysely's builder.
 *
 * - `power-safe` (synchronous=FULL): a commit is on the disk when it returns. `kill-safe` (synchronous=NORMAL): a commit
 *   survives the end of the process, not a power cut; it costs no fsync.
 * - A write begins IMMEDIATE and waits for its turn, up to BUSY_MS, **without blocking the thread**. SQLite's own waiting
 *   is synchronous: a thread with two connections would wait for itself, and an event loop would stand still.
 * - A write outside a transaction gets one of its own, so that it waits the same way.
 */
export type Synchronous = 'power-safe' | 'kill-safe'

/** How long a write waits for the other threads and programs that use the file. */
const BUSY_MS = 5_000
const LONGEST_STEP_MS = 16
const STATEMENTS_KEPT = 200
/** A burst may grow the write-ahead file; after a checkpoint it is cut back to this. */
const WAL_BYTES = 32 * 2 ** 20

export class FileDialect implements Dialect {
  readonly #file: string
  readonly #synchronous: Synchronous

  constructor(file: string, synchronous: Synchronous) {
    this.#file = file
    this.#synchronous = synchronous
  }

  createDriver(): Driver {
    return new FileDriver(this.#file, this.#synchronous)
  }

  createAdapter(): DialectAdapter {
    return new FileAdapter()
  }

  createIntrospector(db: Kysely<never>): DatabaseIntrospector {
    return new SqliteIntrospector(db)
  }

  createQueryCompiler(): QueryCompiler {
    return new SqliteQueryCompiler()
  }
}

/** SQLite's DDL is transactional, which Kysely does not count on: with it a migration is there whole or not at all. */
class FileAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

class FileDriver implements Driver {
  readonly #file: string
  readonly #synchronous: Synchronous
  #connection: FileConnection | null = null
  #turn: Promise<void> = Promise.resolve()
  #endTurn: () => void = () => {}

  constructor(file: string, synchronous: Synchronous) {
    this.#file = file
    this.#synchronous = synchronous
  }

  init(): Promise<void> {
    return settle(() => {
      this.#connection ??= new FileConnection(openFile(this.#file, this.#synchronous))
    })
  }

  /** One at a time, in the order of asking. */
  async acquireConnection(): Promise<FileConnection> {
    const before = this.#turn
    let end = (): void => {}
    this.#turn = new Promise(resolve => {
      end = resolve
    })
    await before
    this.#endTurn = end
    if (this.#connection) return this.#connection
    end()
    throw new StateError('QT_STATE_FAILED', 'state.sqlite is closed')
  }

  releaseConnection(): Promise<void> {
    this.#endTurn()
    return Promise.resolve()
  }

  beginTransaction(connection: FileConnection): Promise<void> {
    return connection.begin()
  }

  commitTransaction(connection: FileConnection): Promise<void> {
    return settle(() => connection.commit())
  }

  rollbackTransaction(connection: FileConnection): Promise<void> {
    return settle(() => connection.rollback())
  }

  /** Waits for the transaction at hand. */
  async destroy(): Promise<void> {
    if (!this.#connection) return
    const connection = await this.acquireConnection()
    this.#connection = null
    connection.close()
    this.#endTurn()
  }
}

function openFile(file: string, synchronous: Synchronous): Database.Database {
  const db = new Database(file, { timeout: BUSY_MS })
  try {
    db.pragma('cache_size = -2000') // KiB; several connections are open at once
    db.pragma('journal_mode = wal')
    db.pragma(`synchronous = ${synchronous === 'power-safe' ? 'full' : 'normal'}`)
    db.pragma(`journal_size_limit = ${WAL_BYTES}`)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

class FileConnection implements DatabaseConnection {
  readonly #db: Database.Database
  readonly #statements = new Map<string, Database.Statement>()

  constructor(db: Database.Database) {
    this.#db = db
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const alone = !this.#db.inTransaction && !(await settle(() => this.#prepare(query.sql))).readonly
    if (!alone) return settle(() => this.#run<R>(query))
    await this.begin()
    return settle(() => {
      try {
        const result = this.#run<R>(query)
        this.commit()
        return result
      } catch (error) {
        this.rollback()
        throw error
      }
    })
  }

  // biome-ignore lint/correctness/useYield: Kysely's interface wants a generator; nothing here streams
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new StateError('QT_STATE_FAILED', 'the state store does not stream; read by pages')
  }

  async begin(): Promise<void> {
    const deadline = performance.now() + BUSY_MS
    for (let wait = 1; !(await settle(() => this.#tryBegin())); wait = Math.min(wait * 2, LONGEST_STEP_MS)) {
      if (performance.now() > deadline) {
        throw new StateError('QT_STATE_BUSY', `another thread or program kept state.sqlite locked for ${BUSY_MS / 1000} s`)
      }
      await sleep(wait)
    }
  }

  #tryBegin(): boolean {
    this.#db.pragma('busy_timeout = 0')
    try {
      this.#prepare('begin immediate').run()
      return true
    } catch (error) {
      if (isBusy(error)) return false
      throw error
    } finally {
      this.#db.pragma(`busy_timeout = ${BUSY_MS}`)
    }
  }

  commit(): void {
    this.#prepare('commit').run()
  }

  /** A full disk makes SQLite roll back by itself; then there is nothing left to do. */
  rollback(): void {
    if (this.#db.inTransaction) this.#prepare('rollback').run()
  }

  close(): void {
    this.#db.close()
  }

  #run<R>(query: CompiledQuery): QueryResult<R> {
    const statement = this.#prepare(query.sql)
    if (statement.reader) return { rows: statement.all(query.parameters) as R[] }
    const { changes } = statement.run(query.parameters)
    return { rows: [], numAffectedRows: BigInt(changes) }
  }

  /** Compiled statements, the most recently used ones. */
  #prepare(sql: string): Database.Statement {
    const statement = this.#statements.get(sql) ?? this.#db.prepare(sql)
    this.#statements.delete(sql)
    this.#statements.set(sql, statement)
    const [oldest] = this.#statements.keys()
    if (this.#statements.size > STATEMENTS_KEPT && oldest !== undefined) this.#statements.delete(oldest)
    return statement
  }
}

/** Runs synchronous work as a promise whose rejection carries a code of ours. */
function settle<T>(work: () => T): Promise<T> {
  try {
    return Promise.resolve(work())
  } catch (error) {
    return Promise.reject(asStateError(error))
  }
}
