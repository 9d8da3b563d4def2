import { createHash } from 'node:crypto'
import type { Millis, Verdict } from '#libs/model'
import type { AlarmTransition } from '#libs/pipeline'
import { inChunks } from './chunks.js'
import type { Tables, Trx } from './schema.js'

export type MinimumSeverity = 'tendency' | 'preparing' | 'exceeds'

/** Order of severities. A silence (`not-evaluated`) stands above all: nobody knows what it hides. */
const RANK: Readonly<Record<Verdict, number>> = {
  'no-limit': 0,
  within: 0,
  tendency: 1,
  preparing: 2,
  exceeds: 3,
  'not-evaluated': 4
}

export const isWorse = (one: Verdict, other: Verdict): boolean => RANK[one] > RANK[other]

/** A transition that was recorded, in its place in the order, and the worst severity that its alarm has had. */
export interface Recorded {
  readonly transition: AlarmTransition
  readonly position: number
  readonly worst: Verdict
}

interface Address {
  readonly channel: string
  readonly target: string
}

/** Puts one message per transition and fitting recipient into the outbox. The subscribers on MQTT get every one. */
export async function fanOut(trx: Trx, recorded: readonly Recorded[], now: Millis): Promise<void> {
  if (recorded.length === 0) return
  const recipients = await trx.selectFrom('recipients').selectAll().orderBy('id').execute()
  const filters = recipients.map(toFilter)
  const rows = recorded.flatMap(entry => addresses(entry, filters).map(address => toRow(entry, address, now)))
  await inChunks(rows, chunk =>
    trx
      .insertInto('outbox')
      .values([...chunk])
      .onConflict(on => on.column('key').doNothing())
      .execute()
  )
}

interface Filter extends Address {
  readonly minimum: Verdict
  readonly stations: ReadonlySet<string> | null
}

const toFilter = (row: Tables['recipients']): Filter => ({
  channel: row.channel,
  target: row.target,
  minimum: row.minimum_severity as MinimumSeverity,
  stations: row.stations === null ? null : new Set(JSON.parse(row.stations) as string[])
})

/**
 * Whoever was told of an alarm is told what becomes of it, also when a late reading makes it milder or takes it back:
 * so the worst severity of the episode decides, not the one of this transition.
 */
function addresses({ transition, worst }: Recorded, filters: readonly Filter[]): Address[] {
  const { station } = transition.alarm
  const fitting = filters.filter(({ minimum, stations }) => !isWorse(minimum, worst) && (stations === null || stations.has(station)))
  return [{ channel: 'mqtt', target: `quantrac/v1/alarms/${station}` }, ...fitting]
}

const toRow = ({ transition, position }: Recorded, { channel, target }: Address, now: Millis): Tables['outbox'] => ({
  key: messageKey(transition.id, channel, target),
  channel,
  target,
  transition: transition.id,
  position,
  state: 'pending',
  attempts: 0,
  queued_at: now,
  not_before: now,
  finished_at: null,
  reason: null
})

/**
 * Idempotency key of a message: 160 bits of the SHA-256 of transition id, channel and target, so it is the same after a
 * replay, fits any header, and tells nobody another one's address.
 */
function messageKey(transition: string, channel: string, target: string): string {
  return createHash('sha256').update(`${transition}\n${channel}\n${target}`, 'utf8').digest('hex').slice(0, 40)
}
