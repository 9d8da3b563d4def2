import { describe, expect, it } from '@jest/globals'
import { COD_90, feed, kinds, reading, rulesFor, slot } from '../test/fixtures.js'
import { Engine } from './engine.js'
import { CompiledRules } from './rules.js'

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

describe('a rule whose limit changes on a day', () => {
  const change = '2026-11-24T10:12:00+07:00'
  const at = Date.parse(change)
  const old = { ...COD_90, validTo: change, source: 'old permit' }
  const fresh = (high: number) => ({ ...COD_90, id: 'cod-next', high, validFrom: change, source: 'new permit' })

  it('ends its alarm on that day; the limit that follows raises its own', () => {
    const engine = new Engine(rulesFor([old, fresh(80)]))
    expect(feed(engine, [95, 95, 95, 95, 95]).map(({ kind, at, alarm }) => [kind, at, alarm.source])).toEqual([
      ['raised', slot(1), 'old permit'],
      ['cleared', at, 'old permit'],
      ['raised', slot(4), 'new permit']
    ])
    expect(engine.episodes('AG-X', 'COD').map(({ clearedAt }) => clearedAt)).toEqual([at, null])
  })

  it('is the same whether its readings come in order, late or through a restart', () => {
    const rules = rulesFor([old, fresh(80)])
    const inOrder = new Engine(rules)
    feed(inOrder, [95, 95, 95, 95, 40, 40])
    const late = new Engine(rules)
    feed(late, [95, null, null, null, 40, 40])
    late.apply(9, { station: 'AG-X', receivedAt: slot(9), readings: [3, 1, 2].map(n => reading('AG-X', slot(n), 95)) })
    expect(late.episodes('AG-X', 'COD')).toEqual(inOrder.episodes('AG-X', 'COD'))
    const restored = Engine.restore(inOrder.serialize())
    expect(restored.episodes('AG-X', 'COD')).toEqual(inOrder.episodes('AG-X', 'COD'))
  })

  it('is at rest again once the day has passed', () => {
    const engine = new Engine(rulesFor([old]))
    feed(engine, [95, 95, 95, 95])
    expect(engine.stats().openAlarms).toBe(0)
    expect(feed(engine, [95, 95, 95], 4)).toEqual([])
  })

  it('may have both limits under one id: other rules follow the one that holds', () => {
    const both = (high: number) => [old, { ...fresh(high), id: 'cod-high' }]
    const compiled = (high: number) => {
      const parts = both(high).map(rule => rulesFor([rule]).terms.limits)
      return new CompiledRules({ limits: parts.flat(), silences: [] })
    }
    const engine = new Engine(compiled(80))
    feed(engine, [95, 95, 95, 95, 95])
    expect(kinds(engine.adopt(compiled(90)))).toEqual(['revised'])
    expect(kinds(engine.adopt(compiled(200)))).toEqual(['withdrawn'])
    expect(engine.stats().openAlarms).toBe(0)
  })
})
