import type { Millis } from '#libs/model'
import type { OfflineSpan, OutcomeDay, ReceiptDay, SeriesDay } from '#libs/pipeline'
import { receiptDay, seriesDay } from './ledger-codec.js'
import type { Databases } from './schema.js'

/** What a station's readings that were measured on a day came to. */
export interface MeasuredDay {
  readonly station: string
  readonly stored: number
  readonly calibrating: number
  readonly fault: number
  readonly otherStatus: number
  readonly late: number
}

/** What came of a station on a day, as far as it explains gaps. */
export type StationEvidence = Pick<ReceiptDay, 'station' | 'day' | 'came' | 'clock' | 'refusedSpans'>

export interface LedgerDay {
  readonly receipts: ReceiptDay
  readonly outcomes: Omit<OutcomeDay, 'station' | 'day'>
}

/** The ledger as it is read. */
export class LedgerPages {
  readonly #databases: Databases

  constructor(databases: Databases) {
    this.#databases = databases
  }

  /** The first day on which anything came in; null while nothing has. */
  async firstDay(): Promise<Millis | null> {
    const row = await this.#databases.powerSafe
      .selectFrom('ledger_receipts')
      .select(eb => eb.fn.min<number | null>('day').as('day'))
      .where('came', '<>', '') // a row may only say that something of an earlier day was refused later
      .executeTakeFirst()
    return row?.day ?? null
  }

  /** All stations of one day, or one; what came in and what became of it in one look, so that they fit. */
  async day(day: Millis, station?: string): Promise<LedgerDay[]> {
    let select = this.#databases.powerSafe
      .selectFrom('ledger_receipts as r')
      .leftJoin('ledger_outcomes as o', join => join.onRef('o.station', '=', 'r.station').onRef('o.day', '=', 'r.day'))
      .selectAll('r')
      .select(['o.stored', 'o.replaced', 'o.repeated as o_repeated', 'o.conflicts', 'o.set_aside', 'o.late', 'o.clock_ahead'])
      .where('r.day', '=', day)
    if (station !== undefined) select = select.where('r.station', '=', station)
    return (await select.execute()).map(row => ({
      receipts: receiptDay(row),
      outcomes: {
        stored: row.stored ?? 0,
        replaced: row.replaced ?? 0,
        repeated: row.o_repeated ?? 0,
        conflicts: row.conflicts ?? 0,
        setAside: row.set_aside ?? 0,
        late: row.late ?? 0,
        clockAhead: row.clock_ahead ?? 0
      }
    }))
  }

  /** All stations, or one, by day of measurement. */
  async measured(day: Millis, station?: string): Promise<MeasuredDay[]> {
    let select = this.#databases.powerSafe
      .selectFrom('ledger_series')
      .select('station')
      .select(eb =>
        (['stored', 'calibrating', 'fault', 'other_status', 'late'] as const).map(column => eb.fn.sum<number | string>(column).as(column))
      )
      .where('day', '=', day)
      .groupBy('station')
    if (station !== undefined) select = select.where('station', '=', station)
    return (await select.execute()).map(row => ({
      station: row.station,
      stored: Number(row.stored),
      calibrating: Number(row.calibrating),
      fault: Number(row.fault),
      otherStatus: Number(row.other_status),
      late: Number(row.late)
    }))
  }

  /** Where the series of these stations have readings, by day of measurement, from one day to another. */
  async covered(stations: readonly string[], from: Millis, to: Millis): Promise<Pick<SeriesDay, 'station' | 'parameter' | 'covered'>[]> {
    const rows = await this.#databases.powerSafe
      .selectFrom('ledger_series')
      .selectAll()
      .where('station', 'in', [...stations])
      .where('day', '>=', from)
      .where('day', '<=', to)
      .execute()
    return rows.map(seriesDay)
  }

  async evidence(stations: readonly string[], from: Millis, to: Millis): Promise<StationEvidence[]> {
    const rows = await this.#databases.powerSafe
      .selectFrom('ledger_receipts')
      .selectAll()
      .where('station', 'in', [...stations])
      .where('day', '>=', from)
      .where('day', '<=', to)
      .execute()
    return rows.map(receiptDay)
  }

  /** Times at which these stations were offline by their own word, that touch a window. */
  offline(stations: readonly string[], window: { readonly from: Millis; readonly to: Millis }): Promise<OfflineSpan[]> {
    return this.#databases.powerSafe
      .selectFrom('ledger_offline')
      .selectAll()
      .where('station', 'in', [...stations])
      .where('since', '<', window.to)
      .where(eb => eb.or([eb('until', 'is', null), eb('until', '>', window.from)]))
      .execute()
  }
}
