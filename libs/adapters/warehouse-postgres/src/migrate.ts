import { CodedError } from '#libs/platform'
import { CREATE_SCHEMA, MIGRATIONS, SCHEMA, VERSION_TABLE } from './schema.js'

export interface Queryable {
  query(sql: string): Promise<{ rows: unknown[] }>
}

/** An advisory lock is two numbers that a database's users agree on: `QTWH`. */
const LOCK = '1364481864, 1'

/**
 * Brings the schema to the newest version; several programs may do it at once. Looks first: a schema that the administrator has
 * made by hand (`schemaScript`) needs no right to make one.
 * @throws CodedError QT_WAREHOUSE_NEWER for one that a newer version of the product has made
 */
export async function migrate(client: Queryable): Promise<void> {
  if ((await versionOf(client)) === MIGRATIONS.length) return
  await client.query('begin')
  try {
    await client.query(`select pg_advisory_xact_lock(${LOCK})`)
    const version = await versionOf(client)
    for (const statement of statementsFrom(version, await hasSchema(client))) await client.query(statement)
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => {})
    throw error
  }
}

/** What `migrate` does on an empty database, for an administrator who does not let others make a schema. */
export const schemaScript = (): string => ['begin;', ...statementsFrom(0, false), 'commit;', ''].join('\n')

const statementsFrom = (version: number, hasSchemaAlready: boolean): string[] => [
  ...(hasSchemaAlready ? [] : [CREATE_SCHEMA]),
  ...(version < MIGRATIONS.length ? [VERSION_TABLE] : []),
  ...MIGRATIONS.flatMap((sql, n) => (n < version ? [] : [sql, `insert into ${SCHEMA}.version (version) values (${n + 1});`]))
]

/** Looks into the catalogue and not with `to_regclass`, whose cache does not know what another has made while this one waited for the lock. */
async function versionOf(client: Queryable): Promise<number> {
  const { rows } = await client.query(`select 1 from pg_tables where schemaname = '${SCHEMA}' and tablename = 'version'`)
  if (rows.length === 0) return 0
  const found = await client.query(`select coalesce(max(version), 0) as version from ${SCHEMA}.version`)
  const { version } = found.rows[0] as { version: number }
  if (version <= MIGRATIONS.length) return version
  throw new CodedError('QT_WAREHOUSE_NEWER', `the schema ${SCHEMA} is version ${version}; this program knows ${MIGRATIONS.length}`)
}

const hasSchema = async (client: Queryable): Promise<boolean> =>
  (await client.query(`select 1 from pg_namespace where nspname = '${SCHEMA}'`)).rows.length > 0
