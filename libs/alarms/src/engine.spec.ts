import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Reading } from '#libs/model'
import { bandOf, heldBy, isWorse } from '#libs/model'
import { COD_90, feed, kinds, logOf, reading, rulesFor, slot } from '../test/fixtures.js'
import type { AlarmTransition } from './alarm.js'
import type { EpisodeView } from './engine.js'
import { Engine } from './engine.js'
import type { RuleLimit } from './limit.js'

const RULES = rulesFor([
  COD_90,
  { ...COD_90, id: 'cod-single', consecutive: { k: 1, n: 1 } },
  { ...COD_90, id: 'cod-long', consecutive: { k: 2, n: 5 }, high: 100, deadband: 0.05 },
  { ...COD_90, id: 'cod-both', low: 20, high: 110, consecutive: { k: 3, n: 3 }, bands: 'none' }
])

/** The rule of fold.ts written down once more, without a thought for speed: all readings of a series, sorted, looked at from scratch. */
function episodesOf(set: readonly Reading[], limit: RuleLimit): Omit<EpisodeView, 'severity'>[] {
  const newest = new Map<number, Reading>()
  for (const one of set) if (one.revision >= (newest.get(one.at)?.revision ?? 0)) newest.set(one.at, one)
  const usable = [...newest.values()].filter(({ status }) => status === '00').sort((a, b) => a.at - b.at)
  const episodes: { rule: string; raisedAt: number; clearedAt: number | null; worst: number }[] = []
  let level = 0
  let raisedIndex = 0
  let approach: number[] = []
  usable.forEach(({ at, value }, index) => {
    const lastN = usable.slice(Math.max(0, index - limit.n + 1), index + 1).map(one => bandOf(limit, one.value))
    const entered = [3, 2, 1].find(band => lastN.filter(one => one >= band).length >= limit.k) ?? 0
    approach = level === 0 && lastN.every(band => band === 0) ? [] : [...approach, value]
    const worst = approach.reduce((a, b) => (isWorse(limit, b, a) ? b : a), approach[0] ?? 0)
    if (level === 0 && entered > 0) {
      episodes.push({ rule: limit.rule, raisedAt: at, clearedAt: null, worst })
      level = entered
      raisedIndex = index
      return
    }
    const open = episodes.at(-1)
    if (level === 0 || !open) return
    open.worst = worst
    const lastK = usable.slice(Math.max(raisedIndex, index - limit.k + 1), index + 1).map(one => heldBy(limit, one.value))
    level = entered > level ? entered : Math.min(level, Math.max(entered, ...lastK))
    if (level > 0) return
    open.clearedAt = at
    approach = []
  })
  return episodes
}

const oracle = (set: readonly Reading[]) => RULES.limitsOf('AG-X', 'COD').flatMap(limit => episodesOf(set, limit))
const found = (engine: Engine) => engine.episodes('AG-X', 'COD').map(({ severity: _, ...episode }) => episode)

/** Readings of up to 600 instants in long runs of like values, so that episodes begin, go on and end. */
const anySet = fc
  .array(fc.tuple(fc.constantFrom(15, 25, 50, 72, 79, 82, 88, 91, 95, 99, 105, 120), fc.integer({ min: 1, max: 60 })), {
    minLength: 1,
    maxLength: 20
  })
  .chain(runs => {
    const values = runs.flatMap(([value, times]) => Array.from({ length: times }, (_, index) => value + (index % 3)))
    const revised = fc.array(fc.tuple(fc.nat(values.length - 1), fc.constantFrom(10, 60, 130)), { maxLength: 8 })
    const unusable = fc.array(fc.nat(values.length - 1), { maxLength: 8 })
    return fc.record({ values: fc.constant(values), revised, unusable })
  })
  .map(({ values, revised, unusable }) => {
    const first = values.map((value, index) => reading('AG-X', slot(index), value, { status: unusable.includes(index) ? '01' : '00' }))
    return [...first, ...revised.map(([index, value], n) => reading('AG-X', slot(index), value, { revision: n + 1 }))]
  })

/** The set in some order, with repeats, cut into messages. */
const anyArrival = (set: readonly Reading[]) =>
  fc
    .record({
      order: fc.oneof(fc.constant(set), fc.shuffledSubarray([...set], { minLength: set.length }), nearlyInOrder(set)),
      repeated: fc.subarray([...set], { maxLength: Math.min(set.length, 20) }),
      cuts: fc.infiniteStream(fc.integer({ min: 1, max: 40 }))
    })
    .map(({ order, repeated, cuts }) => cut([...order, ...repeated], cuts))

/** As stations send: mostly in order, some of it held back for a while. */
const nearlyInOrder = (set: readonly Reading[]) =>
  fc.array(fc.tuple(fc.nat(set.length - 1), fc.integer({ min: 1, max: 300 })), { maxLength: 20 }).map(moves => {
    const order = [...set]
    for (const [index, by] of moves) order.splice(index + by, 0, ...order.splice(index, 1))
    return order
  })

function cut<T>(all: readonly T[], sizes: Iterable<number>): T[][] {
  const parts: T[][] = []
  let from = 0
  for (const size of sizes) {
    if (from >= all.length) break
    parts.push(all.slice(from, from + size))
    from += size
  }
  return parts
}

function run(messages: readonly (readonly Reading[])[], engine = new Engine(RULES)): { engine: Engine; transitions: AlarmTransition[] } {
  const transitions = messages.flatMap((readings, index) => engine.apply(index + 1, { station: 'AG-X', receivedAt: slot(0), readings }))
  return { engine, transitions }
}

const anySetAndArrival = anySet.chain(set => fc.tuple(fc.constant(set), anyArrival(set)))

describe('episodes are a function of the set of readings', () => {
  it('equal those found by looking at the whole set from scratch, in whatever order, however often, in whatever messages it came', () => {
    fc.assert(
      fc.property(anySetAndArrival, ([set, messages]) => {
        expect(found(run(messages).engine)).toEqual(oracle(set))
      }),
      { numRuns: 80 }
    )
  })

  it('byte for byte: the same snapshot, but for the ids that were given along the way', () => {
    const bytes = (engine: Engine) =>
      JSON.stringify([engine.episodes('AG-X', 'COD'), engine.stats().windowReadings, engine.stats().openAlarms])
    fc.assert(
      fc.property(anySetAndArrival, ([set, messages]) => {
        expect(bytes(run(messages).engine)).toBe(bytes(run([set]).engine))
      }),
      { numRuns: 40 }
    )
  })

  it('hold for a series that fills many blocks, sent backwards', () => {
    const set = Array.from({ length: 3_000 }, (_, index) => reading('AG-X', slot(index), index % 50 < 20 ? 120 : 30))
    expect(
      found(
        run(
          cut(
            [...set].reverse(),
            [...Array<number>(3_000)].map(() => 7)
          )
        ).engine
      )
    ).toEqual(oracle(set))
  })
})

describe('transitions', () => {
  it('leave a log that agrees with the episodes, whatever late data did, and no id comes twice', () => {
    fc.assert(
      fc.property(anySetAndArrival, ([, messages]) => {
        const { engine, transitions } = run(messages)
        const byTime = (a: { rule: string; raisedAt: number }, b: { rule: string; raisedAt: number }) =>
          a.rule.localeCompare(b.rule) || a.raisedAt - b.raisedAt
        // The worst value of an alarm that lasts is told with its next transition.
        const settled = (worst: number | null, clearedAt: number | null) => (clearedAt === null ? null : worst)
        const logged = [...logOf(transitions).values()].map(alarm => ({
          rule: alarm.rule,
          raisedAt: alarm.raisedAt,
          clearedAt: alarm.clearedAt,
          severity: alarm.severity,
          worst: settled(alarm.value, alarm.clearedAt)
        }))
        const held = engine.episodes('AG-X', 'COD').map(episode => ({ ...episode, worst: settled(episode.worst, episode.clearedAt) }))
        expect(logged.sort(byTime)).toEqual(held.sort(byTime))
      }),
      { numRuns: 100 }
    )
  })

  it('do not depend on how the journal is cut into batches or restarts, only on its messages', () => {
    fc.assert(
      fc.property(anySetAndArrival, fc.nat(), ([, messages], at) => {
        const whole = run(messages)
        const first = new Engine(RULES)
        const restart = at % (messages.length + 1)
        const before = run(messages.slice(0, restart), first).transitions
        const restored = Engine.restore(first.serialize())
        const after = messages
          .slice(restart)
          .flatMap((readings, index) => restored.apply(restart + index + 1, { station: 'AG-X', receivedAt: slot(0), readings }))
        expect([...before, ...after]).toEqual(whole.transitions)
        expect(Buffer.compare(restored.serialize(), whole.engine.serialize())).toBe(0)
      }),
      { numRuns: 40 }
    )
  })
})

const one = () => new Engine(rulesFor([COD_90]))
const late = (engine: Engine, sequence: number, readings: readonly Reading[]) =>
  engine.apply(sequence, { station: 'AG-X', receivedAt: slot(100), readings })

describe('one alarm', () => {
  it('is raised by the second of three, escalates, eases, and clears with the second reading past the dead-band', () => {
    const transitions = feed(one(), [50, 75, 50, 76, 95, 95, 85, 85, 71, 70, 70, 70])
    expect(transitions.map(({ kind, at, level, alarm }) => [kind, (at - slot(0)) / 300_000, level, alarm.severity])).toEqual([
      ['raised', 3, 'tendency', 'tendency'],
      ['escalated', 5, 'exceeds', 'exceeds'],
      ['eased', 7, 'preparing', 'exceeds'],
      ['eased', 9, 'tendency', 'exceeds'],
      ['cleared', 10, 'within', 'exceeds']
    ])
  })

  it('says all that a message needs', () => {
    const [raised] = feed(one(), [95, 96])
    expect(raised).toEqual({
      id: 'AG-X.COD.cod-high.20261124T030500Z.raised.20261124T030500Z',
      kind: 'raised',
      at: slot(1),
      level: 'exceeds',
      alarm: {
        id: 'AG-X.COD.cod-high.20261124T030500Z',
        kind: 'limit',
        station: 'AG-X',
        parameter: 'COD',
        rule: 'cod-high',
        severity: 'exceeds',
        state: 'unacknowledged-active',
        value: 96,
        limit: 90,
        unit: 'mg/L',
        raisedAt: slot(1),
        clearedAt: null,
        acknowledgedAt: null,
        acknowledgedBy: null,
        comment: null,
        source: 'QCVN 40:2011/BTNMT, cột A'
      }
    })
    expect(encodeURIComponent(raised!.alarm.id)).toBe(raised!.alarm.id)
  })

  it('is not raised by one spike, by calibration, by a fault, by a failed value or by a clock that is ahead', () => {
    expect(feed(one(), [50, 500, 50, 50, 500, 50])).toEqual([])
    for (const other of [
      { status: '01' },
      { status: '02' },
      { status: '05' },
      { flag: 4 },
      { flag: 9 },
      { flags: ['clock-ahead'] }
    ] as const) {
      const readings = [0, 1, 2, 3].map(n => reading('AG-X', slot(n), 500, other as object))
      expect(late(one(), 1, readings)).toEqual([])
    }
  })

  it('passes over what is not usable: it counts neither for nor against', () => {
    const engine = one()
    const readings = [95, 0, 0, 96].map((value, n) => reading('AG-X', slot(n), value, { status: value === 0 ? '01' : '00' }))
    expect(kinds(late(engine, 1, readings))).toEqual(['raised'])
  })

  it('reads another unit of the same kind, and leaves out one that does not fit', () => {
    const engine = one()
    expect(
      kinds(
        late(
          engine,
          1,
          [0, 1].map(n => reading('AG-X', slot(n), 0.095, { unit: 'g/L' }))
        )
      )
    ).toEqual(['raised'])
    expect(
      late(
        engine,
        2,
        [2, 3].map(n => reading('AG-X', slot(n), 1, { unit: 'm' }))
      )
    ).toEqual([])
    expect(engine.stats()).toMatchObject({ inOrder: 2, unusable: 2 })
  })

  it('does not judge what lies outside the days of its rule', () => {
    const engine = new Engine(rulesFor([{ ...COD_90, validFrom: '2026-11-24T10:15:00+07:00' }]))
    expect(feed(engine, [95, 95, 95, 95, 95]).map(({ at }) => at)).toEqual([slot(4)])
  })
})

describe('late data', () => {
  it('that begin an alarm earlier revise it, and it keeps its id', () => {
    const engine = one()
    const [raised] = feed(engine, [null, null, null, 95, 95])
    const [revised, ...rest] = late(engine, 9, [reading('AG-X', slot(1), 99), reading('AG-X', slot(2), 99)])
    expect(rest).toEqual([])
    expect(revised).toMatchObject({
      kind: 'revised',
      at: slot(2),
      alarm: { id: raised!.alarm.id, raisedAt: slot(2), value: 99, clearedAt: null }
    })
  })

  it('that show a past alarm raise and clear it at its own times', () => {
    const engine = one()
    feed(engine, [50, null, null, null, null, 50])
    const found = late(
      engine,
      9,
      [95, 96, 40, 40].map((value, n) => reading('AG-X', slot(1 + n), value))
    )
    expect(found.map(({ kind, at }) => [kind, at])).toEqual([
      ['raised', slot(2)],
      ['cleared', slot(4)]
    ])
    expect(found[0]).toMatchObject({ alarm: { clearedAt: null, state: 'unacknowledged-active' }, level: 'exceeds' })
    expect(found[1]).toMatchObject({ alarm: { clearedAt: slot(4), state: 'rtn-unacknowledged' } })
  })

  it('that correct the values withdraw the alarm, and bring it back under its id', () => {
    const engine = one()
    const before = feed(engine, [95, 95])
    const corrected = late(engine, 8, [reading('AG-X', slot(0), 50, { revision: 1 })])
    const back = late(engine, 9, [reading('AG-X', slot(0), 95, { revision: 2 })])
    expect(corrected).toMatchObject([{ kind: 'withdrawn', level: 'within', alarm: { state: 'normal', clearedAt: slot(1) } }])
    expect(back).toMatchObject([{ kind: 'raised', alarm: { id: before[0]!.alarm.id } }])
    expect(new Set([...before, ...corrected, ...back].map(({ id }) => id)).size).toBe(3)
  })

  it('that join two alarms leave the first and withdraw the second; the worst value is the worst of both', () => {
    const engine = one()
    const [first, , second] = feed(engine, [95, 95, null, null, 40, 40, 99, 99])
    const joined = late(
      engine,
      9,
      [4, 5].map(n => reading('AG-X', slot(n), 95, { revision: 1 }))
    )
    expect(joined).toMatchObject([
      { kind: 'revised', alarm: { id: first!.alarm.id, value: 99, clearedAt: null } },
      { kind: 'withdrawn', alarm: { id: second!.alarm.id } }
    ])
  })

  it('that part an alarm in two raise the second part anew', () => {
    const engine = one()
    const [whole] = feed(engine, [95, 95, 95, 95, 95, 95, 95])
    const parted = late(
      engine,
      9,
      [2, 3].map(n => reading('AG-X', slot(n), 40, { revision: 1 }))
    )
    expect(parted).toMatchObject([
      { kind: 'cleared', at: slot(3), alarm: { id: whole!.alarm.id } },
      { kind: 'raised', at: slot(5), alarm: { id: 'AG-X.COD.cod-high.20261124T032500Z' } }
    ])
  })

  it('that bring a second alarm to the instant at which the first was born give it an id of its own', () => {
    const engine = one()
    const born = feed(engine, [null, null, 95, 95])
    const moved = late(
      engine,
      8,
      [0, 1].map(n => reading('AG-X', slot(n), 95))
    )
    const parted = late(
      engine,
      9,
      [1, 2].map(n => reading('AG-X', slot(1) + n, 40))
    )
    expect([...born, ...moved, ...parted].map(({ kind, alarm }) => [kind, alarm.id.split('.').slice(3).join('.'), alarm.raisedAt])).toEqual(
      [
        ['raised', '20261124T031500Z', slot(3)],
        ['revised', '20261124T031500Z', slot(1)],
        ['cleared', '20261124T031500Z', slot(1)],
        ['raised', '20261124T031500Z.9', slot(3)]
      ]
    )
    expect(logOf([...born, ...moved, ...parted]).size).toBe(2)
  })

  it('that are not usable change nothing, also where they cut a full block of readings in two', () => {
    const engine = one()
    const [raised] = feed(engine, Array<number>(300).fill(95))
    const unusable = [reading('AG-X', slot(40) + 1, 0, { status: '01' })]
    expect(late(engine, 9_000, unusable)).toEqual([])
    expect(late(engine, 9_001, [reading('AG-X', slot(100) + 1, 96)])).toEqual([])
    expect(feed(engine, [40, 40], 300)).toMatchObject([{ kind: 'cleared', alarm: { id: raised!.alarm.id, raisedAt: slot(1), value: 96 } }])
  })

  it('name the last instant that changed something, and none that did not', () => {
    const engine = one()
    feed(engine, [...Array<number>(300).fill(50), 95, 95, 40, 40])
    const readings = [
      reading('AG-X', slot(1), 95, { revision: 1 }),
      reading('AG-X', slot(2), 95, { revision: 1 }),
      reading('AG-X', slot(40) + 1, 0, { status: '01' })
    ]
    expect(late(engine, 9_000, readings).map(({ at }) => at)).toEqual([slot(2), slot(4)])
    const worse = [reading('AG-X', slot(1), 99, { revision: 2 }), reading('AG-X', slot(200) + 1, 0, { status: '01' })]
    expect(late(engine, 9_001, worse)).toMatchObject([{ kind: 'revised', at: slot(1) }])
  })

  it('withdraw an alarm with the worst value that it ever had, also over a restart', () => {
    const engine = one()
    feed(engine, [95, 95, 120, 95])
    const corrected = [0, 1, 2, 3].map(n => reading('AG-X', slot(n), 40, { revision: 1 }))
    for (const each of [Engine.restore(engine.serialize()), engine])
      expect(late(each, 9, corrected)).toMatchObject([{ kind: 'withdrawn', alarm: { value: 120 } }])
  })

  it('are folded in before the readings that follow them in the same message, which are then in order', () => {
    const engine = one()
    feed(engine, [50, 50])
    const mixed = [reading('AG-X', slot(2), 95), reading('AG-X', slot(1), 95, { revision: 1 })]
    expect(late(engine, 9, mixed)).toMatchObject([{ id: 'AG-X.COD.cod-high.20261124T031000Z.raised.20261124T031000Z' }])
  })

  it('does not name a message late whose readings are only out of order among themselves', () => {
    const mixed = [2, 1, 0].map(n => reading('AG-X', slot(n), 95))
    const engine = one()
    expect(late(engine, 9, mixed).map(({ id }) => id)).toEqual(['AG-X.COD.cod-high.20261124T030500Z.raised.20261124T030500Z'])
    expect(engine.stats()).toMatchObject({ inOrder: 3, late: 0 })
  })

  it('are one repair for each message, not one for each reading', () => {
    const engine = one()
    feed(engine, [...Array<null>(20).fill(null), 95, 95])
    const backwards = Array.from({ length: 15 }, (_, n) => reading('AG-X', slot(15 - n), 95))
    expect(kinds(late(engine, 9, backwards))).toEqual(['revised'])
  })

  it('of an equal revision change nothing: the first value stays', () => {
    const engine = one()
    feed(engine, [50, 50, 50])
    expect(
      late(
        engine,
        9,
        [0, 1].map(n => reading('AG-X', slot(n), 500))
      )
    ).toEqual([])
    expect(late(engine, 10, [reading('AG-X', slot(1), 50)])).toEqual([])
    expect(engine.stats()).toMatchObject({ inOrder: 3, conflicts: 2, repeated: 1 })
  })

  it('of a lower revision change nothing; one that says the measurement was none takes it out', () => {
    const engine = one()
    late(engine, 1, [reading('AG-X', slot(0), 95, { revision: 3 }), reading('AG-X', slot(1), 95, { revision: 3 })])
    expect(late(engine, 2, [reading('AG-X', slot(0), 50, { revision: 2 })])).toEqual([])
    expect(kinds(late(engine, 3, [reading('AG-X', slot(0), 95, { revision: 4, status: '02' })]))).toEqual(['withdrawn'])
    expect(engine.stats()).toMatchObject({ outdated: 1, unusable: 1 })
  })
})

describe('the window', () => {
  const limits = { least: 200, most: 1_000, budget: 1_000 }

  it('keeps what the budget allows, drops the oldest and counts what comes too late for it', () => {
    const engine = new Engine(rulesFor([COD_90]), limits)
    feed(engine, Array<number>(3_000).fill(50))
    const { windowReadings } = engine.stats()
    expect(windowReadings).toBeGreaterThanOrEqual(1_000)
    expect(windowReadings).toBeLessThan(1_200)
    expect(
      late(
        engine,
        9_000,
        [0, 1, 2].map(n => reading('AG-X', slot(n) + 1, 500))
      )
    ).toEqual([])
    expect(engine.stats()).toMatchObject({ tooLate: 3, openAlarms: 0 })
  })

  it('does not grow by late data either', () => {
    const engine = new Engine(rulesFor([COD_90]), limits)
    feed(engine, [50], 100_000)
    const backfill = Array.from({ length: 5_000 }, (_, n) => reading('AG-X', slot(n), 50))
    cut(backfill, Array<number>(50).fill(100)).forEach((readings, n) => late(engine, 9_000 + n, readings))
    expect(engine.stats().windowReadings).toBeLessThan(1_200)
    expect(engine.stats().tooLate).toBe(0)
  })

  it('forgets nothing of an alarm that has lasted longer than it reaches', () => {
    const engine = new Engine(rulesFor([COD_90]), limits)
    const [raised] = feed(engine, [120, ...Array<number>(5_000).fill(95)])
    const transitions = feed(engine, [40, 40], 5_001)
    expect(transitions).toMatchObject([{ kind: 'cleared', alarm: { id: raised!.alarm.id, raisedAt: slot(1), value: 120 } }])
    expect(late(engine, 9_000, [reading('AG-X', slot(4_500), 130, { revision: 1 })])).toMatchObject([
      { kind: 'revised', alarm: { value: 130 } }
    ])
  })

  it('knows the alarms that it still reaches, however much older ones it has let go', () => {
    const engine = new Engine(rulesFor([COD_90]), limits)
    const transitions = feed(
      engine,
      Array.from({ length: 3_000 }, (_, n) => (n % 100 < 10 ? 95 : 40))
    )
    const raised = transitions.find(({ kind, at }) => kind === 'raised' && at === slot(2_301))
    const longer = late(engine, 9_000, [reading('AG-X', slot(2_311) + 1, 95), reading('AG-X', slot(2_311) + 2, 95)])
    expect(longer).toMatchObject([{ kind: 'raised' }, { kind: 'cleared' }])
    const worse = late(engine, 9_001, [reading('AG-X', slot(2_305), 99, { revision: 1 })])
    expect(worse).toMatchObject([{ kind: 'revised', alarm: { id: raised!.alarm.id, value: 99 } }])
    expect(engine.episodes('AG-X', 'COD').length).toBeLessThan(13)
  })

  it('agrees with the whole set as far as it reaches', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(50, 95, 120, 40), { minLength: 600, maxLength: 1_500 }), fc.nat(100), (values, held) => {
        const set = values.map((value, index) => reading('AG-X', slot(index), value))
        const engine = new Engine(RULES, limits)
        const order = [...set.slice(0, -200), ...set.slice(-150), ...set.slice(-200, -150)]
        run(cut(order, Array<number>(2_000).fill(held + 1)), engine)
        const episodes = found(engine)
        const reach = Math.max(...episodes.slice(0, 1).map(({ raisedAt }) => raisedAt), slot(values.length - 200))
        const within = (all: typeof episodes) => all.filter(({ raisedAt }) => raisedAt >= reach)
        expect(within(episodes)).toEqual(within(oracle(set)))
      }),
      { numRuns: 20 }
    )
  })

  it('is not kept for a series without a rule', () => {
    const engine = new Engine(rulesFor([COD_90]))
    late(engine, 1, [
      reading('AG-X', slot(0), 7, { parameter: 'pH', unit: '-' }),
      reading('AG-X', slot(0), 7, { parameter: 'NoSuch', unit: '-' })
    ])
    expect(engine.stats()).toMatchObject({ unruled: 2, series: 0, windowReadings: 0 })
    expect(engine.episodes('AG-X', 'pH')).toEqual([])
  })
})
