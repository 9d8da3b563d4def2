import { HOUR, type Millis } from '#libs/model'
import type { AlarmLog, AlarmTransition, Clock } from '#libs/pipeline'
import { moveCursor, readCursor } from './cursors.js'
import { isWorse } from './fan-out.js'
import type { AlarmLife } from './life.js'
import { pruneOutbox } from './outbox.js'
import { appendTransitions, type KeptAlarm, knownTransitions, loadAlarms, saveAlarms } from './recording.js'
import type { Databases, Trx } from './schema.js'
import { inTransaction } from './transaction.js'

const NAME = 'alarms'
const PRUNE_EVERY: Millis = HOUR

/**
 * The alarm consumer's durable side. It writes kill-safe: what a power cut takes back is taken back whole, cursor and all,
 * and the journal's replay makes the same transitions with the same ids, so every message goes out with the same key.
 */
export class StateAlarmLog implements AlarmLog {
  readonly #databases: Databases
  readonly #clock: Clock
  readonly #life: AlarmLife
  #pruneAt: Millis = 0

  constructor(databases: Databases, clock: Clock, life: AlarmLife) {
    this.#databases = databases
    this.#clock = clock
    this.#life = life
  }

  cursor(): Promise<number> {
    return readCursor(this.#databases.killSafe, NAME)
  }

  async snapshot(): Promise<{ readonly sequence: number; readonly bytes: Uint8Array } | null> {
    const row = await this.#databases.killSafe
      .selectFrom('snapshots')
      .select(['sequence', 'bytes'])
      .where('name', '=', NAME)
      .executeTakeFirst()
    return row ?? null
  }

  saveSnapshot(sequence: number, bytes: Uint8Array): Promise<void> {
    return this.#write(async trx => {
      await trx
        .insertInto('snapshots')
        .values({ name: NAME, sequence, bytes })
        .onConflict(on => on.column('name').doUpdateSet({ sequence, bytes }))
        .execute()
      await moveCursor(trx, NAME, sequence)
    })
  }

  record(transitions: readonly AlarmTransition[], upTo: number): Promise<void> {
    return this.#write(async trx => {
      const now = this.#clock()
      if (transitions.length > 0) await this.#apply(trx, transitions, now)
      await moveCursor(trx, NAME, upTo)
      if (now < this.#pruneAt) return
      await pruneOutbox(trx, now)
      this.#pruneAt = now + PRUNE_EVERY
    })
  }

  /** A transition that is recorded already is left alone, and its alarm too: what came after it stands. */
  async #apply(trx: Trx, transitions: readonly AlarmTransition[], now: Millis): Promise<void> {
    const known = await knownTransitions(
      trx,
      transitions.map(({ id }) => id)
    )
    const news = transitions.filter(({ id }) => !known.has(id) && known.add(id))
    const kept = await loadAlarms(
      trx,
      news.map(({ alarm }) => alarm.id)
    )
    const recorded = news.map(transition => {
      const after = advance(kept.get(transition.alarm.id), transition, this.#life)
      kept.set(after.alarm.id, after)
      return { transition: { ...transition, alarm: after.alarm }, worst: after.worst }
    })
    await saveAlarms(trx, [...kept.values()])
    await appendTransitions(trx, recorded, now)
  }

  #write<T>(work: (trx: Trx) => Promise<T>): Promise<T> {
    return inTransaction(this.#databases.killSafe, work)
  }
}

function advance(kept: KeptAlarm | undefined, transition: AlarmTransition, life: AlarmLife): KeptAlarm {
  const { severity } = transition.alarm
  return {
    alarm: life.mergeAlarm(kept?.alarm, transition),
    worst: kept && !isWorse(severity, kept.worst) ? kept.worst : severity
  }
}
