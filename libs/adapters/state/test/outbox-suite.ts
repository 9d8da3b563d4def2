import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { DAY, HOUR } from '#libs/model'
import type { QueuedMessage } from '../src/outbox.js'
import type { State, StatePlace } from '../src/state.js'
import { type Bench, NOON, raised } from './fixtures.js'

export function outboxSuite(bench: Bench): void {
  let place: StatePlace
  let state: State
  beforeEach(async () => {
    place = await bench.place()
    state = await bench.open(place)
  })
  afterEach(() => bench.clear())

  const record = (id: string, station: string) => state.alarmLog.record([raised(id, { station })], 0)
  const due = (busy: readonly string[] = [], limit = 100) => state.outbox.due(bench.now, limit, busy)
  const ids = (messages: readonly QueuedMessage[]) => messages.map(({ transition }) => transition.alarm.id)
  const rows = async () => (await bench.home.query(place, 'select state from outbox order by state')).map(row => row['state'])
  const topic = (station: string) => `quantrac/v1/alarms/${station}`

  describe('the outbox', () => {
    it('gives the head of each target, oldest first, and leaves busy targets out', async () => {
      await record('a1', 'AG-A')
      bench.now += 1
      await record('b1', 'AG-B')
      await record('a2', 'AG-A')
      await record('c1', 'AG-C')
      expect(ids(await due())).toEqual(['a1', 'b1', 'c1'])
      expect(ids(await due([], 2))).toEqual(['a1', 'b1'])
      expect(ids(await due([topic('AG-A'), topic('AG-C')]))).toEqual(['b1'])
      const [first] = await due()
      expect(first).toMatchObject({
        channel: 'mqtt',
        target: topic('AG-A'),
        attempts: 0,
        queuedAt: NOON,
        transition: raised('a1', { station: 'AG-A' })
      })
    })

    it('lets nothing overtake a head that waits, and moves on when it failed for good', async () => {
      await record('a1', 'AG-A')
      await record('a2', 'AG-A')
      const [head] = await due()
      await state.outbox.retry(head!.key, NOON + 1_000, 'HTTP 503')
      expect(await due()).toEqual([])
      expect(await state.outbox.nextDue()).toBe(NOON + 1_000)
      bench.now = NOON + 1_000
      expect(await due()).toMatchObject([{ key: head!.key, attempts: 1 }])
      await state.outbox.failed(head!.key, bench.now, 'HTTP 400')
      expect(ids(await due())).toEqual(['a2'])
    })

    it('tells the next due time of the targets that are free', async () => {
      expect(await state.outbox.nextDue()).toBeNull()
      await record('a1', 'AG-A')
      await record('b1', 'AG-B')
      const [, b1] = await due()
      await state.outbox.retry(b1!.key, NOON + 500, 'later')
      expect(await state.outbox.nextDue()).toBe(NOON)
      expect(await state.outbox.nextDue([topic('AG-A')])).toBe(NOON + 500)
      expect(await state.outbox.nextDue([topic('AG-A'), topic('AG-B')])).toBeNull()
    })

    it('makes the same key of the same transition, channel and target', async () => {
      await record('a1', 'AG-A')
      const [one] = await due()
      const other = await bench.open(await bench.place())
      await other.alarmLog.record([raised('a1', { station: 'AG-A' }), raised('a2', { station: 'AG-A' })], 0)
      const [two] = await other.outbox.due(NOON, 9, [])
      expect(one!.key).toMatch(/^[0-9a-f]{40}$/)
      expect(two!.key).toBe(one!.key)
    })

    it('counts what waits and what was given up', async () => {
      expect(await state.outbox.stats()).toEqual({ pending: 0, failed: 0, oldestPendingAge: 0 })
      await record('a1', 'AG-A')
      await record('b1', 'AG-B')
      await record('c1', 'AG-C')
      const [a1, b1] = await due()
      await state.outbox.delivered(a1!.key, NOON)
      await state.outbox.failed(b1!.key, NOON, 'HTTP 410')
      expect(await state.outbox.stats(NOON + HOUR)).toEqual({ pending: 1, failed: 1, oldestPendingAge: HOUR })
    })

    it('shows what was given up, newest first, and tries it anew when asked', async () => {
      for (let index = 0; index < 5; index += 1) await record(`x${index}`, 'AG-A')
      for (let index = 0; index < 5; index += 1) {
        bench.now += 1
        const [message] = await due()
        await state.outbox.retry(message!.key, bench.now, 'HTTP 500')
        await state.outbox.failed(message!.key, bench.now, `reason ${index}`)
      }
      const page = await state.outbox.failedMessages({ limit: 3 })
      const rest = await state.outbox.failedMessages({ limit: 3, after: page.next! })
      expect([...page.items, ...rest.items].map(({ reason }) => reason)).toEqual([4, 3, 2, 1, 0].map(index => `reason ${index}`))
      expect(rest.next).toBeNull()
      const [last] = rest.items.slice(-1)
      expect(last).toMatchObject({ channel: 'mqtt', target: topic('AG-A'), attempts: 2, queuedAt: NOON, failedAt: NOON + 1 })
      expect(await state.outbox.redo(last!.key)).toBe(true)
      expect(await state.outbox.redo(last!.key)).toBe(false)
      expect(await state.outbox.redo('no such key')).toBe(false)
      expect(await due()).toMatchObject([{ key: last!.key, attempts: 0, queuedAt: bench.now }])
    })

    it('marks a message once: a late second mark changes nothing', async () => {
      await record('a1', 'AG-A')
      const [message] = await due()
      await state.outbox.delivered(message!.key, NOON)
      await state.outbox.retry(message!.key, NOON, 'late')
      await state.outbox.failed(message!.key, NOON, 'late')
      expect(await state.outbox.stats()).toEqual({ pending: 0, failed: 0, oldestPendingAge: 0 })
    })

    it('forgets what was delivered a week ago, not what waits', async () => {
      await record('a1', 'AG-A')
      await record('b1', 'AG-B')
      await record('c1', 'AG-C')
      const [a1, b1] = await due()
      await state.outbox.delivered(a1!.key, NOON)
      await state.outbox.failed(b1!.key, NOON, 'HTTP 410')
      bench.now = NOON + 7 * DAY + 1
      await state.alarmLog.record([], 1)
      expect(await rows()).toEqual(['failed', 'pending'])
      bench.now = NOON + 90 * DAY + 1
      await state.alarmLog.record([], 3)
      expect(await rows()).toEqual(['pending'])
    })

    it('keeps each target’s order through any mix of outcomes, and loses nothing', async () => {
      const action = fc.record({ lane: fc.nat(2), outcome: fc.constantFrom('delivered', 'retry', 'failed') })
      let run = 0
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat(2), { maxLength: 9 }), fc.array(action, { maxLength: 20 }), async (recorded, actions) => {
          run += 1
          const stations = [0, 1, 2].map(lane => `AG-${run}-${lane}`)
          for (const [index, lane] of recorded.entries()) await record(`r${run}-${index}`, stations[lane]!)
          const waiting = stations.map((_, lane) => recorded.flatMap((of, index) => (of === lane ? [`r${run}-${index}`] : [])))
          for (const { lane, outcome } of actions) {
            const message = (await due()).find(({ target }) => target === topic(stations[lane]!))
            expect(message?.transition.alarm.id).toBe(waiting[lane]![0])
            if (!message) continue
            if (outcome === 'retry') await state.outbox.retry(message.key, bench.now, 'again')
            else await state.outbox[outcome](message.key, bench.now, 'done')
            if (outcome !== 'retry') waiting[lane]!.shift()
          }
          expect((await state.outbox.stats()).pending).toBe(waiting.flat().length)
          for (const lane of waiting) for (const _ of lane) await state.outbox.delivered((await due())[0]!.key, bench.now)
        }),
        { numRuns: 25 }
      )
    })
  })
}
