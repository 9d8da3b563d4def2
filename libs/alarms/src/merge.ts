import type { Millis } from '#libs/model'
import type { Alarm, AlarmState, AlarmTransition } from './alarm.js'
import { nextState } from './life.js'
import { stampOf } from './transition.js'

/**
 * The alarm as it is to be kept: what the engine says of the condition, with what people did to the alarm that is kept already.
 * An acknowledgement stays on record; that the next severity asks for another one is the state's business (ISA-18.2).
 */
export function mergeAlarm(kept: Alarm | undefined, transition: AlarmTransition): Alarm {
  const { alarm } = transition
  if (!kept || transition.kind === 'acknowledged') return alarm
  const { acknowledgedAt, acknowledgedBy, comment } = kept
  return { ...alarm, acknowledgedAt, acknowledgedBy, comment, state: mergedState(kept, transition) }
}

function mergedState(kept: Alarm, { kind, alarm }: AlarmTransition): AlarmState {
  const after = (event: 'activate' | 'return' | 're-alarm') => nextState(kept.state, event) ?? kept.state
  if (kind === 'withdrawn') return 'normal'
  if (kind === 'escalated') return after('re-alarm')
  return after(alarm.clearedAt === null ? 'activate' : 'return')
}

export interface Acknowledgement {
  readonly at: Millis
  readonly by: string
  readonly comment: string | null
}

/** The transition of an operator's acknowledgement; undefined where the alarm's state does not allow one (`nextState`). */
export function acknowledge(alarm: Alarm, { at, by, comment }: Acknowledgement): AlarmTransition | undefined {
  const state = nextState(alarm.state, 'acknowledge')
  if (!state) return undefined
  const after: Alarm = { ...alarm, state, acknowledgedAt: at, acknowledgedBy: by, comment }
  return { id: `${alarm.id}.acknowledged.${stampOf(at)}`, kind: 'acknowledged', at, alarm: after }
}
