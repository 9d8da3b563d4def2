import { describe, expect, it } from '@jest/globals'
import { MINUTE } from '#libs/model'
import { COD_90, reading, rulesFor, station, TEN } from '../test/fixtures.js'
import type { AlarmTransition } from './alarm.js'
import { Engine } from './engine.js'

const at = (minutes: number): number => TEN + minutes * MINUTE

const stations = [station('AG-X'), station('AG-Y'), station('AG-SLOW', { kind: 'hydrology' })]
const rules = rulesFor([COD_90, { id: 'silence-gauges', silence: '90m', kinds: ['hydrology'] }], stations)

function hear(engine: Engine, code: string, receivedAt: number, readAt = receivedAt): AlarmTransition[] {
  return engine.apply(1, { station: code, receivedAt, readings: [reading(code, readAt, 50, { receivedAt })] })
}

const told = (transitions: readonly AlarmTransition[]) =>
  transitions.map(({ kind, at: when, alarm }) => [alarm.station, kind, (when - TEN) / MINUTE])

describe('silence', () => {
  it('is raised once, at the instant at which the time was up, and ends with the next message', () => {
    const engine = new Engine(rules)
    hear(engine, 'AG-X', at(0))
    expect(engine.tick(at(15))).toEqual([])
    const [raised, ...others] = engine.tick(at(17))
    expect(others).toEqual([])
    expect(raised).toMatchObject({
      id: 'AG-X.silence.20261124T031500Z.raised.20261124T031500Z',
      at: at(15),
      alarm: {
        kind: 'silence',
        severity: 'not-evaluated',
        state: 'unacknowledged-active',
        limit: 15,
        unit: 'min',
        value: null,
        parameter: null
      }
    })
    expect(engine.tick(at(30))).toEqual([])
    expect(engine.stats().openAlarms).toBe(1)
    const ended = hear(engine, 'AG-X', at(31))
    expect(ended).toMatchObject([
      { kind: 'cleared', at: at(31), alarm: { id: raised!.alarm.id, clearedAt: at(31), state: 'rtn-unacknowledged' } }
    ])
    expect(engine.tick(at(46))).toEqual([])
    expect(told(engine.tick(at(47)))).toEqual([['AG-X', 'raised', 46]])
  })

  it('is ended by back-filled readings, by calibration and by a clock that is ahead: all of them are heard', () => {
    for (const other of [{ at: at(-9_000) }, { status: '01' }, { flags: ['clock-ahead'] as const }]) {
      const engine = new Engine(rules)
      hear(engine, 'AG-X', at(0))
      engine.tick(at(16))
      const readings = [reading('AG-X', at(20), 1, { receivedAt: at(20), ...other })]
      expect(told(engine.apply(2, { station: 'AG-X', receivedAt: at(20), readings }))).toEqual([['AG-X', 'cleared', 20]])
    }
  })

  it('is not ended by a message without a single reading', () => {
    const engine = new Engine(rules)
    hear(engine, 'AG-X', at(0))
    engine.tick(at(16))
    expect(engine.apply(2, { station: 'AG-X', receivedAt: at(20), readings: [] })).toEqual([])
  })

  it('lasts as long as each station’s own rule permits', () => {
    const engine = new Engine(rules)
    for (const { code } of stations) hear(engine, code, at(0))
    expect(told(engine.tick(at(16)))).toEqual([
      ['AG-X', 'raised', 15],
      ['AG-Y', 'raised', 15]
    ])
    expect(told(engine.tick(at(91)))).toEqual([['AG-SLOW', 'raised', 90]])
  })

  it('does not exist for a station that was never heard, nor for one that the registry does not know', () => {
    const engine = new Engine(rules)
    hear(engine, 'AG-GONE', at(0))
    expect(engine.tick(at(1_000))).toEqual([])
    expect(engine.heardAt('AG-X')).toBeUndefined()
  })

  it('is withdrawn when the message had come in time and was only read late', () => {
    const engine = new Engine(rules)
    hear(engine, 'AG-X', at(0))
    engine.tick(at(16))
    expect(hear(engine, 'AG-X', at(14))).toMatchObject([{ kind: 'withdrawn', alarm: { state: 'normal', clearedAt: at(15) } }])
    expect(told(engine.tick(at(30)))).toEqual([['AG-X', 'raised', 29]])
  })

  it('never comes of the server’s own absence; a station that was silent before goes on being so', () => {
    const before = new Engine(rules)
    hear(before, 'AG-X', at(0))
    hear(before, 'AG-Y', at(10))
    const engine = Engine.restore(before.serialize())
    engine.listen(at(70))
    expect(engine.tick(at(71))).toEqual([])
    hear(engine, 'AG-Y', at(72))
    // AG-X was silent for 10 minutes while somebody listened; 5 more are still permitted.
    expect(engine.tick(at(75))).toEqual([])
    expect(told(engine.tick(at(76)))).toEqual([['AG-X', 'raised', 15]])
  })

  it('counts what was received before the restart but is read after it', () => {
    const engine = new Engine(rules)
    hear(engine, 'AG-X', at(0))
    engine.listen(at(70))
    hear(engine, 'AG-Y', at(69))
    expect(told(engine.tick(at(71)))).toEqual([['AG-X', 'raised', 15]])
  })

  it('that stands can be told again, word for word', () => {
    const engine = new Engine(rules)
    hear(engine, 'AG-X', at(0))
    const raised = engine.tick(at(16))
    expect(engine.standingSilences()).toEqual(raised)
    expect(Engine.restore(engine.serialize()).standingSilences()).toEqual(raised)
  })

  it('is withdrawn when its station leaves the registry, and keeps its name under a new rule', () => {
    const engine = new Engine(rules)
    for (const code of ['AG-X', 'AG-Y']) hear(engine, code, at(0))
    const [, raisedY] = engine.tick(at(16))
    const transitions = engine.adopt(rulesFor([COD_90, { id: 'quiet', silence: '1h' }], [station('AG-Y')]))
    expect(told(transitions)).toEqual([['AG-X', 'withdrawn', 15]])
    expect(hear(engine, 'AG-Y', at(20))).toMatchObject([{ kind: 'cleared', alarm: { id: raisedY!.alarm.id } }])
  })
})
