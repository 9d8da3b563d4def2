import { sql } from 'kysely'
import type { Millis } from '#libs/model'
import { DAY, VIETNAM_OFFSET } from '#libs/model'
import type {
  ComparisonOrder,
  ComparisonResult,
  DigestQuery,
  ForwardBatch,
  ForwardBook,
  ForwardDay,
  ForwardItem,
  ForwardOutcome,
  WarehouseDigest
} from '#libs/pipeline'
import { WarehouseDigests } from '#libs/pipeline'
import { RANK, toAggregate } from './aggregates.js'
import { inChunks } from './chunks.js'
import { moveCursor, readCursor } from './cursors.js'
import { markAgain } from './forward-marks.js'
import type { Databases, Db, Tables, Trx } from './schema.js'
import { inTransaction } from './transaction.js'

/** Cursor of the forwarder: by target, since another warehouse has nothing of what this one has. */
const PLACE = 'forward:'
const SECURED = 'forward-secured'
const PAGE = 1_000
const COLUMNS = ['a.station', 'a.parameter', 'a.unit', 'a.revision', 'a.algorithm', 'a.body'] as const

/**
 * What the warehouse has of the aggregates: everything up to the place of the forwarder but for `forward_items`. Kill-safe; `secure`
 * makes it power-safe.
 */
export class StateForwardBook implements ForwardBook {
  readonly #databases: Databases
  readonly #name: string
  #place: number | null = null

  /** `target`: names the warehouse; a state that has known another one begins anew with this. */
  constructor(databases: Databases, target: string) {
    this.#databases = databases
    this.#name = PLACE + target
  }

  async next(now: Millis, limit: number): Promise<ForwardBatch> {
    const place = await this.place()
    const fresh = await this.#fresh(place, limit)
    // Neither what is new nor a long list that is sent again may keep the other waiting.
    const waiting = await this.#waiting({ place, now, limit: limit - Math.min(fresh.length, Math.ceil(limit / 2)) })
    const taken = fresh.slice(0, limit - waiting.length)
    const items = [...waiting, ...taken.map(row => ({ aggregate: toAggregate(row), attempts: 0 }))]
    return { items, upTo: taken.at(-1)?.position ?? place }
  }

  /** Place among the publications up to which everything was sent at least once. */
  async place(): Promise<number> {
    this.#place ??= await this.#begin()
    return this.#place
  }

  /** A commit that is on the disk takes all with it that was committed before. It must write something: hence a count. */
  async secure(): Promise<void> {
    await inTransaction(this.#databases.powerSafe, trx =>
      trx
        .insertInto('cursors')
        .values({ name: SECURED, sequence: 1 })
        .onConflict(on => on.column('name').doUpdateSet(eb => ({ sequence: eb('cursors.sequence', '+', 1) })))
        .execute()
    )
  }

  async settle(outcomes: readonly ForwardOutcome[], upTo: number, now: Millis): Promise<void> {
    await inTransaction(this.#databases.killSafe, async trx => {
      const done = outcomes.filter(({ outcome }) => outcome === 'done')
      if (done.length > 0 && (await anyItem(trx))) await inChunks(done, chunk => forget(trx, chunk))
      for (const outcome of outcomes) if (outcome.outcome !== 'done') await keep(trx, outcome, now)
      await moveCursor(trx, this.#name, upTo)
    })
    this.#place = Math.max(upTo, this.#place ?? 0)
  }

  async nextDue(): Promise<Millis | null> {
    const place = await this.place()
    const row = await waitingItems(this.#databases.powerSafe, place)
      .select('item.not_before')
      .orderBy('item.not_before')
      .limit(1)
      .executeTakeFirst()
    return row?.not_before ?? null
  }

  async digests({ period, from, to }: DigestQuery): Promise<readonly WarehouseDigest[]> {
    const digests = new WarehouseDigests()
    for await (const series of this.#series()) {
      for (let after = from; ; ) {
        const rows = await this.#databases.powerSafe
          .selectFrom('aggregates as a')
          .select([...COLUMNS, 'a.end_at'])
          .where('a.station', '=', series.station)
          .where('a.parameter', '=', series.parameter)
          .where('a.rank', '=', RANK[period])
          .where('a.end_at', '>', after)
          .where('a.end_at', '<=', to)
          .orderBy('a.end_at')
          .limit(PAGE)
          .execute()
        for (const row of rows) digests.add(toAggregate(row))
        const last = rows.at(-1)
        if (!last || rows.length < PAGE) break
        after = last.end_at
      }
      await new Promise(resolve => setImmediate(resolve))
    }
    return digests.list()
  }

  async resendDay({ station, period, date }: ForwardDay, now: Millis): Promise<number | null> {
    const place = await this.place()
    const from = Date.parse(`${date}T00:00:00Z`) - VIETNAM_OFFSET
    return inTransaction(this.#databases.killSafe, async trx => {
      const day = { station, period, from, to: from + DAY }
      const beyond = await trx
        .selectFrom('aggregates')
        .select('position')
        .where('station', '=', station)
        .where('rank', '=', RANK[period])
        .where('end_at', '>', day.from)
        .where('end_at', '<=', day.to)
        .where('position', '>', place)
        .limit(1)
        .executeTakeFirst()
      return beyond ? null : markAgain(trx, day, { now, setAsideToo: false })
    })
  }

  async nextComparison(): Promise<ComparisonOrder | null> {
    const row = await this.#databases.powerSafe
      .selectFrom('forward_comparisons')
      .selectAll()
      .where('finished_at', 'is', null)
      .orderBy('asked_at')
      .limit(1)
      .executeTakeFirst()
    return row ? { askedAt: row.asked_at, daily: row.daily === 1, from: row.from_at, to: row.to_at } : null
  }

  orderComparison(comparison: ComparisonOrder): Promise<void> {
    return order(this.#databases.powerSafe, comparison)
  }

  async compared({ askedAt }: ComparisonOrder, finishedAt: Millis, result: ComparisonResult): Promise<void> {
    const { days, differing, resent, theirsAlone } = result
    await this.#databases.killSafe
      .updateTable('forward_comparisons')
      .set({ finished_at: finishedAt, days, differing, resent, theirs_alone: theirsAlone })
      .where('asked_at', '=', askedAt)
      .execute()
  }

  async lastDaily(): Promise<Millis | null> {
    const row = await this.#databases.powerSafe
      .selectFrom('forward_comparisons')
      .select(eb => eb.fn.max('asked_at').as('last'))
      .where('daily', '=', 1)
      .executeTakeFirst()
    return row?.last ?? null
  }

  /** What an earlier warehouse refused or left open says nothing of this one. */
  async #begin(): Promise<number> {
    const db = this.#databases.powerSafe
    const others = await db
      .selectFrom('cursors')
      .select('name')
      .where('name', 'like', `${PLACE}%`)
      .where('name', '!=', this.#name)
      .execute()
    if (others.length > 0) {
      await inTransaction(db, async trx => {
        await trx.deleteFrom('cursors').where('name', 'like', `${PLACE}%`).where('name', '!=', this.#name).execute()
        await trx.deleteFrom('forward_items').execute()
        await trx.deleteFrom('forward_comparisons').execute()
      })
    }
    return readCursor(db, this.#name)
  }

  #fresh(place: number, limit: number) {
    return this.#databases.powerSafe
      .selectFrom('aggregates as a')
      .select([...COLUMNS, 'a.position'])
      .where('a.position', '>', place)
      .orderBy('a.position')
      .limit(limit)
      .execute()
  }

  async #waiting({ place, now, limit }: { place: number; now: Millis; limit: number }): Promise<ForwardItem[]> {
    const rows = await waitingItems(this.#databases.powerSafe, place)
      .select([...COLUMNS, 'item.attempts'])
      .where('item.not_before', '<=', now)
      .orderBy('item.not_before')
      .limit(limit)
      .execute()
    return rows.map(row => ({ aggregate: toAggregate(row), attempts: row.attempts }))
  }

  /** The series of which there are aggregates, each found by a step in the key. */
  async *#series(): AsyncGenerator<{ readonly station: string; readonly parameter: string }> {
    let last = { station: '', parameter: '' }
    for (;;) {
      const next = await this.#databases.powerSafe
        .selectFrom('aggregates')
        .select(['station', 'parameter'])
        .where(sql<boolean>`(station, parameter) > (${last.station}, ${last.parameter})`)
        .orderBy('station')
        .orderBy('parameter')
        .limit(1)
        .executeTakeFirst()
      if (!next) return
      yield next
      last = next
    }
  }
}

export async function order(db: Db, { askedAt, daily, from, to }: ComparisonOrder): Promise<void> {
  await db
    .insertInto('forward_comparisons')
    .values({ asked_at: askedAt, daily: daily ? 1 : 0, from_at: from, to_at: to })
    .onConflict(on => on.column('asked_at').doNothing())
    .execute()
}

/** Those that changed since come by their new place instead. */
const waitingItems = (db: Db, place: number) =>
  db
    .selectFrom('forward_items as item')
    .innerJoin('aggregates as a', join =>
      join
        .onRef('a.station', '=', 'item.station')
        .onRef('a.parameter', '=', 'item.parameter')
        .onRef('a.rank', '=', 'item.rank')
        .onRef('a.end_at', '=', 'item.end_at')
    )
    .where('item.state', '=', 'waiting')
    .where('a.position', '<=', place)

const anyItem = async (trx: Trx): Promise<boolean> =>
  (await trx.selectFrom('forward_items').select('end_at').limit(1).executeTakeFirst()) !== undefined

const whole = (value: number) => sql`cast(${value} as bigint)`

async function forget(trx: Trx, done: readonly ForwardOutcome[]): Promise<void> {
  const keys = done.map(({ item: { aggregate: a } }) => sql`(${a.station}, ${a.parameter}, ${whole(RANK[a.period])}, ${whole(a.end)})`)
  await trx
    .deleteFrom('forward_items')
    .where(sql<boolean>`(station, parameter, rank, end_at) in (values ${sql.join(keys)})`)
    .execute()
}

type Kept = Exclude<ForwardOutcome, { outcome: 'done' }>

async function keep(trx: Trx, outcome: Kept, now: Millis): Promise<void> {
  const { aggregate, attempts } = outcome.item
  const key = { station: aggregate.station, parameter: aggregate.parameter, rank: RANK[aggregate.period], end_at: aggregate.end }
  if (outcome.outcome === 'behind') await overtake(trx, key, outcome.revision)
  const row = { ...key, revision: aggregate.revision, since: now, ...standOf(outcome, attempts, now) }
  const { state, revision, attempts: tries, not_before, reason } = row
  await trx
    .insertInto('forward_items')
    .values(row)
    .onConflict(on =>
      on.columns(['station', 'parameter', 'rank', 'end_at']).doUpdateSet({ state, revision, attempts: tries, not_before, reason })
    )
    .execute()
}

function standOf(
  outcome: Kept,
  attempts: number,
  now: Millis
): Pick<Tables['forward_items'], 'state' | 'attempts' | 'not_before' | 'reason'> {
  switch (outcome.outcome) {
    case 'behind':
      return { state: 'waiting', attempts: 0, not_before: now, reason: `the warehouse has revision ${outcome.revision}` }
    case 'rejected':
      return { state: 'rejected', attempts: attempts + 1, not_before: now, reason: outcome.reason }
    case 'retry':
      return { state: 'waiting', attempts: attempts + 1, not_before: outcome.notBefore, reason: outcome.reason }
  }
}

type Key = Pick<Tables['aggregates'], 'station' | 'parameter' | 'rank' | 'end_at'>

/** Ours becomes the next after theirs, with the figures that it has; unless it is that far already. */
async function overtake(trx: Trx, key: Key, theirs: number): Promise<void> {
  await trx
    .updateTable('aggregates')
    .set({ revision: theirs + 1 })
    .where('station', '=', key.station)
    .where('parameter', '=', key.parameter)
    .where('rank', '=', key.rank)
    .where('end_at', '=', key.end_at)
    .where('revision', '<=', theirs)
    .execute()
}
