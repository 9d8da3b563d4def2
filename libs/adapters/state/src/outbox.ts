import { DAY, type Millis } from '#libs/model'
import type { AlarmTransition, Clock, Outbox, OutboxMessage } from '#libs/pipeline'
import { decodeKey, type Page, pageSize, toPage } from './page.js'
import { parseTransition } from './recording.js'
import type { Databases, Db, OutboxState, Tables, Trx } from './schema.js'

export interface QueuedMessage extends OutboxMessage {
  readonly queuedAt: Millis
}

export interface OutboxStats {
  readonly pending: number
  readonly failed: number
  /** Age of the oldest message that waits, in milliseconds; 0 when none does. */
  readonly oldestPendingAge: Millis
}

/** A message that was given up. */
export interface FailedMessage {
  readonly key: string
  readonly channel: string
  readonly target: string
  readonly attempts: number
  readonly queuedAt: Millis
  readonly failedAt: Millis
  readonly reason: string
  readonly transition: AlarmTransition
}

const KEEP_DELIVERED: Millis = 7 * DAY
const KEEP_FAILED: Millis = 90 * DAY
const PRUNED_AT_ONCE = 10_000

/**
 * Messages that must reach somebody. Within a target they leave in the order in which they were recorded: only the
 * oldest that waits (its head) can be due. Marks are kill-safe: a power cut may forget that a message was delivered, and
 * it is then sent again with its key.
 */
export class StateOutbox implements Outbox {
  readonly #databases: Databases
  readonly #clock: Clock

  constructor(databases: Databases, clock: Clock) {
    this.#databases = databases
    this.#clock = clock
  }

  async due(now: Millis, limit: number, busy: readonly string[]): Promise<QueuedMessage[]> {
    let query = heads(this.#databases.powerSafe)
      .innerJoin('transitions', 'transitions.id', 'outbox.transition')
      .select(['outbox.key', 'outbox.channel', 'outbox.target', 'outbox.attempts', 'outbox.queued_at'])
      .select('transitions.body')
      .where('outbox.not_before', '<=', now)
    if (busy.length > 0) query = query.where('outbox.target', 'not in', [...busy])
    const rows = await query.orderBy('outbox.not_before').orderBy('outbox.position').limit(limit).execute()
    return rows.map(row => ({
      key: row.key,
      channel: row.channel,
      target: row.target,
      attempts: row.attempts,
      queuedAt: row.queued_at,
      transition: parseTransition(row)
    }))
  }

  /** Targets named in `busy` left out. */
  async nextDue(busy: readonly string[] = []): Promise<Millis | null> {
    let query = heads(this.#databases.powerSafe).select(eb => eb.fn.min('outbox.not_before').as('next'))
    if (busy.length > 0) query = query.where('outbox.target', 'not in', [...busy])
    const { next } = await query.$castTo<{ next: Millis | null }>().executeTakeFirstOrThrow()
    return next
  }

  delivered(key: string, now: Millis): Promise<void> {
    return this.#finish(key, { state: 'delivered', finished_at: now, reason: null })
  }

  failed(key: string, now: Millis, reason: string): Promise<void> {
    return this.#finish(key, { state: 'failed', finished_at: now, reason })
  }

  async retry(key: string, notBefore: Millis, reason: string): Promise<void> {
    await this.#databases.killSafe
      .updateTable('outbox')
      .set(eb => ({ attempts: eb('attempts', '+', 1), not_before: notBefore, reason }))
      .where('key', '=', key)
      .where('state', '=', 'pending')
      .execute()
  }

  async #finish(key: string, end: { state: OutboxState; finished_at: Millis; reason: string | null }): Promise<void> {
    await this.#databases.killSafe
      .updateTable('outbox')
      .set(eb => ({ attempts: eb('attempts', '+', 1), ...end }))
      .where('key', '=', key)
      .where('state', '=', 'pending')
      .execute()
  }

  async stats(now: Millis = this.#clock()): Promise<OutboxStats> {
    const rows = await this.#databases.powerSafe
      .selectFrom('outbox')
      .select(eb => ['state', eb.fn.countAll().as('messages'), eb.fn.min('queued_at').as('oldest')])
      .where('state', 'in', ['pending', 'failed'])
      .groupBy('state')
      .execute()
    const pending = rows.find(({ state }) => state === 'pending')
    const failed = rows.find(({ state }) => state === 'failed')
    return {
      pending: Number(pending?.messages ?? 0),
      failed: Number(failed?.messages ?? 0),
      oldestPendingAge: pending ? Math.max(0, now - pending.oldest) : 0
    }
  }

  /** What was given up, newest first. @throws StateError QT_CURSOR_INVALID */
  async failedMessages(query: { readonly after?: string; readonly limit: number }): Promise<Page<FailedMessage>> {
    const limit = pageSize(query.limit)
    let select = this.#databases.powerSafe
      .selectFrom('outbox')
      .innerJoin('transitions', 'transitions.id', 'outbox.transition')
      .selectAll('outbox')
      .select('transitions.body')
      .where('outbox.state', '=', 'failed')
    if (query.after !== undefined) {
      const [failedAt, key] = decodeKey(query.after, 'string')
      select = select.where(eb => eb(eb.refTuple('outbox.finished_at', 'outbox.key'), '<', eb.tuple(failedAt, key)))
    }
    const rows = await select
      .orderBy('outbox.finished_at', 'desc')
      .orderBy('outbox.key', 'desc')
      .limit(limit + 1)
      .execute()
    return toPage(rows, limit, row => [row.finished_at ?? 0, row.key], toFailed)
  }

  /** Lets a message that was given up be tried anew, from its first attempt. False when it is not one of those. */
  async redo(key: string, now: Millis = this.#clock()): Promise<boolean> {
    const { numUpdatedRows } = await this.#databases.powerSafe
      .updateTable('outbox')
      .set({ state: 'pending', attempts: 0, queued_at: now, not_before: now, finished_at: null, reason: null })
      .where('key', '=', key)
      .where('state', '=', 'failed')
      .executeTakeFirst()
    return numUpdatedRows > 0n
  }
}

/**
 * The oldest waiting message of each target. The recursion steps from target to target along the index, so that a long
 * queue of a receiver that is down costs nothing here. The join goes by the outbox's key alone, so that no planner begins
 * with all that waits.
 */
function heads(db: Db) {
  return db
    .withRecursive('lanes(target)', cte =>
      cte
        .selectFrom('outbox')
        .select(eb => eb.fn.min('outbox.target').as('target'))
        .$castTo<{ target: string | null }>()
        .where('outbox.state', '=', 'pending')
        .unionAll(
          cte
            .selectFrom('lanes')
            .select(eb =>
              eb
                .selectFrom('outbox')
                .select(inner => inner.fn.min('outbox.target').as('target'))
                .where('outbox.state', '=', 'pending')
                .whereRef('outbox.target', '>', 'lanes.target')
                .as('target')
            )
            .where('lanes.target', 'is not', null)
        )
    )
    .with('heads', cte =>
      cte
        .selectFrom('lanes')
        .where('lanes.target', 'is not', null)
        .select(eb =>
          eb
            .selectFrom('outbox')
            .select('outbox.key')
            .where('outbox.state', '=', 'pending')
            .whereRef('outbox.target', '=', 'lanes.target')
            .orderBy('outbox.position')
            .limit(1)
            .as('key')
        )
    )
    .selectFrom('heads')
    .innerJoin('outbox', 'outbox.key', 'heads.key')
}

type FailedRow = Tables['outbox'] & { body: string }

const toFailed = (row: FailedRow): FailedMessage => ({
  key: row.key,
  channel: row.channel,
  target: row.target,
  attempts: row.attempts,
  queuedAt: row.queued_at,
  failedAt: row.finished_at ?? row.queued_at,
  reason: row.reason ?? '',
  transition: parseTransition(row)
})

/** Forgets what was delivered a week ago or given up three months ago, a bounded number at once. */
export async function pruneOutbox(trx: Trx, now: Millis): Promise<void> {
  await forget(trx, 'delivered', now - KEEP_DELIVERED)
  await forget(trx, 'failed', now - KEEP_FAILED)
}

async function forget(trx: Trx, state: OutboxState, before: Millis): Promise<void> {
  await trx
    .deleteFrom('outbox')
    .where('state', '=', state) // again: meanwhile it may have been put back
    .where('key', 'in', eb =>
      eb
        .selectFrom('outbox')
        .select('key')
        .where('state', '=', state)
        .where('finished_at', '<', before)
        .orderBy('finished_at')
        .limit(PRUNED_AT_ONCE)
    )
    .execute()
}
