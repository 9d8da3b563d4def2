import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import type { Aggregate, ForwardOutcome, ItemAnswer, Published, SinkAnswer, WarehouseSink, WindowMark } from '#libs/pipeline'
import { Forwarder, WarehouseDigests } from '#libs/pipeline'
import { plainAggregate } from '#libs/testkit'
import type { State } from '../src/state.js'
import { type Bench, NOON } from './fixtures.js'

const HOUR = 3_600_000
const YEAR = 366 * 24 * HOUR
const ALL = { from: 0, to: NOON + YEAR }
const SILENT = { info: () => {}, warn: () => {}, error: () => {} }

const windowOf = (n: number): WindowMark => {
  const end = NOON + n * HOUR
  return { station: 'AG-017', parameter: 'COD', period: 'hour', start: end - HOUR, end, dueAt: end, sequence: 1 }
}

function result(n: number, mean: number): Published {
  const { station: _, parameter: __, unit, revision: ___, algorithm: ____, ...summary } = plainAggregate({ mean })
  const mark = windowOf(n)
  return { mark, unit, summary: { ...summary, start: mark.start, end: mark.end }, values: null }
}

const keyOf = ({ station, parameter, period, end }: Aggregate) => `${station}/${parameter}/${period}/${end}`

/** A warehouse in memory with the rules of the contract. What it is told to do comes from a script, one word for each call. */
class Far implements WarehouseSink {
  readonly name = 'far'
  readonly limit: number
  readonly rows = new Map<string, Aggregate>()
  readonly refused = new Set<number>()
  readonly sent: Aggregate[][] = []
  script: ('well' | 'away' | 'lost' | 'half')[] = []

  constructor(limit = 3) {
    this.limit = limit
  }

  send(items: readonly Aggregate[]): Promise<SinkAnswer> {
    this.sent.push([...items])
    const word = this.script.shift() ?? 'well'
    if (word === 'away') return Promise.resolve({ outcome: 'retry', reason: 'away' })
    const answers = items.map(
      (item, n): ItemAnswer => (word === 'half' && n % 2 === 1 ? { outcome: 'retry', reason: 'half' } : this.#take(item))
    )
    return Promise.resolve(word === 'lost' ? { outcome: 'retry', reason: 'lost' } : { outcome: 'answered', items: answers })
  }

  #take(item: Aggregate): ItemAnswer {
    const held = this.rows.get(keyOf(item))
    if (this.refused.has(item.end)) return { outcome: 'rejected', reason: 'no such parameter' }
    if (held && held.revision > item.revision) return { outcome: 'known', revision: held.revision }
    if (held && held.revision === item.revision)
      return JSON.stringify(held) === JSON.stringify(item)
        ? { outcome: 'known', revision: held.revision }
        : { outcome: 'rejected', reason: 'other figures' }
    this.rows.set(keyOf(item), item)
    return { outcome: 'accepted' }
  }

  digest(query: { period: string; from: number; to: number }) {
    const digests = new WarehouseDigests()
    for (const row of this.rows.values()) if (row.period === query.period && row.end > query.from && row.end <= query.to) digests.add(row)
    return Promise.resolve(digests.list())
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

export function forwardingSuite(bench: Bench): void {
  let state: State
  let far: Far
  let now = NOON
  beforeEach(async () => {
    state = await bench.open(await bench.place())
    far = new Far()
    now = NOON
  })
  afterEach(() => bench.clear())

  const publish = (...results: Published[]) => state.aggregates.publish(results)
  const ours = () => state.aggregates.find({ station: 'AG-017', parameter: 'COD', period: 'hour', ...ALL, limit: 1_000 })
  const theirs = () => [...far.rows.values()].sort((a, b) => a.end - b.end)
  const forwarder = (sink: WarehouseSink = far) =>
    new Forwarder({
      book: state.forwarding.book('far'),
      sink,
      clock: () => now,
      random: () => 0,
      log: SILENT,
      maxPerSecond: 1_000_000,
      daily: { atMinute: 150 }
    })

  /** Lets a forwarder work until both sides agree and nothing waits, or for as long as a test may take. */
  async function settled(running = forwarder()): Promise<void> {
    running.start()
    try {
      for (let tries = 0; tries < 400; tries++) {
        const { fresh, waiting, comparisonsOrdered } = await state.forwarding.status()
        const compared = (await state.forwarding.book('far').lastDaily()) !== null
        if (fresh === 0 && waiting === 0 && comparisonsOrdered === 0 && compared) return
        now += 60_000 // waits of items pass
        await sleep(5)
      }
      throw new Error('did not settle')
    } finally {
      await running.close()
    }
  }

  describe('forwarding', () => {
    it('passes each aggregate on once, in batches, and then what changes', async () => {
      await publish(...[1, 2, 3, 4].map(n => result(n, n)))
      await settled()
      expect(theirs()).toEqual(await ours())
      expect(far.sent.map(batch => batch.length)).toEqual([3, 1])
      await publish(result(2, 20), result(3, 3))
      await settled()
      expect(far.sent.slice(2).map(batch => batch.map(({ mean, revision }) => [mean, revision]))).toEqual([[[20, 2]]])
      expect(theirs()).toEqual(await ours())
    })

    it('sends what an answer left open again, later, and nothing else', async () => {
      far.script = ['half']
      await publish(...[1, 2, 3].map(n => result(n, n)))
      await settled()
      expect(far.sent.map(batch => batch.map(({ mean }) => mean))).toEqual([[1, 2, 3], [2]])
      expect(theirs()).toEqual(await ours())
    })

    it('sends the same again after an answer that was lost, and goes on when the warehouse is back', async () => {
      far.script = ['lost', 'away', 'away']
      await publish(...[1, 2].map(n => result(n, n)))
      await settled()
      expect(far.sent).toHaveLength(4)
      expect(theirs()).toEqual(await ours())
    })

    it('sets aside what is rejected, with the reason, and goes on; redo and a new revision send it again', async () => {
      await publish(...[1, 2, 3].map(n => result(n, n)))
      far.refused.add(windowOf(2).end).add(windowOf(3).end)
      await settled()
      expect(await state.forwarding.status()).toMatchObject({ rejected: 2, waiting: 0 })
      expect(await state.forwarding.rejected(10)).toMatchObject([
        { period: 'hour', end: windowOf(2).end, revision: 1, attempts: 1, reason: 'no such parameter' },
        { end: windowOf(3).end }
      ])
      far.refused.clear()
      await publish(result(3, 30)) // comes by itself
      await settled()
      expect(await state.forwarding.rejected(10)).toMatchObject([{ end: windowOf(2).end }])
      expect(await state.forwarding.redoRejected(ALL, { now, nextRevision: false })).toBe(1)
      await settled()
      expect(await state.forwarding.status()).toMatchObject({ rejected: 0 })
      expect(theirs()).toEqual(await ours())
    })

    it('goes on from a higher revision that the warehouse has', async () => {
      await publish(result(1, 1), result(2, 2))
      const [first] = await ours()
      far.rows.set(keyOf(first as Aggregate), { ...(first as Aggregate), mean: 99, revision: 7 })
      await settled()
      expect((await ours()).map(({ mean, revision }) => [mean, revision])).toEqual([
        [1, 8],
        [2, 1]
      ])
      expect(theirs()).toEqual(await ours())
    })

    it('takes the same revision with other figures for a rejection, until it is sent as the next one', async () => {
      await publish(result(1, 1))
      const [first] = await ours()
      far.rows.set(keyOf(first as Aggregate), { ...(first as Aggregate), mean: 99 })
      await settled()
      expect(await state.forwarding.rejected(10)).toMatchObject([{ reason: 'other figures' }])
      expect(await state.forwarding.redoRejected({ ...ALL, station: 'nobody' }, { now, nextRevision: true })).toBe(0)
      expect(await state.forwarding.redoRejected(ALL, { now, nextRevision: true })).toBe(1)
      await settled()
      expect((await ours()).map(({ mean, revision }) => [mean, revision])).toEqual([[1, 2]])
      expect(theirs()).toEqual(await ours())
    })

    it('redo sends a range again as it stands, by any choice', async () => {
      await publish(...[1, 2, 3, 4].map(n => result(n, n)))
      await settled()
      far.rows.clear()
      const span = { from: windowOf(1).end, to: windowOf(3).end }
      expect(await state.forwarding.redo({ ...span, parameter: 'pH' }, now)).toBe(0)
      expect(await state.forwarding.redo({ ...span, period: 'day' }, now)).toBe(0)
      expect(await state.forwarding.redo({ ...span, station: 'AG-017', parameter: 'COD', period: 'hour' }, now)).toBe(2)
      await settled()
      expect(theirs()).toEqual((await ours()).slice(1, 3))
      expect(await state.forwarding.redo(ALL, now)).toBe(4)
      await settled()
      expect(theirs()).toEqual(await ours())
    })

    it('tells how many readings of a day the warehouse has, but not those of what is open', async () => {
      const series = [{ station: 'AG-017', parameter: 'COD' }]
      const midnight = NOON - 10 * HOUR // NOON is 10:00 in UTC+7
      expect(await state.forwarding.readings(series, midnight)).toBeNull()
      // The hour that ends at midnight belongs to the day before, the one that ends at the next midnight to this day.
      await publish(...[-10, -9, 1, 14, 15].map(n => result(n, n)))
      far.refused.add(windowOf(1).end)
      await settled()
      const { received } = plainAggregate()
      expect(await state.forwarding.readings(series, midnight)).toEqual(new Map([['AG-017', 2 * received]]))
      await publish(result(14, 99))
      expect(await state.forwarding.readings([...series, { station: 'AG-018', parameter: 'COD' }], midnight)).toEqual(
        new Map([['AG-017', received]])
      )
      expect(await state.forwarding.readings([], midnight)).toEqual(new Map())
    })

    it('begins anew with another warehouse', async () => {
      await publish(result(1, 1))
      far.refused.add(windowOf(1).end)
      await settled()
      const other = state.forwarding.book('other')
      expect((await other.next(now, 10)).items.map(({ aggregate }) => aggregate.mean)).toEqual([1])
      expect(await state.forwarding.rejected(10)).toEqual([])
    })

    it('makes what is to be sent safe first', async () => {
      await publish(result(1, 1))
      const book = state.forwarding.book('far')
      const calls: string[] = []
      const sink: WarehouseSink = {
        name: 'far',
        limit: 5,
        send: items => {
          calls.push('send')
          return far.send(items)
        },
        digest: query => far.digest(query),
        close: () => Promise.resolve()
      }
      const secure = book.secure.bind(book)
      book.secure = () => {
        calls.push('secure')
        return secure()
      }
      const running = new Forwarder({
        book,
        sink,
        clock: () => now,
        random: () => 0,
        log: SILENT,
        maxPerSecond: 1e6,
        daily: { atMinute: 0 }
      })
      await settled(running)
      expect(calls).toEqual(['secure', 'send'])
    })
  })

  describe('the comparison', () => {
    it('is made once a day at its time and finds what is missing there, stale there, or there alone', async () => {
      await publish(...[1, 2, 30, 31, 60].map(n => result(n, n)))
      now = windowOf(100).end
      await settled()
      const whole = new Map(far.rows)
      far.rows.delete(keyOf((await ours())[0] as Aggregate))
      const stale = (await ours())[3] as Aggregate
      far.rows.set(keyOf(stale), { ...stale, mean: -1, revision: 0 })
      far.rows.set('alone', { ...stale, station: 'AG-099' })
      await state.forwarding.compare({ from: 0, to: now }, now)
      await settled()
      far.rows.delete('alone')
      expect([...far.rows].sort()).toEqual([...whole].sort())
      const { lastComparison } = await state.forwarding.status()
      expect(lastComparison).toMatchObject({ differing: 3, theirsAlone: 1, resent: 4 })
    })

    it('is ordered daily, also when the time has passed while nothing ran, and only once', async () => {
      const book = state.forwarding.book('far')
      await publish(result(1, 1))
      await settled()
      const first = await book.lastDaily()
      expect(first).not.toBeNull()
      await settled()
      expect(await book.lastDaily()).toBe(first)
      now += 24 * HOUR
      const running = forwarder()
      running.start()
      for (let tries = 0; tries < 400 && (await book.lastDaily()) === first; tries++) await sleep(5)
      await running.close()
      expect(await book.lastDaily()).not.toBe(first)
    })

    it('leaves out a day of which something is on its way, and what is set aside', async () => {
      await publish(...[1, 2, 3].map(n => result(n, n)))
      far.refused.add(windowOf(2).end)
      await settled()
      const book = state.forwarding.book('far')
      const day = { station: 'AG-017', period: 'hour' as const, date: '2026-11-24' }
      const sameDay = (await book.digests({ period: 'hour', ...ALL }))[0]
      expect(await book.resendDay({ ...day, date: sameDay?.date ?? '' }, now)).toBe(2)
      expect(await state.forwarding.rejected(10)).toHaveLength(1)
      await publish(result(3, 33))
      expect(await book.resendDay({ ...day, date: sameDay?.date ?? '' }, now)).toBeNull()
    })
  })

  it('whatever comes between what, the warehouse ends with what we have', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.record({ publish: fc.array(fc.tuple(fc.nat(7), fc.nat(3)), { minLength: 1, maxLength: 5 }) }),
            fc.record({ script: fc.array(fc.constantFrom('well', 'away', 'lost', 'half'), { maxLength: 3 }) }),
            fc.record({ step: fc.constant(true), settle: fc.boolean() }),
            fc.record({ redo: fc.nat(7) })
          ),
          { maxLength: 14 }
        ),
        async events => {
          const place = await bench.place()
          state = await bench.open(place)
          far = new Far(2)
          const book = state.forwarding.book('far')
          for (const event of events) {
            if ('publish' in event) await publish(...new Map(event.publish.map(([n, mean]) => [n, result(n, mean)])).values())
            if ('script' in event) far.script.push(...event.script)
            if ('redo' in event) await state.forwarding.redo({ from: windowOf(event.redo).end, to: windowOf(event.redo + 1).end }, now)
            if ('step' in event) {
              // One batch by hand; where it is not settled, the process ended after the warehouse had answered.
              const batch = await book.next(now, 2)
              const answer = await far.send(batch.items.map(({ aggregate }) => aggregate))
              if (answer.outcome !== 'answered' || !event.settle) continue
              const outcomes = batch.items.map(
                (item, n): ForwardOutcome =>
                  answer.items[n]?.outcome === 'retry'
                    ? { item, outcome: 'retry', reason: 'half', notBefore: now }
                    : { item, outcome: 'done' }
              )
              await book.settle(outcomes, batch.upTo, now)
            }
          }
          await settled()
          expect(theirs()).toEqual(await ours())
        }
      ),
      { numRuns: bench.home.constructor.name === 'FileHome' ? 30 : 8 }
    ))
}
