import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Aggregate, Period, Published, WindowMark } from '#libs/pipeline'
import { plainAggregate } from '#libs/testkit'
import type { State } from '../src/state.js'
import { type Bench, NOON } from './fixtures.js'

const HOUR = 3_600_000
const LENGTH: Readonly<Record<Period, number>> = { hour: HOUR, day: 24 * HOUR, month: 720 * HOUR }

function mark(period: Period, end: number, more: Partial<WindowMark> = {}): WindowMark {
  return { station: 'AG-017', parameter: 'COD', period, start: end - LENGTH[period], end, dueAt: end, sequence: 1, ...more }
}

function result(of: WindowMark, mean: number, values: readonly number[] = []): Published {
  const { station: _, parameter: __, unit, revision: ___, algorithm: ____, ...summary } = plainAggregate({ ...windowOf(of), mean })
  return { mark: of, unit, summary, values: of.period === 'day' ? Float64Array.from(values) : null }
}
const windowOf = ({ period, start, end }: WindowMark) => ({ period, start, end })
const brief = ({ end, revision, mean }: Aggregate) => [end, revision, mean]

export function aggregatesSuite(bench: Bench): void {
  let state: State
  beforeEach(async () => {
    state = await bench.open(await bench.place())
  })
  afterEach(() => bench.clear())
  const due = (period: Period = 'hour', limit = 1_000) => state.aggregates.due({ period, now: NOON, stored: 100, limit })

  describe('marks', () => {
    it('stand with the cursor, each window once with its newest record and the time that was said last', async () => {
      await state.aggregates.mark([mark('hour', NOON, { sequence: 5, dueAt: NOON + 9 })], 5)
      await state.aggregates.mark([mark('hour', NOON, { sequence: 3, dueAt: NOON })], 4)
      expect(await state.aggregates.cursor()).toBe(5)
      expect(await due()).toEqual([mark('hour', NOON, { sequence: 5, dueAt: NOON })])
    })

    it('are due in their time, when the store is as far, those of a period that wait longest first', async () => {
      const [late, old, day] = [mark('hour', NOON), mark('hour', NOON - HOUR), mark('day', NOON - 50 * HOUR)]
      await state.aggregates.mark([day, late, old, mark('hour', NOON + HOUR), mark('hour', NOON - 2 * HOUR, { sequence: 101 })], 1)
      expect(await due()).toEqual([old, late])
      expect(await due('hour', 1)).toEqual([old])
      expect(await due('day')).toEqual([day])
    })

    it('of a month wait until none of its days is marked, due or not', async () => {
      const month = mark('month', NOON, { dueAt: NOON })
      const day = mark('day', NOON - 24 * HOUR, { dueAt: NOON + 1 })
      const strangers = [mark('day', NOON - 24 * HOUR, { parameter: 'pH', dueAt: NOON + 1 }), mark('day', month.start, { dueAt: NOON + 1 })]
      await state.aggregates.mark([month, day, ...strangers], 1)
      expect(await due('month')).toEqual([])
      await state.aggregates.drop([day])
      expect(await due('month')).toEqual([month])
    })

    it('of a series are told in time, due or not', async () => {
      const marks = [mark('hour', NOON + HOUR), mark('hour', NOON)]
      await state.aggregates.mark([...marks, mark('day', NOON), mark('hour', NOON, { parameter: 'pH' })], 1)
      const query = { station: 'AG-017', parameter: 'COD', period: 'hour' as const, from: NOON - HOUR, to: NOON + HOUR, limit: 10 }
      expect(await state.aggregates.marked(query)).toEqual([...marks].reverse())
      expect(await state.aggregates.marked({ ...query, from: NOON })).toEqual([marks[0]])
      expect(await state.aggregates.marked({ ...query, limit: 1 })).toEqual([marks[1]])
    })

    it('go with the publication that was made for them, and stay when they are newer', async () => {
      const [one, two] = [mark('hour', NOON), mark('hour', NOON - HOUR)]
      await state.aggregates.mark([one, two], 1)
      await state.aggregates.mark([{ ...two, sequence: 2 }], 2)
      await state.aggregates.publish([result(one, 1), result(two, 1)])
      expect(await due()).toEqual([{ ...two, sequence: 2 }])
    })
  })

  describe('publications', () => {
    const positions = async (after = 0) => (await state.aggregates.publishedAfter(after, 1_000)).map(({ position }) => position)

    it('raise the revision where the content differs, and only there', async () => {
      const hours = [...Array(250).keys()].map(n => mark('hour', NOON + n * HOUR))
      await state.aggregates.publish(hours.map(hour => result(hour, 1)))
      const last = (await positions()).at(-1) ?? 0
      expect(await state.aggregates.publish(hours.map((hour, n) => result(hour, n % 100 === 0 ? 2 : 1)))).toBe(3)
      const changed = await state.aggregates.publishedAfter(last, 1_000)
      expect(changed.map(({ aggregate }) => brief(aggregate))).toEqual([0, 100, 200].map(n => [NOON + n * HOUR, 2, 2]))
      expect(new Set(await positions()).size).toBe(250)
    })

    it('are read in time, by period, whole as they were given', async () => {
      const given = result(mark('hour', NOON), 1.25)
      await state.aggregates.publish([result(mark('hour', NOON + HOUR), 3), given, result(mark('day', NOON), 9, [1, 2])])
      const query = { station: 'AG-017', parameter: 'COD', period: 'hour' as const, from: NOON - HOUR, to: NOON + HOUR, limit: 10 }
      const found = await state.aggregates.find(query)
      expect(found.map(brief)).toEqual([
        [NOON, 1, 1.25],
        [NOON + HOUR, 1, 3]
      ])
      expect(found[0]).toEqual({ station: 'AG-017', parameter: 'COD', ...given.summary, unit: given.unit, revision: 1, algorithm: 1 })
      expect((await state.aggregates.find({ ...query, from: NOON })).map(brief)).toEqual([[NOON + HOUR, 1, 3]])
      expect((await state.aggregates.find({ ...query, limit: 1 })).map(brief)).toEqual([[NOON, 1, 1.25]])
    })

    it('of days keep their values to the last bit', async () => {
      const values = [-Number.MAX_VALUE, -0, Number.MIN_VALUE, 0.1 + 0.2, 1e300]
      await state.aggregates.publish([result(mark('day', NOON), 1, values), result(mark('day', NOON + 24 * HOUR), 2, [])])
      const days = await state.aggregates.days({ station: 'AG-017', parameter: 'COD' }, { from: NOON - 1, to: NOON + 24 * HOUR })
      expect(days.map(day => [...day.values])).toEqual([values, []])
      expect(days[0]?.summary.mean).toBe(1)
    })
  })
}
