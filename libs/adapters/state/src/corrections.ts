import type { Millis, SeriesKey } from '#libs/model'
import type { Change, Clock, Command, Correction, CorrectionState, Person, Proposal, RefusalCode, Span } from '#libs/pipeline'
import { decide, problemOfPerson, problemOfProposal } from '#libs/pipeline'
import type { CorrectionEntry } from './correction-rows.js'
import { toCorrection, toEntry, toEntryRow, toRow } from './correction-rows.js'
import { decodeKey, type Page, pageSize, toPage } from './page.js'
import type { Databases, Trx } from './schema.js'
import { inTransaction } from './transaction.js'

export interface CorrectionQuery {
  readonly station?: string
  readonly parameter?: string
  readonly state?: CorrectionState
  readonly after?: string
  readonly limit: number
}

/** Corrections of a series that have been accepted at some time and are about a span. */
export interface AcceptedQuery extends SeriesKey, Span {
  readonly limit: number
}

export type CorrectionResult =
  | { readonly ok: true; readonly correction: Correction }
  | { readonly ok: false; readonly code: RefusalCode | 'QT_CORRECTION_UNKNOWN' | 'QT_CORRECTION_LIMIT'; readonly message: string }

/** What an edit says anew. */
export interface Edit {
  readonly change: Change
  readonly reason: string
}

/** Corrections that nobody has decided: what a province's staff can look through. */
const MAX_OPEN = 1_000
/** Things done to one correction, each kept for ever. */
const MAX_VERSION = 200
const OPEN: readonly CorrectionState[] = ['draft', 'waiting', 'rejected']

/**
 * Corrections beside the raw series, with everything that was ever done to them. Power-safe: people's actions. Every change names the
 * version that was seen, and is refused where another came first; what it leads to and its entry in the history are one transaction.
 */
export class Corrections {
  readonly #databases: Databases
  readonly #clock: Clock
  readonly #maxOpen: number

  constructor(databases: Databases, clock: Clock, maxOpen = MAX_OPEN) {
    this.#databases = databases
    this.#clock = clock
    this.#maxOpen = maxOpen
  }

  /** Newest first. @throws StateError QT_CURSOR_INVALID */
  async list(query: CorrectionQuery): Promise<Page<Correction>> {
    const limit = pageSize(query.limit)
    let select = this.#databases.powerSafe.selectFrom('corrections').selectAll()
    if (query.station !== undefined) select = select.where('station', '=', query.station)
    if (query.parameter !== undefined) select = select.where('parameter', '=', query.parameter)
    if (query.state !== undefined) select = select.where('state', '=', query.state)
    if (query.after !== undefined) select = select.where('id', '<', decodeKey(query.after, 'number')[0])
    const rows = await select
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute()
    return toPage(rows, limit, row => [row.id, 0], toCorrection)
  }

  async get(id: number): Promise<Correction | null> {
    const row = await this.#databases.powerSafe.selectFrom('corrections').selectAll().where('id', '=', id).executeTakeFirst()
    return row ? toCorrection(row) : null
  }

  /** Everything that was done to it, oldest first; empty for one that nobody knows. */
  async history(id: number): Promise<CorrectionEntry[]> {
    const rows = await this.#databases.powerSafe
      .selectFrom('correction_events')
      .selectAll()
      .where('correction', '=', id)
      .orderBy('version')
      .execute()
    return rows.map(toEntry)
  }

  /** In the order of acceptance, also those that were taken back since; at most `limit`. */
  async accepted({ station, parameter, from, to, limit }: AcceptedQuery): Promise<Correction[]> {
    const rows = await this.#databases.powerSafe
      .selectFrom('corrections')
      .selectAll()
      .where('station', '=', station)
      .where('parameter', '=', parameter)
      .where('accepted_at', 'is not', null)
      .where('from_at', '<=', to)
      .where('to_at', '>=', from)
      .orderBy('accepted_at')
      .limit(limit)
      .execute()
    return rows.map(toCorrection)
  }

  /** A draft, whose author is `by`. */
  create({ station, parameter, change, reason }: Proposal, by: Person): Promise<CorrectionResult> {
    const problem = problemOfProposal({ change, reason }) ?? problemOfPerson(by)
    if (problem !== null) return Promise.resolve({ ok: false, code: 'QT_CORRECTION_INVALID', message: problem })
    return inTransaction(this.#databases.powerSafe, async (trx): Promise<CorrectionResult> => {
      if ((await countOpen(trx)) >= this.#maxOpen)
        return tooMany(`${this.#maxOpen} corrections wait for somebody: decide or cancel some first`)
      const at = this.#clock()
      const correction: Correction = {
        id: (await lastId(trx)) + 1,
        station,
        parameter,
        state: 'draft',
        version: 1,
        change,
        reason,
        writers: [by],
        createdAt: at,
        changedAt: at,
        approver: null,
        acceptedAt: null,
        withdrawnAt: null
      }
      await trx.insertInto('corrections').values(toRow(correction)).execute()
      await append(trx, correction, { event: 'create', by, comment: null, change, reason })
      return { ok: true, correction }
    })
  }

  /** Another change or reason in the place of what a draft says. Who edits it is one of its writers from then on. */
  edit(id: number, command: Omit<Command, 'event'>, { change, reason }: Edit): Promise<CorrectionResult> {
    const problem = problemOfProposal({ change, reason })
    if (problem !== null) return Promise.resolve({ ok: false, code: 'QT_CORRECTION_INVALID', message: problem })
    return this.#change(id, { ...command, event: 'edit' }, { change, reason })
  }

  /** Submits, approves, rejects, cancels or reopens it. */
  act(id: number, command: Command & { readonly event: Exclude<Command['event'], 'edit'> }): Promise<CorrectionResult> {
    return this.#change(id, command, null)
  }

  #change(id: number, command: Command, edit: Edit | null): Promise<CorrectionResult> {
    const { event, by, comment } = command
    return inTransaction(this.#databases.powerSafe, async (trx): Promise<CorrectionResult> => {
      const row = await trx.selectFrom('corrections').selectAll().where('id', '=', id).executeTakeFirst()
      if (!row) return { ok: false, code: 'QT_CORRECTION_UNKNOWN', message: 'there is no such correction' }
      const before = toCorrection(row)
      const decision = decide(before, command)
      if (!decision.ok) return decision
      // What nobody can edit any more can still be decided or given up.
      if (before.version >= MAX_VERSION && (event === 'edit' || event === 'reopen'))
        return tooMany(`it was changed ${MAX_VERSION} times: cancel it and make another`)
      const at = event === 'approve' ? await nextAcceptance(trx, before, this.#clock()) : Math.max(this.#clock(), before.changedAt)
      const correction = { ...changed(before, { by, event, at, state: decision.state }), ...edit }
      await trx.updateTable('corrections').set(toRow(correction)).where('id', '=', id).execute()
      await append(trx, correction, { event, by, comment, change: edit?.change ?? null, reason: edit?.reason ?? null })
      return { ok: true, correction }
    })
  }
}

interface Done {
  readonly by: Person
  readonly event: Command['event']
  readonly at: Millis
  readonly state: CorrectionState
}

function changed(before: Correction, { by, event, at, state }: Done): Correction {
  const isKnown = before.writers.some(({ name, via }) => name === by.name && via === by.via)
  return {
    ...before,
    state,
    version: before.version + 1,
    changedAt: at,
    writers: event === 'edit' && !isKnown ? [...before.writers, by] : before.writers,
    approver: event === 'approve' ? by : before.approver,
    acceptedAt: event === 'approve' ? at : before.acceptedAt,
    withdrawnAt: before.state === 'accepted' && event === 'cancel' ? at : before.withdrawnAt
  }
}

type Entry = Pick<CorrectionEntry, 'event' | 'by' | 'comment' | 'change' | 'reason'>

async function append(trx: Trx, { id, version, state, changedAt: at }: Correction, entry: Entry): Promise<void> {
  await trx
    .insertInto('correction_events')
    .values(toEntryRow(id, { ...entry, version, state, at }))
    .execute()
}

/** Acceptances of a series come one after another, also where the clock stands still or was set back: the last one wins. */
async function nextAcceptance(trx: Trx, { station, parameter, changedAt }: Correction, now: Millis): Promise<Millis> {
  const row = await trx
    .selectFrom('corrections')
    .select(eb => eb.fn.max('accepted_at').as('last'))
    .where('station', '=', station)
    .where('parameter', '=', parameter)
    .executeTakeFirst()
  return Math.max(now, changedAt, (row?.last ?? -1) + 1)
}

async function lastId(trx: Trx): Promise<number> {
  const row = await trx
    .selectFrom('corrections')
    .select(eb => eb.fn.max('id').as('last'))
    .executeTakeFirst()
  return row?.last ?? 0
}

async function countOpen(trx: Trx): Promise<number> {
  const { rows } = await trx
    .selectFrom('corrections')
    .select(eb => eb.fn.countAll().as('rows'))
    .where('state', 'in', OPEN)
    .executeTakeFirstOrThrow()
  return Number(rows)
}

const tooMany = (message: string): CorrectionResult => ({ ok: false, code: 'QT_CORRECTION_LIMIT', message })
