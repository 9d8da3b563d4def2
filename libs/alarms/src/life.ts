import type { AlarmState } from './alarm.js'

/** What can happen to an alarm (ISA-18.2 / IEC 62682; regulations.md 7.3). */
export const ALARM_EVENTS = [
  'activate', // the condition became true
  'return', // it cleared, past dead-band and off-delay
  'acknowledge', // an operator has seen it
  're-alarm', // the re-alarm timer ran out, or the next severity was reached
  'shelve', // by a person, for a time, with a reason
  'unshelve', // the time is up, or a person took it back
  'suppress', // by design: station calibrating, pump off
  'unsuppress', // that condition ended
  'remove-from-service', // maintenance, authorised
  'return-to-service'
] as const
export type AlarmEvent = (typeof ALARM_EVENTS)[number]

export const ALARM_STATES: readonly AlarmState[] = [
  'normal',
  'unacknowledged-active',
  'acknowledged-active',
  'rtn-unacknowledged',
  'shelved',
  'suppressed-by-design',
  'out-of-service'
]

/** Where an alarm goes that comes back from being shelved, suppressed or out of service: decided by the condition as it is then. */
const BY_CONDITION = 'by-condition'

/** Shelving, suppression and removal are open to every state but the one that they lead to: "any" in the table. */
const SET_ASIDE = { shelve: 'shelved', suppress: 'suppressed-by-design', 'remove-from-service': 'out-of-service' } as const

/** The table of regulations.md 7.3. A pair that is not in it is illegal. While set aside, an alarm's condition may come and go unseen. */
const TABLE: Readonly<Record<AlarmState, Partial<Record<AlarmEvent, AlarmState | typeof BY_CONDITION>>>> = {
  normal: { ...SET_ASIDE, activate: 'unacknowledged-active' },
  'unacknowledged-active': { ...SET_ASIDE, acknowledge: 'acknowledged-active', return: 'rtn-unacknowledged' },
  'acknowledged-active': { ...SET_ASIDE, return: 'normal', 're-alarm': 'unacknowledged-active' },
  'rtn-unacknowledged': { ...SET_ASIDE, acknowledge: 'normal', activate: 'unacknowledged-active' },
  shelved: {
    suppress: 'suppressed-by-design',
    'remove-from-service': 'out-of-service',
    unshelve: BY_CONDITION,
    activate: 'shelved',
    return: 'shelved'
  },
  'suppressed-by-design': {
    'remove-from-service': 'out-of-service',
    unsuppress: BY_CONDITION,
    activate: 'suppressed-by-design',
    return: 'suppressed-by-design'
  },
  'out-of-service': {
    suppress: 'suppressed-by-design',
    'return-to-service': BY_CONDITION,
    activate: 'out-of-service',
    return: 'out-of-service'
  }
}

/**
 * The state after the event, or undefined when the event is illegal in that state. `condition` says whether the alarm's
 * condition is true at that time; it decides only where an alarm goes that was set aside.
 */
export function nextState(state: AlarmState, event: AlarmEvent, condition: 'true' | 'false' = 'false'): AlarmState | undefined {
  const target = TABLE[state][event]
  if (target !== BY_CONDITION) return target
  return condition === 'true' ? 'unacknowledged-active' : 'normal'
}
