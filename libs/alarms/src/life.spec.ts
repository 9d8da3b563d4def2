import { describe, expect, it } from '@jest/globals'
import type { AlarmState } from './alarm.js'
import type { AlarmEvent } from './life.js'
import { ALARM_EVENTS, ALARM_STATES, nextState } from './life.js'

/** The whole table of regulations.md 7.3, pair by pair; `-` is illegal. */
const EXPECTED = `
                      activate              return              acknowledge         re-alarm              shelve  unshelve suppress             unsuppress remove-from-service return-to-service
normal                unacknowledged-active -                   -                   -                     shelved -        suppressed-by-design -          out-of-service      -
unacknowledged-active -                     rtn-unacknowledged  acknowledged-active -                     shelved -        suppressed-by-design -          out-of-service      -
acknowledged-active   -                     normal              -                   unacknowledged-active shelved -        suppressed-by-design -          out-of-service      -
rtn-unacknowledged    unacknowledged-active -                   normal              -                     shelved -        suppressed-by-design -          out-of-service      -
shelved               shelved               shelved             -                   -                     -       normal   suppressed-by-design -          out-of-service      -
suppressed-by-design  suppressed-by-design  suppressed-by-design -                  -                     -       -        -                    normal     out-of-service      -
out-of-service        out-of-service        out-of-service      -                   -                     -       -        suppressed-by-design -          -                   normal
`

const [header = '', ...rows] = EXPECTED.trim().split('\n')
const events = header.trim().split(/\s+/) as AlarmEvent[]
const pairs = rows.flatMap(row => {
  const [state, ...targets] = row.trim().split(/\s+/)
  return events.map((event, index) => ({ state: state as AlarmState, event, target: targets[index] }))
})

describe("an alarm's life", () => {
  it('is tested for every state and event', () => {
    expect(pairs.length).toBe(ALARM_STATES.length * ALARM_EVENTS.length)
    expect(new Set(pairs.map(({ state, event }) => `${state} ${event}`)).size).toBe(pairs.length)
  })

  it.each(pairs)('$state, $event: $target', ({ state, event, target }) => {
    expect(nextState(state, event) ?? '-').toBe(target)
  })

  it.each([
    ['shelved', 'unshelve'],
    ['suppressed-by-design', 'unsuppress'],
    ['out-of-service', 'return-to-service']
  ] as const)('%s, %s, while the condition is true: unacknowledged', (state, event) => {
    expect(nextState(state, event, 'true')).toBe('unacknowledged-active')
  })

  it('never lets the condition decide where the table does', () => {
    for (const { state, event } of pairs.filter(({ event }) => !['unshelve', 'unsuppress', 'return-to-service'].includes(event)))
      expect(nextState(state, event, 'true')).toBe(nextState(state, event, 'false'))
  })
})
