import type { Millis, SeriesKey } from '#libs/model'
import type { LedgerAccount, LedgerBook, OfflineSpan, OutcomeDay, ReceiptDay, SeriesDay, StationDay } from '#libs/pipeline'
import { inChunks } from './chunks.js'
import { moveCursor, readCursor } from './cursors.js'
import { outcomeDay, outcomeRow, receiptDay, receiptRow, seriesDay, seriesRow } from './ledger-codec.js'
import type { LedgerTables } from './ledger-tables.js'
import type { LedgerTable } from './ledger-upsert.js'
import { LEDGER_KEYS, LedgerUpserts } from './ledger-upsert.js'
import type { Databases } from './schema.js'
import { inTransaction } from './transaction.js'

const ACCOUNT_TABLES = {
  'ledger-receipts': ['ledger_receipts', 'ledger_offline'],
  'ledger-outcomes': ['ledger_outcomes', 'ledger_series']
} as const

/** The ledger's rows as its two writers need them. Derived from the journal, hence kill-safe: rows and cursor in one transaction. */
export class StateLedgerBook implements LedgerBook {
  readonly #databases: Databases
  readonly #upserts = new LedgerUpserts()

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
    return rows
  }

  offlineNow(): Promise<OfflineSpan[]> {
    return this.#databases.killSafe.selectFrom('ledger_offline').selectAll().where('until', 'is', null).execute()
  }

  async saveReceipts(days: readonly ReceiptDay[], offline: readonly OfflineSpan[], upTo: number): Promise<void> {
    await inTransaction(this.#databases.killSafe, async trx => {
      await this.#upserts.write(trx, 'ledger_receipts', days.map(receiptRow))
      await this.#upserts.write(trx, 'ledger_offline', lastOfEach(offline))
      await moveCursor(trx, 'ledger-receipts', upTo)
    })
  }

  async saveOutcomes(days: readonly OutcomeDay[], series: readonly SeriesDay[], upTo: number): Promise<void> {
    await inTransaction(this.#databases.killSafe, async trx => {
      await this.#upserts.write(trx, 'ledger_outcomes', days.map(outcomeRow))
      await this.#upserts.write(trx, 'ledger_series', series.map(seriesRow))
      await moveCursor(trx, 'ledger-outcomes', upTo)
    })
  }

  /** The rows of these keys that there are. */
  async #load<T extends LedgerTable>(table: T, keys: readonly object[]): Promise<LedgerTables[T][]> {
    const found: unknown[] = []
    await inChunks(keys, async chunk => {
      const rows = await this.#databases.killSafe
        .selectFrom(table as 'ledger_series')
        .selectAll()
        .where(eb =>
          eb.or(
            chunk.map(key =>
              eb.and(LEDGER_KEYS[table].map(column => eb(column as 'day', '=', (key as Record<string, number>)[column] ?? 0)))
            )
          )
        )
        .execute()
      found.push(...rows)
    })
    return found as LedgerTables[T][]
  }
}

/** A statement may name a key only once. */
function lastOfEach(spans: readonly OfflineSpan[]): OfflineSpan[] {
  return [...new Map(spans.map(span => [`${span.station}/${span.since}`, span])).values()]
}
