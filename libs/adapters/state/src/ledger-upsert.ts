import { CompiledQuery } from 'kysely'
import type { LedgerTables } from './ledger-tables.js'
import type { Trx } from './schema.js'

export type LedgerTable = Exclude<keyof LedgerTables, 'ledger_uptime'>

export const LEDGER_KEYS: Readonly<Record<LedgerTable, readonly string[]>> = {
  ledger_receipts: ['station', 'day'],
  ledger_outcomes: ['station', 'day'],
  ledger_series: ['station', 'parameter', 'day'],
  ledger_offline: ['station', 'since']
}

/** Rows in one statement, at most: within every database's limit of parameters. What is left over goes in halves of it. */
const MOST_ROWS = 64

/**
 * Writes rows in the place of those with their keys. A busy server writes thousands of rows a second here, and making a statement
 * costs several times what carrying it out does: so each shape is made once, and kept.
 */
export class LedgerUpserts {
  readonly #statements = new Map<string, string>()

  async write<T extends LedgerTable>(trx: Trx, table: T, rows: readonly LedgerTables[T][]): Promise<void> {
    const [first] = rows
    if (!first) return
    const columns = Object.keys(first) as (keyof LedgerTables[T])[]
    for (let start = 0, size = MOST_ROWS; start < rows.length; start += size) {
      while (size > rows.length - start) size /= 2
      const chunk = rows.slice(start, start + size)
      const parameters = chunk.flatMap(row => columns.map(column => row[column] as unknown))
      await trx.executeQuery(CompiledQuery.raw(this.#statement(trx, table, chunk), parameters))
    }
  }

  #statement<T extends LedgerTable>(trx: Trx, table: T, rows: readonly LedgerTables[T][]): string {
    const shape = `${table} ${rows.length}`
    let statement = this.#statements.get(shape)
    if (statement === undefined) this.#statements.set(shape, (statement = make(trx, table, rows)))
    return statement
  }
}

/** The table's columns are known to nobody but the caller's types here: one way for four tables. */
function make(trx: Trx, table: LedgerTable, rows: readonly object[]): string {
  const keys = LEDGER_KEYS[table] as 'station'[]
  const rest = Object.keys(rows[0] ?? {}).filter(column => !keys.includes(column as 'station')) as 'stored'[]
  return trx
    .insertInto(table as 'ledger_series')
    .values(rows as never)
    .onConflict(on =>
      on.columns([...keys]).doUpdateSet(eb => Object.fromEntries(rest.map(column => [column, eb.ref(`excluded.${column}`)])))
    )
    .compile().sql
}
