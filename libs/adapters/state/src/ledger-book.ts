import type { Millis, SeriesKey } from '#libs/model'
import type { LedgerAccount, LedgerBook, OfflineSpan, OutcomeDay, ReceiptDay, SeriesDay, StationDay } from '#libs/pipeline'
import { inChunks } from './chunks.js'
import { moveCursor, readCursor } from './cursors.js'
import { outcomeDay, outcomeRow, receiptDay, receiptRow, seriesDay, seriesRow } from './ledger-codec.js'
import type { LedgerTables } from './ledger-tables.js'
import type { Databases, Trx } from './schema.js'
import { inTransaction } from './transaction.js'

const ACCOUNT_TABLES = {
  'ledger-receipts': ['ledger_receipts', 'ledger_offline'],
  'ledger-outcomes': ['ledger_outcomes', 'ledger_series']
} as const

type Keyed = Exclude<keyof LedgerTables, 'ledger_uptime'>

const KEYS: Readonly<Record<Keyed, readonly string[]>> = {
  ledger_receipts: ['station', 'day'],
  ledger_outcomes: ['station', 'day'],
  ledger_series: ['station', 'parameter', 'day'],
  ledger_offline: ['station', 'since']
}

/** The ledger's rows as its two writers need them. Derived from the journal, hence kill-safe: rows and cursor in one transaction. */
export class StateLedgerBook implements LedgerBook {
  readonly #databases: Databases

  constructor(databases: Databases) {
    this.#databases = databases
  }

  cursor(account: LedgerAccount): Promise<number> {
    return readCursor(this.#databases.killSafe, account)
  }

  async reset(account: LedgerAccount): Promise<void> {
    await inTransaction(this.#databases.killSafe, async trx => {
      for (const table of ACCOUNT_TABLES[account]) await trx.deleteFrom(table).execute()
      await trx.deleteFrom('cursors').where('name', '=', account).execute()
    })
  }

  async receipts(days: readonly StationDay[]): Promise<ReceiptDay[]> {
    return (await this.#load('ledger_receipts', days)).map(receiptDay)
  }

  async outcomes(days: readonly StationDay[]): Promise<OutcomeDay[]> {
    return (await this.#load('ledger_outcomes', days)).map(outcomeDay)
  }

  async seriesDays(days: readonly (SeriesKey & { readonly day: Millis })[]): Promise<SeriesDay[]> {
    return (await this.#load('ledger_series', days)).map(seriesDay)
  }

  async newest(): Promise<(SeriesKey & { readonly newest: Millis })[]> {
    const { killSafe } = this.#databases
    const rows = await killSafe
      .selectFrom('ledger_series')
      .select(['station', 'parameter'])
      .select(eb => eb.fn.max('newest').as('newest'))
      .groupBy(['station', 'parameter'])
      .execute()
    return rows.map(row => ({ ...row, newest: Number(row.newest) }))
  }

  offlineNow(): Promise<OfflineSpan[]> {
    return this.#databases.killSafe.selectFrom('ledger_offline').selectAll().where('until', 'is', null).execute()
  }

  async saveReceipts(days: readonly ReceiptDay[], offline: readonly OfflineSpan[], upTo: number): Promise<void> {
    await inTransaction(this.#databases.killSafe, async trx => {
      await upsert(trx, 'ledger_receipts', days.map(receiptRow))
      await upsert(trx, 'ledger_offline', lastOfEach(offline))
      await moveCursor(trx, 'ledger-receipts', upTo)
    })
  }

  async saveOutcomes(days: readonly OutcomeDay[], series: readonly SeriesDay[], upTo: number): Promise<void> {
    await inTransaction(this.#databases.killSafe, async trx => {
      await upsert(trx, 'ledger_outcomes', days.map(outcomeRow))
      await upsert(trx, 'ledger_series', series.map(seriesRow))
      await moveCursor(trx, 'ledger-outcomes', upTo)
    })
  }

  /** The rows of these keys that there are. */
  async #load<T extends Keyed>(table: T, keys: readonly object[]): Promise<LedgerTables[T][]> {
    const found: unknown[] = []
    await inChunks(keys, async chunk => {
      const rows = await this.#databases.killSafe
        .selectFrom(table as 'ledger_series')
        .selectAll()
        .where(eb =>
          eb.or(chunk.map(key => eb.and(KEYS[table].map(column => eb(column as 'day', '=', (key as Record<string, number>)[column] ?? 0)))))
        )
        .execute()
      found.push(...rows)
    })
    return found as LedgerTables[T][]
  }
}

/** A row takes the place of the one with its key. */
async function upsert<T extends Keyed>(trx: Trx, table: T, rows: readonly LedgerTables[T][]): Promise<void> {
  const [first] = rows
  if (!first) return
  const rest = Object.keys(first).filter(column => !KEYS[table].includes(column)) as 'stored'[]
  await inChunks(rows, chunk =>
    trx
      .insertInto(table as 'ledger_series')
      .values([...chunk] as never)
      .onConflict(on =>
        on
          .columns([...KEYS[table]] as never)
          .doUpdateSet(eb => Object.fromEntries(rest.map(column => [column, eb.ref(`excluded.${column}`)])))
      )
      .execute()
  )
}

/** A statement may name a key only once. */
function lastOfEach(spans: readonly OfflineSpan[]): OfflineSpan[] {
  return [...new Map(spans.map(span => [`${span.station}/${span.since}`, span])).values()]
}
