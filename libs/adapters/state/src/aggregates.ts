import type { Millis, SeriesKey } from '#libs/model'
import type { Aggregate, AggregateLog, AggregateQuery, DueQuery, Part, Period, Published, Summary, WindowMark } from '#libs/pipeline'
import { ALGORITHM } from '#libs/pipeline'
import { inChunks } from './chunks.js'
import { moveCursor, readCursor } from './cursors.js'
import type { Databases, Tables, Trx } from './schema.js'
import { inTransaction } from './transaction.js'

const NAME = 'aggregates'

/** A longer window rests on shorter ones: those come first. */
const RANK: Readonly<Record<Period, number>> = { hour: 0, day: 1, month: 2 }
const PERIOD_OF: readonly Period[] = ['hour', 'day', 'month']

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
              sequence: eb.ref('excluded.sequence'),
              due_at: eb.ref('excluded.due_at')
            }))
          )
          .execute()
      )
      await moveCursor(trx, NAME, upTo)
    })
  }

  async due({ now, stored, limit }: DueQuery): Promise<WindowMark[]> {
    const rows = await this.#databases.killSafe
      .selectFrom('aggregate_marks')
      .selectAll()
      .where('due_at', '<=', now)
      .where('sequence', '<=', stored)
      .orderBy('rank')
      .orderBy('end_at')
      .orderBy('station')
      .orderBy('parameter')
      .limit(limit)
      .execute()
    return rows.map(toMark)
  }

  async publish(results: readonly Published[]): Promise<Aggregate[]> {
    return inTransaction(this.#databases.killSafe, async trx => {
      let position = await lastPosition(trx)
      const standing: Aggregate[] = []
      for (const result of results) {
        const { aggregate, isNew } = await supersede(trx, result)
        if (isNew) await save(trx, { aggregate, position: ++position, values: result.values })
        await unmark(trx, result.mark)
        standing.push(aggregate)
      }
      return standing
    })
  }

  async drop(marks: readonly WindowMark[]): Promise<void> {
    await inTransaction(this.#databases.killSafe, async trx => {
      for (const mark of marks) await unmark(trx, mark)
    })
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
}

type AggregateRow = Pick<Tables['aggregates'], 'station' | 'parameter' | 'unit' | 'revision' | 'algorithm' | 'body'>

const toAggregate = ({ station, parameter, unit, revision, algorithm, body }: AggregateRow): Aggregate => ({
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

/** The aggregate as it stands after this result: the same one, or one with the next revision. */
async function supersede(trx: Trx, { mark, unit, summary }: Published): Promise<{ aggregate: Aggregate; isNew: boolean }> {
  const { station, parameter } = mark
  const row = await trx
    .selectFrom('aggregates')
    .select(['station', 'parameter', 'unit', 'revision', 'algorithm', 'body'])
    .where('station', '=', station)
    .where('parameter', '=', parameter)
    .where('rank', '=', RANK[mark.period])
    .where('end_at', '=', mark.end)
    .executeTakeFirst()
  const isNew = !row || row.body !== JSON.stringify(summary) || row.unit !== unit || row.algorithm !== ALGORITHM
  if (!isNew) return { aggregate: toAggregate(row), isNew }
  return { aggregate: { station, parameter, ...summary, unit, revision: (row?.revision ?? 0) + 1, algorithm: ALGORITHM }, isNew }
}

interface Kept {
  readonly aggregate: Aggregate
  readonly position: number
  readonly values: Float64Array | null
}

async function save(trx: Trx, { aggregate, position, values }: Kept): Promise<void> {
  const { station, parameter, unit, revision, algorithm, ...summary } = aggregate
  const content = { unit, revision, algorithm, position, body: JSON.stringify(summary), day_values: values && toBytes(values) }
  await trx
    .insertInto('aggregates')
    .values({ station, parameter, rank: RANK[summary.period], end_at: summary.end, ...content })
    .onConflict(on => on.columns(['station', 'parameter', 'rank', 'end_at']).doUpdateSet(content))
    .execute()
}

/** Only the mark that was worked on: one that was made again since has a newer sequence. */
async function unmark(trx: Trx, { station, parameter, period, end, sequence }: WindowMark): Promise<void> {
  await trx
    .deleteFrom('aggregate_marks')
    .where('station', '=', station)
    .where('parameter', '=', parameter)
    .where('rank', '=', RANK[period])
    .where('end_at', '=', end)
    .where('sequence', '=', sequence)
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
  return bytes ? new Float64Array(Uint8Array.from(bytes).buffer) : new Float64Array()
}
