import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { STATION_CODE } from '#libs/model'
import { alarmsTopic, commandsTopic, parseTopic, readingsTopic, replyTopic, statusTopic } from './index.js'

const station = fc.stringMatching(/^[A-Z0-9][A-Z0-9_-]{1,47}$/)

describe('parseTopic', () => {
  it('reads what the builders make', () => {
    fc.assert(
      fc.property(station, code => {
        expect(parseTopic(readingsTopic(code))).toEqual({ kind: 'readings', station: code })
        expect(parseTopic(statusTopic(code))).toEqual({ kind: 'status', station: code })
        expect(parseTopic(commandsTopic(code))).toEqual({ kind: 'commands', station: code })
        expect(parseTopic(replyTopic(code))).toEqual({ kind: 'reply', station: code })
        expect(parseTopic(alarmsTopic(code))).toEqual({ kind: 'alarms', station: code })
      })
    )
  })

  it('spells topics as the design does', () => {
    expect(readingsTopic('AG-01')).toBe('quantrac/v1/AG-01/readings')
    expect(replyTopic('AG-01')).toBe('quantrac/v1/AG-01/commands/reply')
    expect(alarmsTopic('AG-01')).toBe('quantrac/v1/alarms/AG-01')
  })

  it.each([
    '',
    'quantrac',
    'quantrac/v1',
    'quantrac/v1/',
    'quantrac/v1/AG-01',
    'quantrac/v1/AG-01/',
    'quantrac/v1//readings',
    'quantrac/v1/ag-01/readings',
    'quantrac/v1/AG-01/readings/',
    'quantrac/v1/AG-01/readings/more',
    'quantrac/v1/AG-01/commands/reply/more',
    'quantrac/v1/AG-01/__proto__',
    'quantrac/v1/AG-01/constructor',
    'quantrac/v1/alarms',
    'quantrac/v1/alarms/',
    'quantrac/v1/alarms/AG-01/x',
    'quantrac/v1/alarms/readings',
    'quantrac/v2/AG-01/readings',
    '/quantrac/v1/AG-01/readings',
    '$SYS/quantrac/v1/AG-01/readings',
    'quantrac/v1/+/readings',
    'quantrac/v1/AG-01/#'
  ])('knows no %j', topic => expect(parseTopic(topic)).toBeUndefined())

  it('never names a station whose code is malformed', () => {
    const part = fc.constantFrom('quantrac', 'v1', 'alarms', 'readings', 'commands', 'reply', 'AG-01', 'a', '', '+', '#', '..')
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), parts => {
        const topic = parseTopic(parts.join('/'))
        expect(topic === undefined || STATION_CODE.test(topic.station)).toBe(true)
      })
    )
  })
})
