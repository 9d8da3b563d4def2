import type { Socket } from 'node:net'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryCompiler,
  type QueryResult
} from 'kysely'
import type { PoolClient } from 'pg'
import { Pool } from 'pg'
import { asServerError, StateError } from './errors.js'
import { answered, type Cuttable, clientConfig, PATIENCE, type Patience, placeOf, setUp, WRITERS } from './server-session.js'

const CONNECTIONS = 6
const IDLE_MS = 60_000
/** What a closing pool waits for statements at hand and for the far side's goodbye. */
const CLOSE_MS = 3_000

/**
 * All that is PostgreSQL about the state's statements; the file's twin is file-dialect.ts.
 *
 * - A transaction begins with one advisory lock that every writer takes, so they follow one another as on the file: each sees
 *   what the one before has committed. READ COMMITTED, hence with a fresh look for every statement after the wait.
 * - A connection that broke, or did not answer in time, leaves the pool; the next statement makes a new one.
 * - Text of strangers may hold U+0000, which PostgreSQL's text cannot: it becomes U+FFFD.
 */
export class ServerDialect implements Dialect {
  readonly #url: string
  readonly #owner: string | null
  readonly #patience: Patience

  /** @param owner the server that the connections speak for: see server-lock.ts; null for programs beside it */
  constructor(url: string, owner: string | null, patience = PATIENCE) {
    this.#url = url
    this.#owner = owner
    this.#patience = patience
  }

  createDriver(): Driver {
    return new ServerDriver(this.#url, this.#owner, this.#patience)
  }

  createAdapter(): DialectAdapter {
    return new PostgresAdapter()
  }

  createIntrospector(db: Kysely<never>): DatabaseIntrospector {
    return new PostgresIntrospector(db)
  }

  createQueryCompiler(): QueryCompiler {
    return new PostgresQueryCompiler()
  }
}

class ServerDriver implements Driver {
  readonly #place: string
  readonly #owner: string | null
  readonly #sockets = new Set<Socket>()
  readonly #connections = new WeakMap<PoolClient, ServerConnection>()
  readonly #patience: Patience
  readonly #pool: Pool

  constructor(url: string, owner: string | null, patience: Patience) {
    this.#patience = patience
    this.#place = placeOf(url)
    this.#owner = owner
    this.#pool = new Pool({ ...clientConfig(url, this.#sockets), max: CONNECTIONS, idleTimeoutMillis: IDLE_MS })
    // Connections break while nobody waits for them; without these listeners that would end the process.
    this.#pool.on('error', () => {})
    this.#pool.on('connect', client => client.on('error', () => {}))
  }

  init(): Promise<void> {
    return Promise.resolve()
  }

  async acquireConnection(): Promise<ServerConnection> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw asServerError(error, this.#place)
    })
    const known = this.#connections.get(client)
    if (known) return known
    try {
      const { lockMs } = this.#patience
      await answered(client as PoolClient & Cuttable, () => setUp(client, this.#place, { owner: this.#owner, lockMs }), this.#patience)
    } catch (error) {
      client.release(true)
      throw asServerError(error, this.#place)
    }
    const connection = new ServerConnection(client as PoolClient & Cuttable, this.#place, this.#patience)
    this.#connections.set(client, connection)
    return connection
  }

  async releaseConnection(connection: ServerConnection): Promise<void> {
    connection.release()
  }

  /** Kysely undoes only what has begun: a transaction that waited in vain for its turn is given up here. */
  async beginTransaction(connection: ServerConnection): Promise<void> {
    try {
      await connection.say(`begin isolation level read committed; select pg_advisory_xact_lock(${WRITERS})`)
    } catch (error) {
      await this.rollbackTransaction(connection)
      throw error
    }
  }

  /** A transaction in which a statement failed ends with ROLLBACK, whatever is said to it. */
  async commitTransaction(connection: ServerConnection): Promise<void> {
    const command = await connection.say('commit')
    if (command !== 'COMMIT') throw new StateError('QT_STATE_FAILED', `${this.#place} has undone the transaction`)
  }

  /** What cannot be undone by a word is undone by the end of its connection. */
  async rollbackTransaction(connection: ServerConnection): Promise<void> {
    await connection.say('rollback').catch(() => connection.discard())
  }

  async destroy(): Promise<void> {
    const cut = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy()
    }, CLOSE_MS)
    await this.#pool.end()
    clearTimeout(cut)
  }
}

class ServerConnection implements DatabaseConnection {
  readonly #client: PoolClient & Cuttable
  readonly #place: string
  readonly #patience: Patience
  #broken = false

  constructor(client: PoolClient & Cuttable, place: string, patience: Patience) {
    this.#client = client
    this.#place = place
    this.#patience = patience
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { command, rowCount, rows } = await this.#query(sql, parameters.map(storable))
    const changed = ['INSERT', 'UPDATE', 'DELETE'].includes(command) ? { numAffectedRows: BigInt(rowCount ?? 0) } : {}
    return { ...changed, rows: rows as R[] }
  }

  // biome-ignore lint/correctness/useYield: Kysely's interface wants a generator; nothing here streams
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new StateError('QT_STATE_FAILED', 'the state store does not stream; read by pages')
  }

  /** A statement without parameters; the word that it ended with. */
  async say(sql: string): Promise<string> {
    return (await this.#query(sql)).command
  }

  /** Ends the connection when it is released. */
  discard(): void {
    this.#broken = true
  }

  release(): void {
    this.#client.release(this.#broken)
  }

  async #query(sql: string, parameters?: unknown[]) {
    try {
      return await answered(this.#client, () => this.#client.query(sql, parameters), this.#patience)
    } catch (error) {
      throw asServerError(error, this.#place)
    }
  }
}

const storable = (value: unknown): unknown => (typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\uFFFD') : value)
