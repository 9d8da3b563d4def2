import type { ExpressionBuilder } from 'kysely'
import { sql } from 'kysely'
import type { Millis, SeriesKey } from '#libs/model'
import type { Aggregate, AggregateLog, AggregateQuery, DueQuery, Part, Period, Published, Summary, WindowMark } from '#libs/pipeline'
import { ALGORITHM } from '#libs/pipeline'
import { inChunks } from './chunks.js'
import { moveCursor, readCursor } from './cursors.js'
import type { Databases, Tables, Trx } from './schema.js'
import { inTransaction } from './transaction.js'

const NAME = 'aggregates'

export const RANK: Readonly<Record<Period, number>> = { hour: 0, day: 1, month: 2 }
export const PERIOD_OF: readonly Period[] = ['hour', 'day', 'month']

/** An aggregate with its place among all publications: a window that is published again gets a new one. */
export interface PublishedAggregate {
  readonly position: number
  readonly aggregate: Aggregate
}

/** Aggregates, and the windows that must be summed up anew. Derived from the journal, hence kill-safe. */
export class StateAggregateLog implements AggregateLog {
  readonly #databases: Databases

  constructor(databases: Databases) {
    this.#databases = databases
  }

  cursor(): Promise<number> {
    return readCursor(this.#databases.killSafe, NAME)
  }

  async mark(marks: readonly WindowMark[], upTo: number): Promise<void> {
    await inTransaction(this.#databases.killSafe, async trx => {
      await inChunks(marks.map(toMarkRow), chunk =>
        trx
          .insertInto('aggregate_marks')
          .values([...chunk])
          .onConflict(on =>
            on.columns(['station', 'parameter', 'rank', 'end_at']).doUpdateSet(eb => ({
              // Whoever asks for a window once more may know of older records alone.
              sequence: eb
                .case()
                .when('excluded.sequence', '>', eb.ref('aggregate_marks.sequence'))
                .then(eb.ref('excluded.sequence'))
                .else(eb.ref('aggregate_marks.sequence'))
                .end(),
              due_at: eb.ref('excluded.due_at')
            }))
          )
          .execute()
      )
      await moveCursor(trx, NAME, upTo)
    })
  }

  async due({ period, now, stored, limit }: DueQuery): Promise<WindowMark[]> {
    let select = this.#databases.killSafe
      .selectFrom('aggregate_marks as mark')
      .selectAll()
      .where('rank', '=', RANK[period])
      .where('due_at', '<=', now)
      .where('sequence', '<=', stored)
    if (period === 'month') select = select.where(eb => eb.not(eb.exists(markedDayOfMonth(eb))))
    return (await select.orderBy('due_at').limit(limit).execute()).map(toMark)
  }

  async publish(results: readonly Published[]): Promise<number> {
    if (results.length === 0) return 0
    return inTransaction(this.#databases.killSafe, async trx => {
      const last = await lastPosition(trx)
      let position = last
      await inChunks(results, async chunk => {
        const before = await standingRows(trx, chunk)
        const changed = chunk.flatMap(result => nextRow(before.get(keyOf(result.mark, RANK[result.mark.period])), result))
        if (changed.length > 0)
          await save(
            trx,
            changed.map(row => ({ ...row, position: ++position }))
          )
        await unmark(trx, chunk)
      })
      return position - last
    })
  }

  async drop(marks: readonly WindowMark[]): Promise<void> {
    if (marks.length === 0) return
    const db = this.#databases.killSafe
    await inTransaction(db, trx =>
      inChunks(
        marks.map(mark => ({ mark })),
        chunk => unmark(trx, chunk)
      )
    )
  }

  async days({ station, parameter }: SeriesKey, span: { readonly from: Millis; readonly to: Millis }): Promise<Part[]> {
    const rows = await this.#databases.killSafe
      .selectFrom('aggregates')
      .select(['body', 'day_values'])
      .where('station', '=', station)
      .where('parameter', '=', parameter)
      .where('rank', '=', RANK.day)
      .where('end_at', '>', span.from)
      .where('end_at', '<=', span.to)
      .orderBy('end_at')
      .execute()
    return rows.map(({ body, day_values: bytes }) => ({ summary: JSON.parse(body) as Summary, values: toValues(bytes) }))
  }

  async find({ station, parameter, period, from, to, limit }: AggregateQuery): Promise<Aggregate[]> {
    const rows = await this.#databases.powerSafe
      .selectFrom('aggregates')
      .select(['station', 'parameter', 'unit', 'revision', 'algorithm', 'body'])
      .where('station', '=', station)
      .where('parameter', '=', parameter)
      .where('rank', '=', RANK[period])
      .where('end_at', '>', from)
      .where('end_at', '<=', to)
      .orderBy('end_at')
      .limit(limit)
      .execute()
    return rows.map(toAggregate)
  }

  async marked({ station, parameter, period, from, to, limit }: AggregateQuery): Promise<WindowMark[]> {
    const rows = await this.#databases.powerSafe
      .selectFrom('aggregate_marks')
      .selectAll()
      .where('station', '=', station)
      .where('parameter', '=', parameter)
      .where('rank', '=', RANK[period])
      .where('end_at', '>', from)
      .where('end_at', '<=', to)
      .orderBy('end_at')
      .limit(limit)
      .execute()
    return rows.map(toMark)
  }

  async newest(series: readonly SeriesKey[]): Promise<Millis | null> {
    let newest: Millis | null = null
    for (const { station, parameter } of series) {
      // Each a look at the end of its part of the key; one question for all of them would read every hour.
      for (const table of ['aggregates', 'aggregate_marks'] as const) {
        const row = await this.#databases.powerSafe
          .selectFrom(table)
          .select('end_at')
          .where('station', '=', station)
          .where('parameter', '=', parameter)
          .where('rank', '=', RANK.hour)
          .orderBy('end_at', 'desc')
          .limit(1)
          .executeTakeFirst()
        if (row) newest = Math.max(newest ?? 0, row.end_at)
      }
    }
    return newest
  }

  /** What was published after a position, in that order: for those who pass aggregates on. Superseded ones are gone from it. */
  async publishedAfter(position: number, limit: number): Promise<PublishedAggregate[]> {
    const rows = await this.#databases.powerSafe
      .selectFrom('aggregates')
      .select(['station', 'parameter', 'unit', 'revision', 'algorithm', 'body', 'position'])
      .where('position', '>', position)
      .orderBy('position')
      .limit(limit)
      .execute()
    return rows.map(row => ({ position: row.position, aggregate: toAggregate(row) }))
  }

  /** Position up to which this reader is done; 0 before its first. */
  place(reader: string): Promise<number> {
    return readCursor(this.#databases.killSafe, reader)
  }

  /** Keeps the reader's place; never moves it back. */
  async passed(reader: string, position: number): Promise<void> {
    await inTransaction(this.#databases.killSafe, trx => moveCursor(trx, reader, position))
  }
}

export type AggregateRow = Pick<Tables['aggregates'], 'station' | 'parameter' | 'unit' | 'revision' | 'algorithm' | 'body'>

export const toAggregate = ({ station, parameter, unit, revision, algorithm, body }: AggregateRow): Aggregate => ({
  station,
  parameter,
  ...(JSON.parse(body) as Summary),
  unit,
  revision,
  algorithm
})

const toMarkRow = ({ station, parameter, period, start, end, dueAt, sequence }: WindowMark): Tables['aggregate_marks'] => ({
  station,
  parameter,
  rank: RANK[period],
  start_at: start,
  end_at: end,
  due_at: dueAt,
  sequence
})

const toMark = (row: Tables['aggregate_marks']): WindowMark => ({
  station: row.station,
  parameter: row.parameter,
  period: PERIOD_OF[row.rank] ?? 'hour',
  start: row.start_at,
  end: row.end_at,
  dueAt: row.due_at,
  sequence: row.sequence
})

/** A month is summed up from days that are published: one that is marked still must come first. */
function markedDayOfMonth(eb: ExpressionBuilder<Tables & { mark: Tables['aggregate_marks'] }, 'mark'>) {
  return eb
    .selectFrom('aggregate_marks as day')
    .select('day.end_at')
    .whereRef('day.station', '=', 'mark.station')
    .whereRef('day.parameter', '=', 'mark.parameter')
    .where('day.rank', '=', RANK.day)
    .whereRef('day.end_at', '>', 'mark.start_at')
    .whereRef('day.end_at', '<=', 'mark.end_at')
}

const keyOf = ({ station, parameter, end }: Pick<WindowMark, 'station' | 'parameter' | 'end'>, rank: number): string =>
  `${station}/${parameter}/${rank}/${end}`

type NewRow = Omit<Tables['aggregates'], 'position'>

interface Marked {
  readonly mark: WindowMark
}

const whole = (value: number) => sql`cast(${value} as bigint)`
const windowOf = ({ mark: { station, parameter, period, end } }: Marked) =>
  sql`${station}, ${parameter}, ${whole(RANK[period])}, ${whole(end)}`

/** SQLite takes no list of tuples; VALUES in its place is taken by PostgreSQL too, which must be told what is a number. */
const windowsOf = (results: readonly Marked[]) => sql`(values ${sql.join(results.map(result => sql`(${windowOf(result)})`))})`
const marksOf = (results: readonly Marked[]) =>
  sql`(values ${sql.join(results.map(result => sql`(${windowOf(result)}, ${whole(result.mark.sequence)})`))})`

async function standingRows(trx: Trx, results: readonly Published[]): Promise<Map<string, AggregateRow>> {
  const rows = await trx
    .selectFrom('aggregates')
    .select(['station', 'parameter', 'rank', 'end_at', 'unit', 'revision', 'algorithm', 'body'])
    .where(sql<boolean>`(station, parameter, rank, end_at) in ${windowsOf(results)}`)
    .execute()
  return new Map(rows.map(row => [keyOf({ ...row, end: row.end_at }, row.rank), row]))
}

/** The next revision; nothing where the result is what stands. */
function nextRow(standing: AggregateRow | undefined, { mark, unit, summary, values }: Published): NewRow[] {
  const body = JSON.stringify(summary)
  if (standing && standing.body === body && standing.unit === unit && standing.algorithm === ALGORITHM) return []
  const { station, parameter, period, end } = mark
  const revision = (standing?.revision ?? 0) + 1
  const day_values = values && toBytes(values)
  return [{ station, parameter, rank: RANK[period], end_at: end, unit, revision, algorithm: ALGORITHM, body, day_values }]
}

async function save(trx: Trx, rows: readonly Tables['aggregates'][]): Promise<void> {
  await trx
    .insertInto('aggregates')
    .values([...rows])
    .onConflict(on =>
      on.columns(['station', 'parameter', 'rank', 'end_at']).doUpdateSet(eb => ({
        unit: eb.ref('excluded.unit'),
        revision: eb.ref('excluded.revision'),
        algorithm: eb.ref('excluded.algorithm'),
        position: eb.ref('excluded.position'),
        body: eb.ref('excluded.body'),
        day_values: eb.ref('excluded.day_values')
      }))
    )
    .execute()
}

/** Only the marks that were worked on: one that was made again since has a newer sequence. */
async function unmark(trx: Trx, results: readonly Marked[]): Promise<void> {
  await trx
    .deleteFrom('aggregate_marks')
    .where(sql<boolean>`(station, parameter, rank, end_at, sequence) in ${marksOf(results)}`)
    .execute()
}

async function lastPosition(trx: Trx): Promise<number> {
  const row = await trx
    .selectFrom('aggregates')
    .select(eb => eb.fn.max('position').as('last'))
    .executeTakeFirst()
  return row?.last ?? 0
}

const toBytes = (values: Float64Array): Uint8Array => Buffer.from(values.buffer, values.byteOffset, values.byteLength)

function toValues(bytes: Uint8Array | null): Float64Array {
  // A copy: bytes of a database need not begin at a multiple of eight.
  return bytes ? new Float64Array(new Uint8Array(bytes).buffer) : new Float64Array()
}
