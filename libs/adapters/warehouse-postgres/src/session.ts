import { Socket } from 'node:net'
import { Pool, type PoolClient } from 'pg'
import { type Millis, SECOND } from '#libs/model'
import { CodedError } from '#libs/platform'
import { migrate } from './migrate.js'

const CONNECTIONS = 2
const CONNECT: Millis = 5 * SECOND
const IDLE: Millis = 60 * SECOND
const CLOSE: Millis = 3 * SECOND
/** `sha256()` came with 11, and only 12 writes a double so that it is read back to the last bit. */
const OLDEST = 120_000

export interface SessionOptions {
  readonly url: string
  readonly timeoutMs: Millis
}

/**
 * Connections to the warehouse's database. A new one is made ours: time-outs on both sides, commits that are on the disk, and the
 * schema as it must be. Nothing is connected before the first call, so a warehouse that is away stops no start.
 */
export class Session {
  readonly #timeoutMs: Millis
  readonly #pool: Pool
  readonly #sockets = new Set<Socket>()
  readonly #ready = new WeakSet<PoolClient>()

  constructor({ url, timeoutMs }: SessionOptions) {
    this.#timeoutMs = timeoutMs
    this.#pool = new Pool({
      connectionString: url,
      application_name: 'quantrac',
      max: CONNECTIONS,
      idleTimeoutMillis: IDLE,
      connectionTimeoutMillis: CONNECT,
      keepAlive: true,
      stream: () => this.#newSocket()
    })
    // Connections break while nobody waits for them; without these listeners that would end the process.
    this.#pool.on('error', () => {})
    this.#pool.on('connect', client => client.on('error', () => {}))
  }

  /** Runs `work` with a connection, which is cut off when the signal says so or nothing is answered in time. */
  async use<T>(signal: AbortSignal, work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#connect(signal)
    const limit = AbortSignal.timeout(this.#timeoutMs)
    const until = AbortSignal.any([signal, limit])
    const cut = () => socketOf(client).destroy()
    until.addEventListener('abort', cut, { once: true })
    try {
      if (until.aborted) cut()
      if (!this.#ready.has(client)) await this.#setUp(client)
      const result = await work(client)
      client.release()
      return result
    } catch (error) {
      client.release(isBroken(error, until))
      if (limit.aborted) throw new Error(`no answer within ${this.#timeoutMs / SECOND} s`)
      throw error
    } finally {
      until.removeEventListener('abort', cut)
    }
  }

  /** A connection that comes after the signal goes back at once. */
  #connect(signal: AbortSignal): Promise<PoolClient> {
    signal.throwIfAborted()
    return new Promise((resolve, reject) => {
      const stop = () => reject(new Error('broken off'))
      signal.addEventListener('abort', stop, { once: true })
      this.#pool.connect().then(client => {
        signal.removeEventListener('abort', stop)
        if (signal.aborted) client.release()
        else resolve(client)
      }, reject)
    })
  }

  /** Waits for what is at hand, not for a far side that says nothing. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#pool.ended || this.#pool.ending) return
    const timer = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy()
    }, CLOSE)
    await this.#pool.end().finally(() => clearTimeout(timer))
  }

  #newSocket(): Socket {
    const socket = new Socket()
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    return socket
  }

  async #setUp(client: PoolClient): Promise<void> {
    const { rows } = await client.query<{ version: number; encoding: string }>(settings(this.#timeoutMs))
    const { version = 0, encoding = '' } = rows[0] ?? {}
    if (version < OLDEST) throw unsupported(`PostgreSQL ${Math.trunc(version / 10_000)}, and 12 or newer is needed`)
    if (encoding !== 'UTF8') throw unsupported(`a database whose text is ${encoding}, and UTF8 is needed`)
    await migrate(client)
    this.#ready.add(client)
  }
}

const unsupported = (what: string): CodedError => new CodedError('QT_WAREHOUSE_UNSUPPORTED', `the warehouse is ${what}`)

/** What is told as accepted must not be taken back by a crash, so `synchronous_commit` is not off. */
const settings = (timeoutMs: Millis): string => `
select set_config('statement_timeout', '${timeoutMs}ms', false), set_config('jit', 'off', false),
  set_config('synchronous_commit', case current_setting('synchronous_commit') when 'off' then 'on' else current_setting('synchronous_commit') end, false),
  current_setting('server_version_num')::int as version, current_setting('server_encoding') as encoding`

/** pg shows its socket, its types do not. */
const socketOf = (client: PoolClient): Socket => (client as PoolClient & { connection: { stream: Socket } }).connection.stream

/** An error of the database leaves the connection sound; anything else is no error of the database. */
const isBroken = (error: unknown, signal: AbortSignal): boolean => signal.aborted || sqlState(error) === null

/** The SQLSTATE of an error, or null for one that PostgreSQL has not raised. */
export function sqlState(error: unknown): string | null {
  const { code } = (error ?? {}) as { readonly code?: unknown }
  return typeof code === 'string' && /^(?=.*\d)[0-9A-Z]{5}$/.test(code) ? code : null
}
