import { join } from 'node:path'
import type { Database as Connection, Statement } from 'better-sqlite3'
import Database from 'better-sqlite3'
import { VIETNAM_OFFSET } from '#libs/model'
import type { Item } from './contract.js'

export type Taken = { readonly outcome: 'accepted' } | { readonly outcome: 'known'; readonly revision: number } | Rejected
export interface Rejected {
  readonly outcome: 'rejected'
  readonly reason: string
}

export interface Digest {
  readonly station: string
  readonly period: string
  readonly date: string
  readonly count: number
  readonly checksum: string
}

export interface DigestPage {
  readonly period: string
  /** `from < end <= to`, epoch milliseconds. */
  readonly from: number
  readonly to: number
  readonly limit: number
  /** Station and date of the last entry of the page before; both empty for the first. */
  readonly after: readonly [station: string, date: string]
}

/** Ordered by time first: what comes together lies together, and a span is a part of the index. `end` is an SQL keyword. */
const SCHEMA = `
create table if not exists aggregate (
  period text not null, ended integer not null, station text not null, parameter text not null,
  revision integer not null, date text not null,
  checksum text not null, high integer not null, low integer not null, -- the checksum and its two halves, which can be summed
  body text not null,
  primary key (period, ended, station, parameter)
)`

/** Names a row, in the order of the key. */
export type RowKey = readonly [period: string, ended: number, station: string, parameter: string]

/**
 * What the warehouse has, in an SQLite file of its own: the highest revision of each aggregate. What `take` has answered is on
 * the disk (WAL with synchronous=FULL), so a kill -9 afterwards takes nothing back.
 */
export class WarehouseStore {
  readonly #db: Connection
  readonly #find: Statement<RowKey[number][], { revision: number; checksum: string }>
  readonly #put: Statement

  constructor(dir: string) {
    this.#db = new Database(join(dir, 'warehouse.sqlite'))
    this.#db.pragma('journal_mode = WAL')
    this.#db.pragma('synchronous = FULL')
    this.#db.exec(SCHEMA)
    this.#find = this.#db.prepare(
      'select revision, checksum from aggregate where period = ? and ended = ? and station = ? and parameter = ?'
    )
    this.#put = this.#db.prepare(
      `insert into aggregate values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do update set revision = excluded.revision,
       checksum = excluded.checksum, high = excluded.high, low = excluded.low, body = excluded.body`
    )
  }

  /** Stores the items in one transaction; one answer each, in their order. */
  take(items: readonly Item[]): Taken[] {
    return this.#db.transaction(() => items.map(item => this.#takeOne(item)))()
  }

  #takeOne(item: Item): Taken {
    const { station, parameter, period, end, revision, checksum } = item
    const held = this.#find.get(period, end, station, parameter)
    if (held && held.revision > revision) return { outcome: 'known', revision: held.revision }
    if (held && held.revision === revision) {
      return held.checksum === checksum
        ? { outcome: 'known', revision }
        : { outcome: 'rejected', reason: `revision ${revision} is held with other figures` }
    }
    const [high, low] = [checksum.slice(0, 8), checksum.slice(8)].map(half => Number.parseInt(half, 16))
    this.#put.run(period, end, station, parameter, revision, dateOf(end), checksum, high, low, JSON.stringify(item))
    return { outcome: 'accepted' }
  }

  digests({ period, from, to, limit, after }: DigestPage): Digest[] {
    const rows = this.#db
      .prepare<unknown[], { station: string; date: string; count: number; high: number; low: number }>(
        `select station, date, count(*) as count, sum(high) as high, sum(low) as low from aggregate
         where period = ? and ended > ? and ended <= ? and (station, date) > (?, ?)
         group by station, date order by station, date limit ?`
      )
      .all(period, from, to, ...after, limit)
    return rows.map(({ station, date, count, high, low }) => {
      const sum = BigInt.asUintN(64, (BigInt(high) << 32n) + BigInt(low))
      return { station, period, date, count, checksum: sum.toString(16).padStart(16, '0') }
    })
  }

  /** Items as they came, in the order of their keys, after the row of that key. */
  rows(limit: number, after: RowKey): Item[] {
    return this.#db
      .prepare<unknown[], { body: string }>(
        `select body from aggregate where (period, ended, station, parameter) > (?, ?, ?, ?)
         order by period, ended, station, parameter limit ?`
      )
      .all(...after, limit)
      .map(({ body }) => JSON.parse(body) as Item)
  }

  count(): number {
    return this.#db.prepare<[], { n: number }>('select count(*) as n from aggregate').get()?.n ?? 0
  }

  close(): void {
    this.#db.close()
  }
}

/** The day of UTC+7 whose last instant is midnight at its end. */
const dateOf = (end: number): string => new Date(end - 1 + VIETNAM_OFFSET).toISOString().slice(0, 'yyyy-mm-dd'.length)
