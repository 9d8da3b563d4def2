import type { Refusal, RefusalLog } from '#libs/pipeline'
import { inChunks } from './chunks.js'
import { moveCursor, readCursor } from './cursors.js'
import { decodeKey, type Page, pageSize, toPage } from './page.js'
import type { Databases, Tables, Trx } from './schema.js'
import { inTransaction } from './transaction.js'

export interface RefusalQuery {
  readonly station?: string
  readonly after?: string
  readonly limit: number
}

const NAME = 'refusals'
const EXCERPT_BYTES = 4_096
const MAX_ROWS = 100_000
/** Rows that go at once, so that a full list is not counted for every new row. */
const PRUNED_AT_ONCE = 1_000

/**
 * What was refused and why. Derived from the journal, hence kill-safe. At most 100,000 rows are listed; when there are
 * more, the oldest of the station that has most go, so that a noisy station does not wipe out the others'. The journal
 * keeps every one with all its bytes for as long as it keeps anything.
 */
export class Refusals implements RefusalLog {
  readonly #databases: Databases
  readonly #maxRows: number
  /** Rows in the table, counted once: only one consumer writes them. */
  #rows: number | null = null

  constructor(databases: Databases, maxRows = MAX_ROWS) {
    this.#databases = databases
    this.#maxRows = maxRows
  }

  cursor(): Promise<number> {
    return readCursor(this.#databases.killSafe, NAME)
  }

  async record(refusals: readonly Refusal[], upTo: number): Promise<void> {
    const rows = toRows(refusals)
    this.#rows = await inTransaction(this.#databases.killSafe, async trx => {
      const before = this.#rows ?? (await count(trx))
      await inChunks(rows, chunk =>
        trx
          .insertInto('refusals')
          .values([...chunk])
          .onConflict(on => on.columns(['sequence', 'item']).doNothing())
          .execute()
      )
      await moveCursor(trx, NAME, upTo)
      return before + rows.length > this.#maxRows ? this.#prune(trx) : before + rows.length
    })
  }

  /** Newest first. @throws StateError QT_CURSOR_INVALID */
  async list(query: RefusalQuery): Promise<Page<Refusal>> {
    const limit = pageSize(query.limit)
    let select = this.#databases.powerSafe.selectFrom('refusals').selectAll()
    if (query.station !== undefined) select = select.where('station', '=', query.station)
    if (query.after !== undefined) {
      const [sequence, item] = decodeKey(query.after, 'number')
      select = select.where(eb => eb(eb.refTuple('sequence', 'item'), '<', eb.tuple(sequence, item)))
    }
    const rows = await select
      .orderBy('sequence', 'desc')
      .orderBy('item', 'desc')
      .limit(limit + 1)
      .execute()
    return toPage(rows, limit, row => [row.sequence, row.item], toRefusal)
  }

  /** Returns how many rows are left. */
  async #prune(trx: Trx): Promise<number> {
    let rows = await count(trx)
    const batch = Math.max(1, Math.min(PRUNED_AT_ONCE, Math.trunc(this.#maxRows / 10)))
    while (rows > this.#maxRows) rows -= await dropOldest(trx, await noisiest(trx), Math.max(batch, rows - this.#maxRows))
    return rows
  }
}

async function count(trx: Trx): Promise<number> {
  const { rows } = await trx
    .selectFrom('refusals')
    .select(eb => eb.fn.countAll().as('rows'))
    .executeTakeFirstOrThrow()
  return Number(rows)
}

async function noisiest(trx: Trx): Promise<string | null> {
  const { station } = await trx
    .selectFrom('refusals')
    .select('station')
    .groupBy('station')
    .orderBy(eb => eb.fn.countAll(), 'desc')
    .limit(1)
    .executeTakeFirstOrThrow()
  return station
}

async function dropOldest(trx: Trx, station: string | null, rows: number): Promise<number> {
  const oldest = await trx
    .selectFrom('refusals')
    .select(['sequence', 'item'])
    .where('station', station === null ? 'is' : '=', station)
    .orderBy('sequence')
    .orderBy('item')
    .limit(rows)
    .execute()
  const last = oldest.at(-1)
  if (!last) return 0
  await trx
    .deleteFrom('refusals')
    .where('station', station === null ? 'is' : '=', station)
    .where(eb => eb(eb.refTuple('sequence', 'item'), '<=', eb.tuple(last.sequence, last.item)))
    .execute()
  return oldest.length
}

/** The refused items of one record are told apart by their place in it. A record's items come together. */
function toRows(refusals: readonly Refusal[]): Tables['refusals'][] {
  const items = new Map<number, number>()
  return refusals.map(refusal => {
    const item = items.get(refusal.sequence) ?? 0
    items.set(refusal.sequence, item + 1)
    return {
      sequence: refusal.sequence,
      item,
      received_at: refusal.receivedAt,
      station: refusal.station,
      road: refusal.road,
      topic: refusal.topic,
      reason: refusal.reason,
      detail: refusal.detail,
      parameter: refusal.parameter,
      at: refusal.at,
      payload: refusal.payload.subarray(0, EXCERPT_BYTES),
      payload_bytes: refusal.payloadBytes
    }
  })
}

const toRefusal = (row: Tables['refusals']): Refusal => ({
  sequence: row.sequence,
  receivedAt: row.received_at,
  station: row.station,
  road: row.road as Refusal['road'],
  topic: row.topic,
  reason: row.reason as Refusal['reason'],
  detail: row.detail,
  parameter: row.parameter,
  at: row.at,
  payload: row.payload,
  payloadBytes: row.payload_bytes
})
