import { Socket } from 'node:net'
import type { ClientConfig } from 'pg'
import { Client, types } from 'pg'
import { asServerError, StateError } from './errors.js'

/**
 * How a connection to PostgreSQL is made and what holds on it: a schema of our own, time-outs on both sides, commits that are
 * on the disk, numbers as numbers. Used by the pool (server-dialect.ts) and by the lock (server-lock.ts).
 */

/** Everything of ours lies here, never in `public`. */
export const SCHEMA = 'quantrac'

/** Advisory locks are numbers that a database's users agree on: `QTST`, then what it is for. */
const FAMILY = 0x51545354
export const WRITERS = `${FAMILY}, 1`
export const SERVERS = `${FAMILY}, 2`

const CONNECT_MS = 5_000
const STATEMENT_MS = 25_000
/** A writer that stands still in mid-transaction (its machine was frozen) keeps the others waiting no longer than this. */
const IDLE_IN_TRANSACTION_MS = 15_000
/** When the other machine has lost its power, its locks are free again after 15 + 3 x 5 s. */
const KEEPALIVE = { idle: 15, interval: 5, count: 3 }
const OLDEST = 150_000

/** How long is waited for others. Tests shorten it. */
export interface Patience {
  /** For a lock that another transaction holds; the server itself gives up then. */
  readonly lockMs: number
  /** For any answer: the server's own time-outs do not help when it is frozen or the network swallows everything. */
  readonly answerMs: number
}

export const PATIENCE: Patience = { lockMs: 5_000, answerMs: 35_000 }

const VALUES: Readonly<Record<string, string>> = {
  search_path: SCHEMA,
  // In a higher one a transaction would look at what was there before it waited for its turn.
  default_transaction_isolation: 'read committed',
  statement_timeout: `${STATEMENT_MS}ms`,
  idle_in_transaction_session_timeout: `${IDLE_IN_TRANSACTION_MS}ms`,
  tcp_keepalives_idle: String(KEEPALIVE.idle),
  tcp_keepalives_interval: String(KEEPALIVE.interval),
  tcp_keepalives_count: String(KEEPALIVE.count),
  jit: 'off'
}

/** Consumers go on while PostgreSQL crashes, so a commit that they were told of must not be taken back (decision 0009). */
const DURABLE =
  "set_config('synchronous_commit', case current_setting('synchronous_commit') when 'off' then 'on' else current_setting('synchronous_commit') end, false)"

const SETTINGS = `${Object.entries(VALUES)
  .map(([name, value]) => `set_config('${name}', '${value}', false)`)
  .join(', ')}, ${DURABLE}`
const FACTS = "current_setting('server_version_num')::int as version, current_setting('server_encoding') as encoding"

/** 64-bit integers as numbers: everything here is an instant, a count or a sequence. */
const PARSERS = { getTypeParser: parserOf as typeof types.getTypeParser }

const INT8: number = types.builtins.INT8

const usualParser: (oid: number, format?: 'text' | 'binary') => unknown = types.getTypeParser

function parserOf(oid: number, format?: 'text' | 'binary'): unknown {
  if (oid === INT8 && format !== 'binary') return toSafeInteger
  return usualParser(oid, format)
}

function toSafeInteger(text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number)) throw new RangeError(`a number of the state is beyond 2^53: ${text}`)
  return number
}

/** The server as messages name it: without user, password and options. */
export function placeOf(url: string): string {
  const { hostname, port, pathname, searchParams } = new URL(url)
  return `PostgreSQL at ${searchParams.get('host') ?? (hostname || 'localhost')}${port ? `:${port}` : ''}${pathname}`
}

/** What pg needs to know; `sockets` collects what is open, so that it can be cut off when the far side does not answer. */
export function clientConfig(url: string, sockets: Set<Socket>): ClientConfig {
  return {
    connectionString: url,
    application_name: 'quantrac',
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE.idle * 1_000,
    types: PARSERS,
    stream: () => {
      const socket = new Socket()
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      return socket
    }
  }
}

/** Cuts the connection off when no answer comes in time: the waiting statement then fails, and the pool makes a new one. */
export async function answered<T>(client: Cuttable, work: () => Promise<T>, { answerMs } = PATIENCE): Promise<T> {
  const cut = () => client.connection.stream.destroy(new Error(`no answer within ${answerMs / 1_000} s`))
  const timer = setTimeout(cut, answerMs)
  try {
    return await work()
  } finally {
    clearTimeout(timer)
  }
}

/** pg shows its socket, its types do not. */
export type Cuttable = { readonly connection: { readonly stream: Socket } }

/** Whose connection it is, and how long it waits for a lock. */
interface Speaker {
  readonly owner: string | null
  readonly lockMs: number
}

interface Queryable {
  query(sql: string): Promise<unknown>
}

/**
 * Makes a new connection ours. With `owner` it speaks for that server, and only while no other has taken its place.
 * @throws StateError QT_STATE_UNSUPPORTED, QT_STATE_IN_USE
 */
export async function setUp(client: Queryable, place: string, { owner, lockMs }: Speaker): Promise<void> {
  const { rows } = (await client.query(`select ${SETTINGS}, set_config('lock_timeout', '${lockMs}ms', false), ${FACTS}`)) as {
    rows: [{ version: number; encoding: string }]
  }
  const [{ version, encoding }] = rows
  if (version < OLDEST) throw unsupported(`${place} is version ${Math.trunc(version / 10_000)}; 15 or newer is needed`)
  if (encoding !== 'UTF8') throw unsupported(`${place} keeps its text in ${encoding}; make a database with encoding UTF8`)
  if (owner !== null) await speakFor(client, place, owner)
}

const unsupported = (text: string): StateError => new StateError('QT_STATE_UNSUPPORTED', text)

/** Two statements, not one: the owner must be looked up after the lock was had. */
async function speakFor(client: Queryable, place: string, owner: string): Promise<void> {
  await client.query(`select pg_advisory_lock_shared(${SERVERS})`)
  const { rows } = (await client.query(`select owner, holder from ${SCHEMA}.server`)) as { rows: { owner: string; holder: string }[] }
  if (rows[0]?.owner !== owner) throw inUse(place, rows[0]?.holder)
}

export const inUse = (place: string, holder: string | undefined): StateError =>
  new StateError(
    'QT_STATE_IN_USE',
    `${place} is used by another server${holder ? ` (${holder})` : ''}; stop that one, or set QUANTRAC_STATE_URL`
  )

/** A connection of its own, outside the pool. @throws StateError */
export async function connect(url: string, sockets: Set<Socket>, owner: string | null = null): Promise<Client & Cuttable> {
  const place = placeOf(url)
  const client = new Client(clientConfig(url, sockets)) as Client & Cuttable
  client.on('error', () => {}) // without a listener, a connection that breaks would end the process
  try {
    await client.connect()
    await answered(client, () => setUp(client, place, { owner, lockMs: PATIENCE.lockMs }))
    return client
  } catch (error) {
    client.connection.stream.destroy()
    throw asServerError(error, place)
  }
}
