import type { ColumnDataType, ColumnDefinitionBuilder, Kysely, Migration, RawBuilder } from 'kysely'
import { Migrator, sql } from 'kysely'
import { asStateError, StateError } from './errors.js'
import { ledgerTables } from './ledger-tables.js'
import type { Db } from './schema.js'
import { SCHEMA } from './server-session.js'

/** Where the tables are: SQLite's types are PostgreSQL's by other names. */
type Engine = 'file' | 'server'
type ColumnType = 'text' | 'integer' | 'bigint' | 'blob'
type DataType = ColumnDataType | RawBuilder<unknown>
type Columns = Readonly<Record<string, ColumnType | `${ColumnType}?`>>

const TYPES: Readonly<Record<Engine, Readonly<Record<ColumnType, DataType>>>> = {
  file: { text: 'text', integer: 'integer', bigint: 'bigint', blob: 'blob' },
  // Text is ordered by its bytes, as SQLite does: lists and their cursors are then the same on both. SQLite's integers have 64 bits.
  server: { text: sql`text collate "C"`, integer: 'bigint', bigint: 'bigint', blob: 'bytea' }
}

/** Forward only: data are never taken back to an older schema. Add at the end; never change one that was released. */
const migrations = (engine: Engine): Readonly<Record<string, Migration>> => ({
  '0001-first': { up: db => first(new Builder(db, engine)) },
  '0002-aggregates': { up: db => aggregates(new Builder(db, engine)) },
  '0003-ledger': { up: db => ledgerTables(new Builder(db, engine)) },
  '0004-forwarding': { up: db => forwarding(new Builder(db, engine)) },
  '0005-corrections': { up: db => correctionTables(new Builder(db, engine)) },
  '0006-law': { up: db => lawTables(new Builder(db, engine)) }
})

/**
 * Brings the file or the database to the newest schema, in one transaction. Several programs may do it at once.
 * @throws StateError QT_STATE_NEWER for data that a newer version has written.
 */
export async function migrate(db: Db, engine: Engine): Promise<void> {
  const known = migrations(engine)
  if (await isCurrent(db, Object.keys(known))) return
  const provider = { getMigrations: () => Promise.resolve({ ...known }) }
  if (engine === 'server') await db.transaction().execute(trx => makeSchema(statement => sql.raw(statement).execute(trx)))
  const migrator = new Migrator({ db, provider, ...(engine === 'server' ? { migrationTableSchema: SCHEMA } : {}) })
  const { error } = await migrator.migrateToLatest()
  if (error instanceof Error && error.message.startsWith('corrupted migrations')) {
    throw new StateError('QT_STATE_NEWER', `the state was written by a newer version: ${error.message}`, { cause: error })
  }
  if (error !== undefined) throw asStateError(error)
}

/** One look instead of the migrator's many. What goes wrong here goes wrong there again, and is told there. */
async function isCurrent(db: Db, known: readonly string[]): Promise<boolean> {
  try {
    const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db)
    return rows.map(({ name }) => name).join() === known.join()
  } catch {
    return false
  }
}

/** Looks first: a schema that the administrator has made needs no right to make one. Call it in a writer's transaction. */
export async function makeSchema(run: (sql: string) => Promise<{ rows: unknown[] }>): Promise<void> {
  const { rows } = await run(`select 1 from pg_namespace where nspname = '${SCHEMA}'`)
  if (rows.length === 0) await run(`create schema ${SCHEMA}`)
}

async function first(build: Builder): Promise<void> {
  await access(build)
  await alarms(build)
  await messages(build)
  await refusals(build)
}

class Builder {
  readonly #db: Kysely<unknown>
  readonly #types: Readonly<Record<ColumnType, DataType>>

  constructor(db: Kysely<unknown>, engine: Engine) {
    this.#db = db
    this.#types = TYPES[engine]
  }

  /** A column is NOT NULL unless its type ends in `?`. */
  async table(name: string, columns: Columns, key: readonly string[]): Promise<void> {
    let builder = this.#db.schema.createTable(name)
    for (const [column, type] of Object.entries(columns)) {
      const optional = type.endsWith('?')
      const bare = (optional ? type.slice(0, -1) : type) as ColumnType
      const define = (definition: ColumnDefinitionBuilder) => (optional ? definition : definition.notNull())
      builder = builder.addColumn(column, this.#types[bare], define)
    }
    await builder.addPrimaryKeyConstraint(`${name}_key`, [...key] as never).execute()
  }

  async index(name: string, table: string, columns: readonly string[]): Promise<void> {
    await this.#db.schema
      .createIndex(name)
      .on(table)
      .columns([...columns])
      .execute()
  }

  async unique(name: string, table: string, columns: readonly string[]): Promise<void> {
    await this.#db.schema
      .createIndex(name)
      .on(table)
      .columns([...columns])
      .unique()
      .execute()
  }
}

async function access(build: Builder): Promise<void> {
  await build.table('credentials', { station: 'text', label: 'text', sha256: 'text', created_at: 'bigint' }, ['station', 'label'])
  await build.table('tokens', { name: 'text', role: 'text', sha256: 'text', created_at: 'bigint' }, ['name'])
  await build.unique('tokens_sha256', 'tokens', ['sha256'])
  const recipient: Columns = {
    id: 'text',
    channel: 'text',
    target: 'text',
    language: 'text?',
    minimum_severity: 'text',
    stations: 'text?',
    secret: 'text?',
    created_at: 'bigint'
  }
  await build.table('recipients', recipient, ['id'])
  await build.unique('recipients_target', 'recipients', ['channel', 'target'])
}

async function alarms(build: Builder): Promise<void> {
  await build.table('cursors', { name: 'text', sequence: 'bigint' }, ['name'])
  await build.table('snapshots', { name: 'text', sequence: 'bigint', bytes: 'blob' }, ['name'])
  const alarm: Columns = {
    id: 'text',
    station: 'text',
    state: 'text',
    raised_at: 'bigint',
    body: 'text',
    told_severity: 'text'
  }
  await build.table('alarms', alarm, ['id'])
  await build.index('alarms_newest', 'alarms', ['raised_at', 'id'])
  await build.index('alarms_station', 'alarms', ['station', 'raised_at', 'id'])
  await build.index('alarms_state', 'alarms', ['state', 'raised_at', 'id'])
}

async function messages(build: Builder): Promise<void> {
  const transition: Columns = { id: 'text', alarm: 'text', position: 'bigint', kind: 'text', at: 'bigint', body: 'text' }
  await build.table('transitions', transition, ['id'])
  await build.unique('transitions_position', 'transitions', ['position'])
  await build.index('transitions_alarm', 'transitions', ['alarm', 'position'])
  const message: Columns = {
    key: 'text',
    channel: 'text',
    target: 'text',
    transition: 'text',
    position: 'bigint',
    state: 'text',
    attempts: 'integer',
    queued_at: 'bigint',
    not_before: 'bigint',
    finished_at: 'bigint?',
    reason: 'text?'
  }
  await build.table('outbox', message, ['key'])
  // The head of each target's lane, without looking at what is delivered.
  await build.index('outbox_lanes', 'outbox', ['state', 'target', 'position'])
  await build.index('outbox_finished', 'outbox', ['state', 'finished_at', 'key'])
}

async function refusals(build: Builder): Promise<void> {
  const refusal: Columns = {
    sequence: 'bigint',
    item: 'integer',
    received_at: 'bigint',
    station: 'text?',
    road: 'text',
    topic: 'text',
    reason: 'text',
    detail: 'text',
    parameter: 'text?',
    at: 'bigint?',
    payload: 'blob',
    payload_bytes: 'bigint'
  }
  await build.table('refusals', refusal, ['sequence', 'item'])
  await build.index('refusals_station', 'refusals', ['station', 'sequence', 'item'])
}

async function aggregates(build: Builder): Promise<void> {
  const window: Columns = { station: 'text', parameter: 'text', rank: 'integer', end_at: 'bigint' }
  const key = Object.keys(window)
  const content: Columns = {
    unit: 'text',
    revision: 'integer',
    algorithm: 'integer',
    position: 'bigint',
    body: 'text',
    day_values: 'blob?'
  }
  await build.table('aggregates', { ...window, ...content }, key)
  await build.unique('aggregates_position', 'aggregates', ['position'])
  await build.table('aggregate_marks', { ...window, start_at: 'bigint', due_at: 'bigint', sequence: 'bigint' }, key)
  await build.index('aggregate_marks_due', 'aggregate_marks', ['rank', 'due_at'])
}

/** What does not simply follow the order of publication on its way to the warehouse, and the comparisons with it. */
async function forwarding(build: Builder): Promise<void> {
  const window: Columns = { station: 'text', parameter: 'text', rank: 'integer', end_at: 'bigint' }
  const item: Columns = { state: 'text', revision: 'integer', attempts: 'integer', not_before: 'bigint', since: 'bigint', reason: 'text?' }
  await build.table('forward_items', { ...window, ...item }, Object.keys(window))
  await build.index('forward_items_due', 'forward_items', ['state', 'not_before'])
  const order: Columns = { asked_at: 'bigint', daily: 'integer', from_at: 'bigint', to_at: 'bigint', finished_at: 'bigint?' }
  const result: Columns = { days: 'bigint?', differing: 'bigint?', resent: 'bigint?', theirs_alone: 'bigint?' }
  await build.table('forward_comparisons', { ...order, ...result }, ['asked_at'])
}

/** What people say against raw readings. Nothing of it is ever deleted. */
async function correctionTables(build: Builder): Promise<void> {
  const series: Columns = { station: 'text', parameter: 'text' }
  const life: Columns = { created_at: 'bigint', changed_at: 'bigint', accepted_at: 'bigint?', withdrawn_at: 'bigint?' }
  const correction: Columns = {
    id: 'bigint',
    ...series,
    state: 'text',
    version: 'integer',
    from_at: 'bigint',
    to_at: 'bigint',
    change: 'text',
    reason: 'text',
    writers: 'text',
    approver: 'text?',
    ...life
  }
  await build.table('corrections', correction, ['id'])
  await build.index('corrections_series', 'corrections', ['station', 'parameter', 'from_at'])
  await build.index('corrections_state', 'corrections', ['state', 'id'])
  const event: Columns = {
    correction: 'bigint',
    version: 'integer',
    event: 'text',
    at: 'bigint',
    name: 'text',
    via: 'text?',
    state: 'text',
    comment: 'text?',
    change: 'text?',
    reason: 'text?'
  }
  await build.table('correction_events', event, ['correction', 'version'])
}

/** What staff have loaded of the law, and how far it has been judged by. */
async function lawTables(build: Builder): Promise<void> {
  const change: Columns = { id: 'bigint', kind: 'text', key: 'text', document: 'text?', from_at: 'bigint?' }
  const who: Columns = { author: 'text', via: 'text?', reason: 'text', changed_at: 'bigint' }
  await build.table('law_changes', { ...change, ...who }, ['id'])
  await build.table('law_applied', { id: 'integer', edition: 'bigint' }, ['id'])
}
