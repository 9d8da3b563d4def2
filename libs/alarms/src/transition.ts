import type { Millis } from '#libs/model'
import { MINUTE, nearestLimit, verdictOfBand } from '#libs/model'
import type { Alarm, AlarmTransition, TransitionKind } from './alarm.js'
import type { Episode } from './episode.js'
import type { RuleLimit } from './limit.js'

/** `20261124T030500Z`: an instant as part of an id. Milliseconds only where there are any. */
export const stampOf = (at: Millis): string => new Date(at).toISOString().replace('.000', '').replace(/[-:.]/g, '')

/** What the engine knows of an alarm; an acknowledgement is the log's business, which merges it (`mergeAlarm`). */
const UNACKNOWLEDGED = { acknowledgedAt: null, acknowledgedBy: null, comment: null } as const

function limitAlarm(station: string, limit: RuleLimit, episode: Episode): Alarm {
  return {
    id: episode.id,
    kind: 'limit',
    station,
    parameter: limit.parameter,
    rule: limit.rule,
    severity: verdictOfBand(episode.top),
    state: episode.clearedAt === null ? 'unacknowledged-active' : 'rtn-unacknowledged',
    value: episode.worst,
    limit: nearestLimit(limit, episode.worst),
    unit: limit.unit,
    raisedAt: episode.raisedAt,
    clearedAt: episode.clearedAt,
    ...UNACKNOWLEDGED,
    source: limit.source
  }
}

/** What brought a transition about. `mark` is empty for readings in order, and unique for each repair of the past. */
export interface Cause {
  readonly at: Millis
  readonly mark: string
}

const idOf = (alarm: Alarm, kind: TransitionKind, cause: Cause): string => `${alarm.id}.${kind}.${stampOf(cause.at)}${cause.mark}`

export function limitTransition(
  station: string,
  limit: RuleLimit,
  event: { kind: TransitionKind; episode: Episode; cause: Cause }
): AlarmTransition {
  const { kind, episode, cause } = event
  const alarm = limitAlarm(station, limit, episode)
  return { id: idOf(alarm, kind, cause), kind, at: cause.at, alarm, level: verdictOfBand(episode.level) }
}

/** An episode that never was: over where it began at the earliest, and normal. */
export function withdrawal(station: string, limit: RuleLimit, episode: Episode, cause: Cause): AlarmTransition {
  const ended = { ...episode, clearedAt: Math.max(episode.raisedAt, cause.at), level: 0 }
  const alarm: Alarm = { ...limitAlarm(station, limit, ended), state: 'normal' }
  return { id: idOf(alarm, 'withdrawn', cause), kind: 'withdrawn', at: cause.at, alarm, level: 'within' }
}

/** A station's silence: raised when its time was up, whatever the clock said when that was noticed. */
export interface Silence {
  readonly rule: string
  readonly after: Millis
  readonly raisedAt: Millis
}

export function silenceTransition(station: string, silence: Silence, kind: TransitionKind, at: Millis): AlarmTransition {
  const over = kind !== 'raised'
  const alarm: Alarm = {
    id: `${station}.${silence.rule}.${stampOf(silence.raisedAt)}`,
    kind: 'silence',
    station,
    parameter: null,
    rule: silence.rule,
    severity: 'not-evaluated',
    state: kind === 'withdrawn' ? 'normal' : over ? 'rtn-unacknowledged' : 'unacknowledged-active',
    value: null,
    limit: silence.after / MINUTE,
    unit: 'min',
    raisedAt: silence.raisedAt,
    clearedAt: over ? Math.max(at, silence.raisedAt) : null,
    ...UNACKNOWLEDGED,
    source: null
  }
  return { id: idOf(alarm, kind, { at, mark: '' }), kind, at, alarm }
}
