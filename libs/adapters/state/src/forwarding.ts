import type { ExpressionBuilder } from 'kysely'
import { sql } from 'kysely'
import type { Millis, SeriesKey } from '#libs/model'
import { DAY } from '#libs/model'
import type { ForwardSelection, Period, Summary } from '#libs/pipeline'
import { PERIOD_OF, RANK } from './aggregates.js'
import { inChunks } from './chunks.js'
import { order, StateForwardBook } from './forward-book.js'
import { markAgain } from './forward-marks.js'
import type { Databases, Tables, Trx } from './schema.js'
import { inTransaction } from './transaction.js'

/** An aggregate that the warehouse did not take. */
export interface SetAside extends SeriesKey {
  readonly period: Period
  readonly end: Millis
  readonly revision: number
  readonly attempts: number
  readonly since: Millis
  readonly reason: string
}

export interface ForwardStatus {
  /** Whether anything was ever sent to a warehouse. */
  readonly begun: boolean
  /** Publications that were not sent yet. */
  readonly fresh: number
  /** Sent again: left open by the warehouse, asked for, or found to differ. */
  readonly waiting: number
  readonly rejected: number
  readonly lastComparison: {
    readonly finishedAt: Millis
    readonly days: number
    readonly differing: number
    readonly resent: number
    readonly theirsAlone: number
  } | null
  readonly comparisonsOrdered: number
}

const PLACE = 'forward:%'

/** Forwarding as operators see it, also while no server runs. */
export class Forwarding {
  readonly #databases: Databases

  constructor(databases: Databases) {
    this.#databases = databases
  }

  /** What the forwarder to one warehouse writes. */
  book(target: string): StateForwardBook {
    return new StateForwardBook(this.#databases, target)
  }

  async status(): Promise<ForwardStatus> {
    const db = this.#databases.powerSafe
    const cursor = await db.selectFrom('cursors').select('sequence').where('name', 'like', PLACE).executeTakeFirst()
    const count = sql<number>`count(*)`.as('count')
    const fresh = await db
      .selectFrom('aggregates')
      .select(count)
      .where('position', '>', cursor?.sequence ?? 0)
      .executeTakeFirstOrThrow()
    const items = await db.selectFrom('forward_items').select(['state', count]).groupBy('state').execute()
    const ordered = await db.selectFrom('forward_comparisons').select(count).where('finished_at', 'is', null).executeTakeFirstOrThrow()
    const last = await db
      .selectFrom('forward_comparisons')
      .selectAll()
      .where('finished_at', 'is not', null)
      .orderBy('finished_at', 'desc')
      .limit(1)
      .executeTakeFirst()
    const of = (state: string) => items.find(row => row.state === state)?.count ?? 0
    return {
      begun: cursor !== undefined,
      fresh: fresh.count,
      waiting: of('waiting'),
      rejected: of('rejected'),
      comparisonsOrdered: ordered.count,
      lastComparison: last
        ? {
            finishedAt: last.finished_at ?? 0,
            days: last.days ?? 0,
            differing: last.differing ?? 0,
            resent: last.resent ?? 0,
            theirsAlone: last.theirs_alone ?? 0
          }
        : null
    }
  }

  /**
   * Readings of one day of UTC+7 that the warehouse has, by station: those in the hours of these series whose newest revision it
   * holds. Null while nothing was ever sent.
   */
  async readings(series: readonly SeriesKey[], day: Millis): Promise<ReadonlyMap<string, number> | null> {
    const db = this.#databases.powerSafe
    const cursor = await db.selectFrom('cursors').select('sequence').where('name', 'like', PLACE).executeTakeFirst()
    if (!cursor) return null
    const held = new Map<string, number>()
    await inChunks(series, async chunk => {
      const named = sql.join(chunk.map(({ station, parameter }) => sql`(${station}, ${parameter})`))
      const rows = await db
        .selectFrom('aggregates as a')
        .select(['a.station', 'a.body'])
        .where(sql<boolean>`(a.station, a.parameter) in (values ${named})`)
        .where('a.rank', '=', RANK.hour)
        .where('a.end_at', '>', day)
        .where('a.end_at', '<=', day + DAY)
        .where('a.position', '<=', cursor.sequence)
        .where(eb => eb.not(eb.exists(openItem(eb))))
        .execute()
      for (const { station, body } of rows) held.set(station, (held.get(station) ?? 0) + (JSON.parse(body) as Summary).received)
    })
    return held
  }

  /** Has aggregates sent again as they stand, also those that were rejected; on the disk when the promise resolves. */
  redo(selection: ForwardSelection, now: Millis): Promise<number> {
    return inTransaction(this.#databases.powerSafe, trx => markAgain(trx, selection, { now, setAsideToo: true }))
  }

  /**
   * Has what was rejected sent again. `nextRevision`: as a revision of its own with the same figures, where the warehouse holds
   * other figures under the one that it has.
   */
  redoRejected(selection: ForwardSelection, { now, nextRevision }: { now: Millis; nextRevision: boolean }): Promise<number> {
    return inTransaction(this.#databases.powerSafe, async trx => {
      if (nextRevision) await raise(trx, selection)
      const { numUpdatedRows } = await trx
        .updateTable('forward_items')
        .set({ state: 'waiting', attempts: 0, not_before: now, reason: null })
        .where('state', '=', 'rejected')
        .where(selected(selection))
        .executeTakeFirstOrThrow()
      return Number(numUpdatedRows)
    })
  }

  /** What was rejected, that which waits longest first. */
  async rejected(limit: number): Promise<SetAside[]> {
    const rows = await this.#databases.powerSafe
      .selectFrom('forward_items')
      .selectAll()
      .where('state', '=', 'rejected')
      .orderBy('since')
      .orderBy('station')
      .orderBy('parameter')
      .orderBy('end_at')
      .limit(limit)
      .execute()
    return rows.map(row => ({
      station: row.station,
      parameter: row.parameter,
      period: PERIOD_OF[row.rank] ?? 'hour',
      end: row.end_at,
      revision: row.revision,
      attempts: row.attempts,
      since: row.since,
      reason: row.reason ?? ''
    }))
  }

  /** Has both sides compared as soon as nothing waits to be sent. Windows with `from < end <= to`. */
  async compare({ from, to }: { readonly from: Millis; readonly to: Millis }, now: Millis): Promise<void> {
    await order(this.#databases.powerSafe, { askedAt: now, daily: false, from, to })
  }
}

function openItem(eb: ExpressionBuilder<Tables & { a: Tables['aggregates'] }, 'a'>) {
  return eb
    .selectFrom('forward_items as item')
    .select('item.end_at')
    .whereRef('item.station', '=', 'a.station')
    .whereRef('item.parameter', '=', 'a.parameter')
    .whereRef('item.rank', '=', 'a.rank')
    .whereRef('item.end_at', '=', 'a.end_at')
}

function selected({ station, parameter, period, from, to }: ForwardSelection) {
  const parts = [sql`end_at > cast(${from} as bigint)`, sql`end_at <= cast(${to} as bigint)`]
  if (station !== undefined) parts.push(sql`station = ${station}`)
  if (parameter !== undefined) parts.push(sql`parameter = ${parameter}`)
  if (period !== undefined) parts.push(sql`rank = cast(${RANK[period]} as bigint)`)
  return sql<boolean>`${sql.join(parts, sql` and `)}`
}

async function raise(trx: Trx, selection: ForwardSelection): Promise<void> {
  const keys = sql`select station, parameter, rank, end_at from forward_items where state = 'rejected' and ${selected(selection)}`
  await trx
    .updateTable('aggregates')
    .set(eb => ({ revision: eb('revision', '+', 1) }))
    .where(sql<boolean>`(station, parameter, rank, end_at) in (${keys})`)
    .execute()
}
