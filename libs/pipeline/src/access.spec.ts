import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Principal } from './access.js'
import { mayPublish, maySubscribe } from './access.js'

const station = (code: string): Principal => ({ kind: 'station', code })
const token = (role: 'reader' | 'operator' | 'ingest'): Principal => ({ kind: 'token', name: 'desk', role })

describe('mayPublish', () => {
  it.each(['readings', 'status', 'commands/reply'])('a station publishes its own %s', part => {
    expect(mayPublish(station('AG-01'), `quantrac/v1/AG-01/${part}`)).toBe(true)
  })

  it.each([
    'quantrac/v1/AG-02/readings',
    'quantrac/v1/AG-01/commands',
    'quantrac/v1/AG-01/readings/x',
    'quantrac/v1/AG-01/',
    'quantrac/v1/alarms/AG-01',
    '$SYS/broker',
    'quantrac/v1/+/readings',
    ''
  ])('a station does not publish %s', topic => {
    expect(mayPublish(station('AG-01'), topic)).toBe(false)
  })

  it('a token publishes nothing', () => {
    expect(mayPublish(token('operator'), 'quantrac/v1/AG-01/readings')).toBe(false)
  })

  it('no topic lets one station speak for another', () => {
    const code = fc.stringMatching(/^[A-Z0-9][A-Z0-9_-]{1,10}$/)
    fc.assert(
      fc.property(code, code, fc.constantFrom('readings', 'status', 'commands/reply'), (me, other, part) => {
        expect(mayPublish(station(me), `quantrac/v1/${other}/${part}`)).toBe(me === other)
      })
    )
  })
})

describe('maySubscribe', () => {
  it.each(['quantrac/v1/AG-01/commands', 'quantrac/v1/AG-01/#', 'quantrac/v1/AG-01/+'])('a station subscribes its own %s', filter => {
    expect(maySubscribe(station('AG-01'), filter)).toBe(true)
  })

  it.each(['#', '+/#', 'quantrac/v1/+/commands', 'quantrac/v1/AG-02/commands', 'quantrac/v1/alarms/#', '$SYS/#', 'quantrac/v1/AG-0#'])(
    'a station does not subscribe %s',
    filter => expect(maySubscribe(station('AG-01'), filter)).toBe(false)
  )

  it.each(['quantrac/v1/alarms/#', 'quantrac/v1/alarms/AG-01', 'quantrac/v1/alarms/+'])('a reader and an operator subscribe %s', filter => {
    expect(maySubscribe(token('reader'), filter)).toBe(true)
    expect(maySubscribe(token('operator'), filter)).toBe(true)
    expect(maySubscribe(token('ingest'), filter)).toBe(false)
  })

  it.each(['#', 'quantrac/v1/#', 'quantrac/v1/+/readings', 'quantrac/v1/AG-01/commands', 'quantrac/v1/alarmsx/#'])(
    'a reader does not subscribe %s',
    filter => expect(maySubscribe(token('reader'), filter)).toBe(false)
  )
})
