import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'
import { asServerError, StateError } from './errors.js'
import { makeSchema } from './migrations.js'
import { answered, type Cuttable, connect, inUse, placeOf, SCHEMA, SERVERS, WRITERS } from './server-session.js'

/**
 * One server per PostgreSQL state, also when the network or PostgreSQL itself comes and goes.
 *
 * - Becoming the server needs an advisory lock alone (exclusive), for the instant in which the new server writes its random
 *   name into the table `server`. From then on this connection and every one of its pools hold the same lock together with
 *   each other (shared): while one of them lives, nobody else becomes the server.
 * - A connection that is made later, because the one before broke, takes the shared lock and then looks whose name stands
 *   there. Where another server has taken the place meanwhile it is refused, so a server that was cut off writes nothing more.
 * - The connection here looks every 10 s. When it breaks it is made again, for as long as that takes: while PostgreSQL is
 *   away nobody else becomes the server either. When it finds another name there, `onLost` is told and the server stops.
 */
export interface StateLock {
  /** Random name of this server, for `StatePlace.owner`. */
  readonly owner: string
  /** Lets another server have the state. Safe to call twice. */
  close(): Promise<void>
}

/** The connections of a server that was killed a moment ago are noticed by PostgreSQL within this. */
const WAIT_MS = 5_000
const STEP_MS = 100
const LOOK_MS = 10_000
const AGAIN_MS = 500
const LONGEST_AGAIN_MS = 5_000
const CLOSE_MS = 1_000

/**
 * Takes the state for one server.
 * @param onLost told once when another server has taken the place of this one
 * @throws StateError QT_STATE_IN_USE; QT_STATE_UNREACHABLE and the others of a connection
 */
export async function stateLock(url: string, onLost: (error: StateError) => void, waitMs = WAIT_MS): Promise<StateLock> {
  const owner = randomUUID()
  const sockets = new Set<Socket>()
  const client = await connect(url, sockets)
  try {
    await answered(client, () => takeOver(client, { place: placeOf(url), owner, waitMs }))
  } catch (error) {
    client.connection.stream.destroy()
    throw asServerError(error, placeOf(url))
  }
  return new Held(url, { owner, sockets, client, onLost })
}

interface Candidate {
  readonly place: string
  readonly owner: string
  readonly waitMs: number
}

async function takeOver(client: Client, { place, owner, waitMs }: Candidate): Promise<void> {
  await haveAlone(client, place, waitMs)
  await client.query(`begin; select pg_advisory_xact_lock(${WRITERS})`)
  await makeSchema(statement => client.query(statement))
  await makeTable(client)
  const values = [owner, `process ${process.pid} on ${hostname()}, since ${new Date().toISOString()}`]
  const change = 'on conflict (one) do update set owner = excluded.owner, holder = excluded.holder'
  await client.query(`insert into ${SCHEMA}.server (one, owner, holder) values (1, $1, $2) ${change}`, values)
  await client.query('commit')
  // This session keeps the lock together with those that speak for it.
  await client.query(`select pg_advisory_lock_shared(${SERVERS}), pg_advisory_unlock(${SERVERS})`)
}

/** Asks again and again instead of waiting in line: a waiting one would hold up the connections of the server that is there. */
async function haveAlone(client: Client, place: string, waitMs: number): Promise<void> {
  const deadline = performance.now() + waitMs
  for (;;) {
    const { rows } = await client.query<{ had: boolean }>(`select pg_try_advisory_lock(${SERVERS}) as had`)
    if (rows[0]?.had) return
    if (performance.now() > deadline) throw inUse(place, await holderOf(client))
    await sleep(STEP_MS)
  }
}

async function makeTable(client: Client): Promise<void> {
  const { rows } = await client.query(`select 1 where to_regclass('${SCHEMA}.server') is not null`)
  const columns = 'one int primary key check (one = 1), owner text not null, holder text not null'
  if (rows.length === 0) await client.query(`create table ${SCHEMA}.server (${columns})`)
}

async function holderOf(client: Client): Promise<string | undefined> {
  const { rows } = await client.query<{ holder: string }>(`select holder from ${SCHEMA}.server`).catch(() => ({ rows: [] }))
  return rows[0]?.holder
}

interface Holding {
  readonly owner: string
  readonly sockets: Set<Socket>
  readonly client: Client & Cuttable
  readonly onLost: (error: StateError) => void
}

class Held implements StateLock {
  readonly owner: string
  readonly #url: string
  readonly #sockets: Set<Socket>
  readonly #onLost: (error: StateError) => void
  readonly #stop = new AbortController()
  readonly #watching: Promise<void>

  constructor(url: string, { owner, sockets, client, onLost }: Holding) {
    this.owner = owner
    this.#url = url
    this.#sockets = sockets
    this.#onLost = onLost
    this.#watching = this.#watch(client)
  }

  async close(): Promise<void> {
    this.#stop.abort()
    const cut = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy()
    }, CLOSE_MS)
    await this.#watching
    clearTimeout(cut)
  }

  async #watch(first: Client & Cuttable): Promise<void> {
    for (let next: (Client & Cuttable) | null = first; next; next = await this.#again()) {
      const client = next
      const broken = new Promise<void>(resolve => client.once('end', resolve))
      while (await this.#stillOurs(client)) {
        await Promise.race([broken, this.#pause(LOOK_MS)])
        if (this.#stop.signal.aborted) return client.end().catch(() => {})
      }
      client.connection.stream.destroy()
    }
  }

  /** The name itself is looked at when a connection is made: while this one lives, it cannot change. */
  async #stillOurs(client: Client & Cuttable): Promise<boolean> {
    try {
      await answered(client, () => client.query('select 1'))
      return true
    } catch {
      return false
    }
  }

  /** A new connection that holds the lock; null when there is nothing left to hold. */
  async #again(): Promise<(Client & Cuttable) | null> {
    for (let wait = AGAIN_MS; !this.#stop.signal.aborted; wait = Math.min(wait * 2, LONGEST_AGAIN_MS)) {
      try {
        return await connect(this.#url, this.#sockets, this.owner)
      } catch (error) {
        if (error instanceof StateError && error.code === 'QT_STATE_IN_USE') {
          this.#onLost(error)
          return null
        }
      }
      await this.#pause(wait)
    }
    return null
  }

  async #pause(millis: number): Promise<void> {
    await sleep(millis, undefined, { signal: this.#stop.signal, ref: false }).catch(() => {})
  }
}
