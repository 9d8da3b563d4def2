import type { Millis, Verdict } from '#libs/model'
import type { Alarm, AlarmTransition } from '#libs/pipeline'
import { inChunks } from './chunks.js'
import { fanOut, type Recorded } from './fan-out.js'
import type { Tables, Trx } from './schema.js'

/** What record() and acknowledge() share: alarms as rows, transitions in their order, messages made of them. */

export const parseAlarm = (row: { body: string }): Alarm => JSON.parse(row.body) as Alarm

export const parseTransition = (row: { body: string }): AlarmTransition => JSON.parse(row.body) as AlarmTransition

/** An alarm as it is kept, with the worst severity that was recorded of its episode. */
export interface KeptAlarm {
  readonly alarm: Alarm
  readonly worst: Verdict
}

export async function loadAlarms(trx: Trx, ids: readonly string[]): Promise<Map<string, KeptAlarm>> {
  const kept = new Map<string, KeptAlarm>()
  await inChunks([...new Set(ids)], async chunk => {
    const rows = await trx
      .selectFrom('alarms')
      .selectAll()
      .where('id', 'in', [...chunk])
      .execute()
    for (const row of rows) kept.set(row.id, { alarm: parseAlarm(row), worst: row.told_severity })
  })
  return kept
}

export async function saveAlarms(trx: Trx, kept: readonly KeptAlarm[]): Promise<void> {
  await inChunks(kept.map(toRow), chunk =>
    trx
      .insertInto('alarms')
      .values([...chunk])
      .onConflict(on =>
        on.column('id').doUpdateSet(eb => ({
          state: eb.ref('excluded.state'),
          raised_at: eb.ref('excluded.raised_at'),
          body: eb.ref('excluded.body'),
          told_severity: eb.ref('excluded.told_severity')
        }))
      )
      .execute()
  )
}

const toRow = ({ alarm, worst }: KeptAlarm): Tables['alarms'] => ({
  id: alarm.id,
  station: alarm.station,
  state: alarm.state,
  raised_at: alarm.raisedAt,
  body: JSON.stringify(alarm),
  told_severity: worst
})

/** Ids among those given that are recorded already. */
export async function knownTransitions(trx: Trx, ids: readonly string[]): Promise<Set<string>> {
  const known = new Set<string>()
  await inChunks(ids, async chunk => {
    const rows = await trx
      .selectFrom('transitions')
      .select('id')
      .where('id', 'in', [...chunk])
      .execute()
    for (const { id } of rows) known.add(id)
  })
  return known
}

/** Keeps new transitions after those that are there, and puts their messages into the outbox. */
export async function appendTransitions(trx: Trx, fresh: readonly Omit<Recorded, 'position'>[], now: Millis): Promise<void> {
  if (fresh.length === 0) return
  const { last } = await trx
    .selectFrom('transitions')
    .select(eb => eb.fn.max('position').as('last'))
    .$castTo<{ last: number | null }>()
    .executeTakeFirstOrThrow()
  const recorded = fresh.map((entry, index) => ({ ...entry, position: (last ?? 0) + 1 + index }))
  await inChunks(recorded, chunk =>
    trx
      .insertInto('transitions')
      .values(chunk.map(({ transition, position }) => toTransitionRow(transition, position)))
      .execute()
  )
  await fanOut(trx, recorded, now)
}

const toTransitionRow = (transition: AlarmTransition, position: number): Tables['transitions'] => ({
  id: transition.id,
  alarm: transition.alarm.id,
  position,
  kind: transition.kind,
  at: transition.at,
  body: JSON.stringify(transition)
})
