import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type Entry, OutboundQueue } from './outbound-queue.js'
import type { StoredPublish } from './packets.js'

const packet = (brokerCounter: number): StoredPublish => ({
  cmd: 'publish',
  brokerId: 'run',
  brokerCounter,
  topic: 't',
  payload: Buffer.from(String(brokerCounter)),
  qos: 1,
  retain: false,
  dup: false,
  messageId: undefined
})
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

function openQueue(count: number, window = 100): { queue: OutboundQueue; entries: Entry[]; tally: { messages: number; bytes: number } } {
  const tally = { messages: 0, bytes: 0 }
  const queue = new OutboundQueue(window, tally)
  return { queue, entries: Array.from({ length: count }, (_, n) => queue.add(n + 1, packet(n + 1))), tally }
}

describe('the outbound queue', () => {
  it('declines a live delivery while the queue is drained, and of what has been drained; later ones wait for those drained', async () => {
    const { queue, entries } = openQueue(2)
    const drain = queue.drain()
    drain.next()
    expect(queue.turn(entries[1] as Entry, true)).toBeNull()
    drain.next()
    expect(drain.next().done).toBe(true)
    expect(queue.turn(queue.add(3, packet(3)), true)).not.toBeNull()
    await queue.turn(entries[0] as Entry, false)
    expect(queue.turn(entries[0] as Entry, true)).toBeNull()
  })

  it('drains what is added while it is drained, and nothing more for a connection that is gone', () => {
    const { queue } = openQueue(1)
    const drain = queue.drain()
    drain.next()
    queue.add(2, packet(2))
    expect(drain.next().value).toMatchObject({ brokerCounter: 2 })
    queue.add(3, packet(3))
    queue.reset()
    expect(drain.next().done).toBe(true)
  })

  it('sends in order, each once, never more than a window unacknowledged, whatever comes when', async () => {
    const action = fc.constantFrom('publish', 'acknowledge', 'drain')
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 40 }), fc.integer({ min: 1, max: 4 }), async (actions, window) => {
        const { queue } = openQueue(3, window)
        const sent: number[] = []
        const open: Entry[] = []
        let next = 4
        const drain = queue.drain()
        const give = (entry: Entry, live: boolean): void => {
          void queue.turn(entry, live)?.then(() => {
            sent.push(entry.seq)
            open.push(entry)
          })
        }
        let drained = false as boolean
        let offered = undefined as Entry | undefined
        const step = (): void => {
          if (offered && !sent.includes(offered.seq)) return // as Aedes does: the next one when this one is out
          const drawn = drain.next()
          drained ||= drawn.done === true
          offered = drawn.done ? undefined : queue.find(drawn.value as StoredPublish)
          if (offered) give(offered, false)
        }
        for (const each of [...actions, ...Array.from({ length: 120 }, (_, n) => (n % 2 ? 'acknowledge' : 'drain'))]) {
          if (each === 'publish') {
            const entry = queue.add(next, packet(next++))
            if (drained || next % 3)
              give(entry, true) // sometimes the drain is faster than the live delivery
            else setImmediate(() => give(entry, true))
          } else if (each === 'acknowledge') {
            const entry = open.shift()
            if (entry) queue.remove(entry)
          } else if (!drained) step()
          await turn()
          expect(open.length).toBeLessThanOrEqual(window)
        }
        expect(sent).toEqual(Array.from({ length: next - 1 }, (_, n) => n + 1))
        expect(queue.size).toBe(0)
      }),
      { numRuns: 50 }
    )
  })

  it('gives no identifier to two messages, also when the numbers begin again', () => {
    const { queue, entries } = openQueue(4)
    const [first, second, third, fourth] = entries as [Entry, Entry, Entry, Entry]
    expect([queue.identify(first, 65_535), queue.identify(second, 65_535), queue.identify(third, 1), queue.identify(fourth, 7)]).toEqual([
      65_535, 1, 2, 7
    ])
    expect(queue.findByMessageId(1)).toBe(second)
    expect(queue.freeMessageId()).toBe(8)
    queue.remove(second)
    expect(queue.findByMessageId(1)).toBeUndefined()
  })

  it('counts itself into the sum of all queues and out again', () => {
    const { queue, entries, tally } = openQueue(3)
    expect(tally).toEqual({ messages: 3, bytes: queue.bytes })
    queue.remove(entries[1] as Entry)
    queue.remove(entries[1] as Entry)
    expect(tally).toEqual({ messages: 2, bytes: queue.bytes })
    queue.clear()
    expect(tally).toEqual({ messages: 0, bytes: 0 })
  })
})
