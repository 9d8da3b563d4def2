import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Client } from 'pg'
import type { PostgresServer } from '#libs/test-servers'
import type { StatePlace } from '../src/state.js'

export type Row = Readonly<Record<string, unknown>>

/** Where states live during a test, and a look at what is really there. */
export interface Home {
  readonly kind: 'file' | 'server'
  /** A place that is not used yet. */
  untouched(): Promise<StatePlace>
  /** A place without data; its tables may be there. */
  place(): Promise<StatePlace>
  /** Runs a statement beside the state. */
  query(place: StatePlace, sql: string): Promise<Row[]>
  /** Resolves when nothing is under way any more of a process that was killed. */
  settled(place: StatePlace): Promise<void>
  clear(): Promise<void>
}

/** Deleting a test's few rows is quicker than truncating: that makes new files. */
const EMPTY = `do $$ declare one text; begin
  for one in select tablename from pg_tables where schemaname = 'quantrac' and tablename not like 'kysely%'
  loop execute 'delete from ' || one; end loop; end $$`

export class FileHome implements Home {
  readonly kind = 'file'
  readonly #dirs: string[] = []

  async dir(): Promise<string> {
    const dir = await mkdtemp(join(tmpdir(), 'quantrac-state-'))
    this.#dirs.push(dir)
    return dir
  }

  async untouched(): Promise<StatePlace> {
    return { dataDir: await this.dir() }
  }

  place(): Promise<StatePlace> {
    return this.untouched()
  }

  async query({ dataDir }: StatePlace, sql: string): Promise<Row[]> {
    const db = new Database(join(dataDir, 'state.sqlite'))
    try {
      const statement = db.prepare(sql)
      if (statement.reader) return statement.all() as Row[]
      statement.run()
      return []
    } finally {
      db.close()
    }
  }

  async settled(): Promise<void> {}

  async clear(): Promise<void> {
    for (const dir of this.#dirs.splice(0)) await rm(dir, { recursive: true, force: true })
  }
}

/**
 * Each place is a database of its own. The data directory is never touched: it is one that cannot be. Making a database
 * costs more than most tests, so those that `place()` gave are emptied and given again.
 */
export class ServerHome implements Home {
  readonly kind = 'server'
  readonly #server: PostgresServer
  readonly #given: StatePlace[] = []
  readonly #free: StatePlace[] = []

  constructor(server: PostgresServer) {
    this.#server = server
  }

  async untouched(): Promise<StatePlace> {
    return { dataDir: '/dev/null/nowhere', url: await this.#server.database() }
  }

  async place(): Promise<StatePlace> {
    const place = this.#free.pop() ?? (await this.untouched())
    this.#given.push(place)
    return place
  }

  async query({ url }: StatePlace, sql: string): Promise<Row[]> {
    const client = new Client({ connectionString: url ?? '' })
    await client.connect()
    try {
      await client.query('set search_path = quantrac')
      return (await client.query(sql)).rows as Row[]
    } finally {
      await client.end()
    }
  }

  async settled(place: StatePlace): Promise<void> {
    const others = "select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'"
    while ((await this.query(place, others)).length > 0) await new Promise(resolve => setTimeout(resolve, 20))
  }

  async clear(): Promise<void> {
    for (const place of this.#given.splice(0)) {
      await this.query(place, EMPTY)
      this.#free.push(place)
    }
  }
}
