import { describe, expect, it } from '@jest/globals'
import { COD_90, feed, kinds, reading, rulesFor, slot } from '../test/fixtures.js'
import { Engine } from './engine.js'

const before = rulesFor([COD_90])
const higher = rulesFor([{ ...COD_90, high: 200 }])
const lower = rulesFor([{ ...COD_90, high: 60 }])

function fedWith(values: readonly number[]): Engine {
  const engine = new Engine(before)
  feed(engine, values)
  return engine
}

describe('other rules', () => {
  it('that are the same rules change nothing', () => {
    const engine = fedWith([50, 95, 95])
    const bytes = engine.serialize()
    expect(engine.adopt(rulesFor([COD_90]))).toEqual([])
    expect(Buffer.compare(engine.serialize(), bytes)).toBe(0)
  })

  it('that permit more withdraw the alarm that lasts, and leave the past as it was judged', () => {
    const engine = fedWith([95, 95, 40, 40, 95, 95])
    const transitions = engine.adopt(higher)
    expect(transitions).toMatchObject([{ kind: 'withdrawn', at: slot(5), alarm: { raisedAt: slot(5), state: 'normal' } }])
    expect(transitions[0]!.id).toContain(`.rules-${higher.fingerprint}`)
    expect(engine.stats().openAlarms).toBe(0)
  })

  it('that permit less raise what lasts already, but nothing of the past', () => {
    const engine = fedWith([65, 65, 40, 40, 65, 65, 65])
    expect(engine.adopt(lower)).toMatchObject([{ kind: 'raised', at: slot(5), alarm: { limit: 60, raisedAt: slot(5) } }])
  })

  it('show their limit on the alarm that goes on, which keeps its id', () => {
    const engine = fedWith([50, 95, 95])
    const [id] = [engine.adopt(rulesFor([{ ...COD_90, high: 91, source: 'new permit' }]))].map(([first]) => first?.alarm)
    expect(id).toMatchObject({ id: 'AG-X.COD.cod-high.20261124T031000Z', limit: 91, source: 'new permit', clearedAt: null })
    expect(feed(engine, [40, 40], 3)).toMatchObject([{ kind: 'cleared', alarm: { id: 'AG-X.COD.cod-high.20261124T031000Z' } }])
  })

  it('leave a rule that stays alone, whatever is added before it', () => {
    const engine = fedWith([50, 95, 95])
    const transitions = engine.adopt(rulesFor([{ ...COD_90, id: 'cod-new', high: 94 }, COD_90]))
    expect(transitions.map(({ kind, alarm }) => [kind, alarm.rule])).toEqual([['raised', 'cod-new']])
    expect(feed(engine, [40, 40], 3).map(({ kind, alarm }) => [kind, alarm.rule])).toEqual([
      ['cleared', 'cod-new'],
      ['cleared', 'cod-high']
    ])
  })

  it('without the rule withdraw its alarm and let the series go', () => {
    const engine = fedWith([50, 95, 95])
    expect(kinds(engine.adopt(rulesFor([{ ...COD_90, parameter: 'pH', unit: '-', high: 9 }])))).toEqual(['withdrawn'])
    expect(engine.stats()).toMatchObject({ series: 0, windowReadings: 0, openAlarms: 0 })
    expect(feed(engine, [95, 95], 3)).toEqual([])
  })

  it('begin with the next reading for a series that had none', () => {
    const engine = new Engine(rulesFor([{ ...COD_90, parameter: 'pH', unit: '-', high: 9 }]))
    feed(engine, [95, 95])
    expect(engine.adopt(before)).toEqual([])
    expect(kinds(feed(engine, [95, 95], 2))).toEqual(['raised'])
    expect(engine.stats().series).toBe(1)
  })

  it('say the same again when the process died before it could keep that they hold', () => {
    const bytes = fedWith([65, 65, 40, 40, 65, 65, 95, 95]).serialize()
    const twice = [1, 2].map(() => Engine.restore(bytes).adopt(lower))
    expect(twice[0]).toEqual(twice[1])
    expect(twice[0]!.length).toBeGreaterThan(0)
  })

  it('hold for late data too: only what late data change of the past is told', () => {
    const engine = fedWith([65, 65, 40, 40, 40, 40])
    expect(engine.adopt(lower)).toEqual([])
    const late = [reading('AG-X', slot(4) + 1, 70), reading('AG-X', slot(4) + 2, 70)]
    expect(kinds(engine.apply(99, { station: 'AG-X', receivedAt: slot(9), readings: late }))).toEqual(['raised'])
  })
})
