import type { Millis } from '#libs/model'
import type { Alarm, AlarmState, AlarmTransition, Clock } from '#libs/pipeline'
import type { Acknowledgement, AlarmLife } from './life.js'
import { decodeKey, type Page, pageSize, toPage } from './page.js'
import { appendTransitions, knownTransitions, loadAlarms, parseAlarm, parseTransition, saveAlarms } from './recording.js'
import type { Databases, Trx } from './schema.js'
import { inTransaction } from './transaction.js'

export interface AlarmQuery {
  readonly state?: AlarmState
  readonly station?: string
  /** True: somebody still has to see to it (every state but `normal`); false: done with. */
  readonly open?: boolean
  readonly after?: string
  readonly limit: number
}

/** `repeated`: the same person had acknowledged it already; nothing was written. */
export type AcknowledgeResult =
  | { readonly ok: true; readonly alarm: Alarm; readonly repeated: boolean }
  | { readonly ok: false; readonly code: 'QT_ALARM_UNKNOWN' | 'QT_ALARM_NOT_ACKNOWLEDGEABLE'; readonly message: string }

/** What people see of alarms, and what they do to them. */
export class Alarms {
  readonly #databases: Databases
  readonly #clock: Clock
  readonly #life: AlarmLife

  constructor(databases: Databases, clock: Clock, life: AlarmLife) {
    this.#databases = databases
    this.#clock = clock
    this.#life = life
  }

  /** Newest first, by the event time at which they were raised. @throws StateError QT_CURSOR_INVALID */
  async list(query: AlarmQuery): Promise<Page<Alarm>> {
    const limit = pageSize(query.limit)
    let select = this.#databases.powerSafe.selectFrom('alarms').select(['id', 'raised_at', 'body'])
    if (query.state !== undefined) select = select.where('state', '=', query.state)
    if (query.station !== undefined) select = select.where('station', '=', query.station)
    if (query.open !== undefined) select = select.where('state', query.open ? '!=' : '=', 'normal')
    if (query.after !== undefined) {
      const [raisedAt, id] = decodeKey(query.after, 'string')
      select = select.where(eb => eb(eb.refTuple('raised_at', 'id'), '<', eb.tuple(raisedAt, id)))
    }
    const rows = await select
      .orderBy('raised_at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute()
    return toPage(rows, limit, row => [row.raised_at, row.id], parseAlarm)
  }

  async get(id: string): Promise<Alarm | null> {
    const row = await this.#databases.powerSafe.selectFrom('alarms').select('body').where('id', '=', id).executeTakeFirst()
    return row ? parseAlarm(row) : null
  }

  /** What happened to the alarm, in the order in which it was recorded; empty for one that nobody knows. */
  async history(id: string): Promise<AlarmTransition[]> {
    const rows = await this.#databases.powerSafe
      .selectFrom('transitions')
      .select('body')
      .where('alarm', '=', id)
      .orderBy('position')
      .execute()
    return rows.map(parseTransition)
  }

  /**
   * An operator has seen the alarm. In one power-safe transaction: the new state, a transition `acknowledged` at `now`,
   * and its messages. Asking again as the same person changes nothing.
   */
  acknowledge(id: string, by: string, comment: string | null, now: Millis = this.#clock()): Promise<AcknowledgeResult> {
    return inTransaction(this.#databases.powerSafe, async (trx): Promise<AcknowledgeResult> => {
      const kept = (await loadAlarms(trx, [id])).get(id)
      if (!kept) return { ok: false, code: 'QT_ALARM_UNKNOWN', message: 'there is no such alarm' }
      const transition = await this.#acknowledgement(trx, kept.alarm, { at: now, by, comment })
      if (!transition) return unchanged(kept.alarm, by)
      await saveAlarms(trx, [{ ...kept, alarm: transition.alarm }])
      await appendTransitions(trx, [{ transition, worst: kept.worst }], now)
      return { ok: true, alarm: transition.alarm, repeated: false }
    })
  }

  /** Two acknowledgements of one alarm need two ids, also where the clock stands still or was set back. */
  async #acknowledgement(trx: Trx, alarm: Alarm, given: Acknowledgement): Promise<AlarmTransition | undefined> {
    const transition = this.#life.acknowledge(alarm, given)
    if (!transition || (await knownTransitions(trx, [transition.id])).size === 0) return transition
    return this.#acknowledgement(trx, alarm, { ...given, at: given.at + 1 })
  }
}

function unchanged(alarm: Alarm, by: string): AcknowledgeResult {
  const stands = alarm.state === 'acknowledged-active' || alarm.state === 'normal'
  if (stands && alarm.acknowledgedBy === by) return { ok: true, alarm, repeated: true }
  return { ok: false, code: 'QT_ALARM_NOT_ACKNOWLEDGEABLE', message: whyNot(alarm) }
}

function whyNot({ state, acknowledgedBy }: Alarm): string {
  if (state === 'acknowledged-active' && acknowledgedBy !== null) return `${acknowledgedBy} has acknowledged it already`
  return `an alarm in the state ${state} has nothing to acknowledge`
}
