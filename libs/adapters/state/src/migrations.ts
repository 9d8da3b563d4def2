import { type ColumnDataType, type Kysely, type Migration, Migrator } from 'kysely'
import { BLOB } from './dialect.js'
import { asStateError, StateError } from './errors.js'
import type { Db } from './schema.js'

/** Forward only: a file is never taken back to an older schema. Add at the end; never change one that was released. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-first': { up: first }
}

/**
 * Brings the file to the newest schema, in one transaction. Several programs may do it at once.
 * @throws StateError QT_STATE_NEWER for a file that a newer version has written.
 */
export async function migrate(db: Db): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve({ ...MIGRATIONS }) } })
  const { error } = await migrator.migrateToLatest()
  if (error instanceof Error && error.message.startsWith('corrupted migrations')) {
    throw new StateError('QT_STATE_NEWER', `state.sqlite was written by a newer version: ${error.message}`, { cause: error })
  }
  if (error !== undefined) throw asStateError(error)
}

async function first(db: Kysely<unknown>): Promise<void> {
  await access(db)
  await alarms(db)
  await messages(db)
  await refusals(db)
}

type Columns = Readonly<Record<string, ColumnDataType | 'blob' | `${ColumnDataType}?`>>

async function access(db: Kysely<unknown>): Promise<void> {
  await table(db, 'credentials', { station: 'text', label: 'text', sha256: 'text', created_at: 'bigint' }, ['station', 'label'])
  await table(db, 'tokens', { name: 'text', role: 'text', sha256: 'text', created_at: 'bigint' }, ['name'])
  await db.schema.createIndex('tokens_sha256').on('tokens').column('sha256').unique().execute()
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
  await table(db, 'recipients', recipient, ['id'])
  await db.schema.createIndex('recipients_target').on('recipients').columns(['channel', 'target']).unique().execute()
}

async function alarms(db: Kysely<unknown>): Promise<void> {
  await table(db, 'cursors', { name: 'text', sequence: 'bigint' }, ['name'])
  await table(db, 'snapshots', { name: 'text', sequence: 'bigint', bytes: 'blob' }, ['name'])
  const alarm: Columns = {
    id: 'text',
    station: 'text',
    state: 'text',
    raised_at: 'bigint',
    body: 'text',
    told_severity: 'text'
  }
  await table(db, 'alarms', alarm, ['id'])
  await db.schema.createIndex('alarms_newest').on('alarms').columns(['raised_at', 'id']).execute()
  await db.schema.createIndex('alarms_station').on('alarms').columns(['station', 'raised_at', 'id']).execute()
  await db.schema.createIndex('alarms_state').on('alarms').columns(['state', 'raised_at', 'id']).execute()
}

async function messages(db: Kysely<unknown>): Promise<void> {
  const transition: Columns = { id: 'text', alarm: 'text', position: 'bigint', kind: 'text', at: 'bigint', body: 'text' }
  await table(db, 'transitions', transition, ['id'])
  await db.schema.createIndex('transitions_position').on('transitions').column('position').unique().execute()
  await db.schema.createIndex('transitions_alarm').on('transitions').columns(['alarm', 'position']).execute()
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
  await table(db, 'outbox', message, ['key'])
  // The head of each target's lane, without looking at what is delivered.
  await db.schema.createIndex('outbox_lanes').on('outbox').columns(['state', 'target', 'position']).execute()
  await db.schema.createIndex('outbox_finished').on('outbox').columns(['state', 'finished_at', 'key']).execute()
}

async function refusals(db: Kysely<unknown>): Promise<void> {
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
  await table(db, 'refusals', refusal, ['sequence', 'item'])
  await db.schema.createIndex('refusals_station').on('refusals').columns(['station', 'sequence', 'item']).execute()
}

/** A column is NOT NULL unless its type ends in `?`. */
async function table(db: Kysely<unknown>, name: string, columns: Columns, key: readonly string[]): Promise<void> {
  let builder = db.schema.createTable(name)
  for (const [column, type] of Object.entries(columns)) {
    const optional = type.endsWith('?')
    const bare = optional ? type.slice(0, -1) : type
    const dataType = (bare === 'blob' ? BLOB : bare) as ColumnDataType
    builder = builder.addColumn(column, dataType, definition => (optional ? definition : definition.notNull()))
  }
  await builder.addPrimaryKeyConstraint(`${name}_key`, [...key] as never).execute()
}
