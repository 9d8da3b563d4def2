import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { State } from '#libs/adapters/state'
import { acknowledge, mergeAlarm } from '#libs/alarms'
import { HOUR, MINUTE, SECOND } from '#libs/model'
import { MAX_ATTEMPTS, OutboxDelivery, type OutboxDeliveryOptions, waitBefore } from './outbox-delivery.js'
import type { Alarm, AlarmTransition, Delivery, Notifier, OutboxMessage } from './ports.js'

const NOON = Date.UTC(2026, 10, 24, 3)
const delivered: Delivery = { outcome: 'delivered' }
const retry: Delivery = { outcome: 'retry', reason: 'HTTP 503' }

let dir: string
let state: State
let now: number
let logged: { code?: string; message: string }[]
const running: OutboxDelivery[] = []

beforeEach(async () => {
  now = NOON
  logged = []
  dir = await mkdtemp(join(tmpdir(), 'quantrac-outbox-'))
  state = await State.open({ dataDir: dir, life: { mergeAlarm, acknowledge }, clock: () => now })
})
afterEach(async () => {
  for (const delivery of running.splice(0)) await delivery.stop(0)
  await state.close()
  await rm(dir, { recursive: true, force: true })
})

/** The outside world: answers as told, remembers what was sent. */
class Receiver implements Notifier {
  readonly channel = 'mqtt'
  readonly sent: string[] = []
  readonly keys: string[] = []
  readonly signals: AbortSignal[] = []
  atOnce = 0
  most = 0
  answer: (message: OutboxMessage, signal: AbortSignal) => Promise<Delivery> | Delivery = () => delivered

  async deliver(message: OutboxMessage, signal: AbortSignal): Promise<Delivery> {
    this.sent.push(message.transition.alarm.id)
    this.keys.push(message.key)
    this.signals.push(signal)
    this.most = Math.max(this.most, ++this.atOnce)
    try {
      return await this.answer(message, signal)
    } finally {
      this.atOnce -= 1
    }
  }
}

function deliver(receiver: Notifier, more: Partial<OutboxDeliveryOptions> = {}): OutboxDelivery {
  const note = (fields: object, message: string) => void logged.push({ ...fields, message })
  const log = { info: note, warn: note, error: note }
  const delivery = new OutboxDelivery({ outbox: state.outbox, notifiers: [receiver], clock: () => now, random: () => 0.5, log, ...more })
  running.push(delivery)
  delivery.start()
  return delivery
}

const hang = () => new Promise<Delivery>(() => undefined)

/** Waits until something is so; the test's own time limit is the bound. */
async function until(so: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await so())) await new Promise(resolve => setTimeout(resolve, 2))
}

/** Lets everything that can happen at this instant happen. */
const quiet = () => new Promise(resolve => setTimeout(resolve, 40))

async function record(...entries: (readonly [id: string, station: string])[]): Promise<void> {
  const transitions = entries.map(([id, station]): AlarmTransition => {
    const alarm = { id, kind: 'silence', station, severity: 'not-evaluated', state: 'unacknowledged-active', raisedAt: NOON } as Alarm
    return { id: `${id}.raised`, kind: 'raised', at: NOON, alarm }
  })
  await state.alarmLog.record(transitions, 0)
}

const pending = async () => (await state.outbox.stats()).pending
const failures = async () => (await state.outbox.failedMessages({ limit: 100 })).items

describe('delivering', () => {
  it('sends what waits, in order within a target, and marks it', async () => {
    await record(['a1', 'AG-A'], ['b1', 'AG-B'], ['a2', 'AG-A'], ['a3', 'AG-A'])
    const receiver = new Receiver()
    deliver(receiver)
    await until(async () => (await pending()) === 0)
    expect(receiver.sent.filter(id => id.startsWith('a'))).toEqual(['a1', 'a2', 'a3'])
    expect([...receiver.sent].sort()).toEqual(['a1', 'a2', 'a3', 'b1'])
  })

  it('is woken by what is recorded later, any number of times', async () => {
    const receiver = new Receiver()
    const delivery = deliver(receiver)
    for (let index = 0; index < 5; index += 1) {
      await record([`a${index}`, 'AG-A'])
      for (let times = 0; times < 10; times += 1) delivery.wake()
      await until(() => receiver.sent.length === index + 1)
    }
    await until(async () => (await pending()) === 0)
    expect(receiver.sent).toEqual(['a0', 'a1', 'a2', 'a3', 'a4'])
  })

  it('has one message at a time under way to a target, and no more targets at once than it has lanes', async () => {
    await record(...Array.from({ length: 40 }, (_, index) => [`m${index}`, `AG-${index % 10}`] as const))
    const receiver = new Receiver()
    const under = new Set<string>()
    receiver.answer = async ({ target }) => {
      expect(under.has(target)).toBe(false)
      under.add(target)
      await new Promise(resolve => setTimeout(resolve, 1))
      under.delete(target)
      return delivered
    }
    deliver(receiver, { lanes: 4 })
    await until(async () => (await pending()) === 0)
    expect(receiver.most).toBe(4)
    expect(receiver.sent).toHaveLength(40)
  })

  it('lets a receiver that hangs delay nobody else, and takes it up again later', async () => {
    await record(['hangs', 'AG-A'], ['after', 'AG-A'], ...Array.from({ length: 10 }, (_, index) => [`b${index}`, 'AG-B'] as const))
    const receiver = new Receiver()
    let isDown = true
    receiver.answer = ({ transition }) => (isDown && transition.alarm.station === 'AG-A' ? hang() : delivered)
    const delivery = deliver(receiver, { timeoutMs: 30 })
    await until(() => receiver.sent.filter(id => id.startsWith('b')).length === 10)
    await until(async () => (await pending()) === 2 && receiver.signals[receiver.sent.indexOf('hangs')]!.aborted)
    await quiet()
    expect(receiver.sent).not.toContain('after')
    isDown = false
    now += HOUR
    delivery.wake()
    await until(async () => (await pending()) === 0)
    expect(receiver.sent.filter(id => !id.startsWith('b'))).toEqual(['hangs', 'hangs', 'after'])
  })

  it('sleeps while a receiver hangs and nothing is due: it does not poll', async () => {
    await record(['hangs', 'AG-A'], ['after', 'AG-A'])
    const receiver = new Receiver()
    receiver.answer = () => hang()
    let looks = 0
    const outbox = Object.create(state.outbox) as typeof state.outbox
    outbox.due = (...asked) => {
      looks += 1
      return state.outbox.due(...asked)
    }
    outbox.nextDue = busy => state.outbox.nextDue(busy)
    deliver(receiver, { outbox })
    await until(() => receiver.sent.length === 1)
    await quiet()
    expect(looks).toBe(1)
  })

  it('tells a message’s time-out from its content: the reason says so', async () => {
    await record(['a', 'AG-A'])
    const receiver = new Receiver()
    receiver.answer = () => hang()
    deliver(receiver, { timeoutMs: 10, random: () => 0 })
    await until(async () => (await failures()).length === 1)
    expect((await failures())[0]).toMatchObject({
      attempts: MAX_ATTEMPTS,
      reason: `given up after ${MAX_ATTEMPTS} attempts: no answer within 0.01 s`
    })
  })
})

describe('trying again', () => {
  it('waits 1 s, 2 s, 4 s … at most 10 min, times a random part', () => {
    const ceilings = Array.from({ length: 15 }, (_, index) => waitBefore(index + 1, () => 0.999_999_9))
    expect(ceilings.slice(0, 4)).toEqual([999, 1_999, 3_999, 7_999])
    expect(ceilings.slice(10)).toEqual(Array(5).fill(10 * MINUTE - 1))
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), fc.double({ min: 0, max: 0.999_999, noNaN: true }), (attempt, part) => {
        const wait = waitBefore(attempt, () => part)
        expect(wait).toBeGreaterThanOrEqual(0)
        expect(wait).toBeLessThan(Math.min(10 * MINUTE, SECOND * 2 ** (attempt - 1)) || 1)
        expect(Number.isInteger(wait)).toBe(true)
      })
    )
  })

  it('does so when the wait is over and not before, with the same key', async () => {
    await record(['a', 'AG-A'])
    const receiver = new Receiver()
    receiver.answer = () => (receiver.sent.length < 3 ? retry : delivered)
    const delivery = deliver(receiver)
    await until(async () => (await state.outbox.nextDue()) === NOON + 500)
    now = NOON + 499
    delivery.wake()
    await quiet()
    expect(receiver.sent).toHaveLength(1)
    now = NOON + 500
    delivery.wake()
    await until(async () => (await state.outbox.nextDue()) === NOON + 500 + 1_000)
    now += 1_000
    delivery.wake()
    await until(async () => (await pending()) === 0)
    expect(new Set(receiver.keys).size).toBe(1)
    expect(receiver.keys).toHaveLength(3)
  })

  it('wakes by its own timer when the next one falls due', async () => {
    now = Date.now() // the real clock: what was queued at another time may be given up already
    await record(['a', 'AG-A'])
    const receiver = new Receiver()
    receiver.answer = () => (receiver.sent.length < 2 ? retry : delivered)
    deliver(receiver, { clock: Date.now, random: () => 0.05 }) // 50 ms
    await until(async () => (await pending()) === 0)
    expect(receiver.sent).toHaveLength(2)
  })

  it('wakes by its own timer also while another receiver hangs', async () => {
    now = Date.now()
    await record(['hangs', 'AG-A'], ['b', 'AG-B'])
    const receiver = new Receiver()
    receiver.answer = ({ transition }) => {
      if (transition.alarm.station === 'AG-A') return hang()
      return receiver.sent.filter(id => id === 'b').length < 2 ? retry : delivered
    }
    deliver(receiver, { clock: Date.now, random: () => 0.05, timeoutMs: MINUTE })
    await until(async () => (await pending()) === 1)
    expect(receiver.sent).toEqual(['hangs', 'b', 'b'])
  })

  it('waits as long as the receiver asks', async () => {
    await record(['a', 'AG-A'])
    const receiver = new Receiver()
    receiver.answer = () => ({ outcome: 'retry', reason: 'HTTP 429', notBefore: NOON + 90 * SECOND })
    deliver(receiver)
    await until(async () => (await state.outbox.nextDue()) === NOON + 90 * SECOND)
  })

  it('gives up after 20 attempts, visibly, and lets the next message through', async () => {
    await record(['bad', 'AG-A'], ['good', 'AG-A'])
    const receiver = new Receiver()
    receiver.answer = ({ transition }) => (transition.alarm.id === 'bad' ? retry : delivered)
    deliver(receiver, { random: () => 0 })
    await until(async () => (await pending()) === 0)
    expect(receiver.sent).toEqual([...Array.from({ length: MAX_ATTEMPTS }, () => 'bad'), 'good'])
    expect(await failures()).toMatchObject([{ attempts: MAX_ATTEMPTS, reason: `given up after ${MAX_ATTEMPTS} attempts: HTTP 503` }])
    expect(logged).toMatchObject([{ code: 'QT_DELIVERY_FAILED', alarm: 'bad', channel: 'mqtt' }])
  })

  it('gives up after 24 h', async () => {
    await record(['a', 'AG-A'])
    const receiver = new Receiver()
    receiver.answer = () => retry
    const delivery = deliver(receiver)
    await until(async () => (await state.outbox.nextDue()) !== NOON)
    now = NOON + 24 * HOUR
    delivery.wake()
    await until(async () => (await failures()).length === 1)
    expect((await failures())[0]).toMatchObject({ attempts: 2, reason: 'given up after 24 h: HTTP 503' })
  })

  it('gives up at once what is rejected, and what no channel can send', async () => {
    await state.recipients.add({ channel: 'email', target: 'a@b.vn', language: null, minimumSeverity: 'exceeds', stations: null })
    await record(['a', 'AG-A'])
    const receiver = new Receiver()
    receiver.answer = () => ({ outcome: 'rejected', reason: 'HTTP 410' })
    deliver(receiver)
    await until(async () => (await pending()) === 0)
    const reasons = (await failures()).map(({ channel, reason }) => `${channel}: ${reason}`)
    expect(reasons.sort()).toEqual(['email: the server is not set up to send by email', 'mqtt: HTTP 410'])
    expect(JSON.stringify(logged)).not.toContain('a@b.vn')
  })

  it('takes an error that a channel throws for a failed attempt, and says so', async () => {
    await record(['a', 'AG-A'])
    const receiver = new Receiver()
    receiver.answer = () => (receiver.sent.length === 1 ? Promise.reject(new Error('a fault of ours')) : delivered)
    deliver(receiver, { random: () => 0 })
    await until(async () => (await pending()) === 0)
    expect(receiver.sent).toHaveLength(2)
    expect(logged).toMatchObject([{ code: 'QT_UNEXPECTED', message: expect.stringContaining('a fault of ours') }])
  })
})

describe('what goes wrong on our side', () => {
  it('marks what was sent as soon as storage works again, and does not send it twice', async () => {
    await record(['a', 'AG-A'], ['b', 'AG-B'])
    const receiver = new Receiver()
    let failing = 2
    const outbox = Object.create(state.outbox) as typeof state.outbox
    outbox.delivered = (key, at) => (failing-- > 0 ? Promise.reject(new Error('disk full')) : state.outbox.delivered(key, at))
    outbox.due = (...asked) => state.outbox.due(...asked)
    outbox.nextDue = busy => state.outbox.nextDue(busy)
    deliver(receiver, { outbox })
    await until(async () => (await pending()) === 0)
    expect([...receiver.sent].sort()).toEqual(['a', 'b'])
    expect(logged.filter(({ message }) => message.includes('disk full'))).toHaveLength(2)
  })

  it('looks again when the outbox cannot be read', async () => {
    await record(['a', 'AG-A'])
    const receiver = new Receiver()
    let failing = 1
    const outbox = Object.create(state.outbox) as typeof state.outbox
    outbox.due = (...asked) => (failing-- > 0 ? Promise.reject(new Error('locked')) : state.outbox.due(...asked))
    outbox.nextDue = busy => state.outbox.nextDue(busy)
    outbox.delivered = (key, at) => state.outbox.delivered(key, at)
    deliver(receiver, { outbox })
    await until(async () => (await pending()) === 0)
    expect(logged.filter(({ message }) => message.includes('locked'))).toHaveLength(1)
  })
})

describe('stopping', () => {
  it('breaks off what hangs: no attempt is counted, and the next start sends it again with its key', async () => {
    await record(['a', 'AG-A'], ['b', 'AG-A'])
    const receiver = new Receiver()
    receiver.answer = () => hang()
    const first = deliver(receiver)
    await until(() => receiver.sent.length === 1)
    await first.stop(0)
    await first.stop(0)
    expect(receiver.signals[0]!.aborted).toBe(true)
    first.wake()
    expect(await state.outbox.due(now, 1, [])).toMatchObject([{ attempts: 0 }])
    receiver.answer = () => delivered
    deliver(receiver)
    await until(async () => (await pending()) === 0)
    expect(receiver.sent).toEqual(['a', 'a', 'b'])
    expect(receiver.keys[1]).toBe(receiver.keys[0])
  })

  it('lets what is nearly done end, and takes nothing new', async () => {
    await record(['a', 'AG-A'], ['b', 'AG-A'])
    const receiver = new Receiver()
    let answer = (): void => {}
    receiver.answer = () => new Promise(resolve => (answer = () => resolve(delivered)))
    const delivery = deliver(receiver)
    await until(() => receiver.sent.length === 1)
    const stopped = delivery.stop(MINUTE)
    answer()
    await stopped
    expect(await pending()).toBe(1)
    expect(receiver.sent).toEqual(['a'])
  })

  it('passes by the named points in order', async () => {
    await record(['a', 'AG-A'])
    const receiver = new Receiver()
    const points: string[] = []
    receiver.answer = () => {
      points.push('sent')
      return receiver.sent.length === 1 ? retry : delivered
    }
    const outcomes: string[] = []
    deliver(receiver, { random: () => 0, fault: point => points.push(point), observe: ({ outcome }) => outcomes.push(outcome) })
    await until(async () => (await pending()) === 0)
    expect(points).toEqual(['after-outbox-before-send', 'sent', 'after-outbox-before-send', 'sent', 'after-send-before-mark'])
    expect(outcomes).toEqual(['retry', 'delivered'])
  })
})

describe('whatever the receivers do', () => {
  it('delivers each message once it is let through, in order within its target', async () => {
    let run = 0
    const lanes = fc.array(fc.nat(3), { minLength: 1, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(lanes, fc.array(fc.boolean(), { maxLength: 12 }), async (stations, answers) => {
        run += 1
        const entries = stations.map((station, index) => [`r${run}-${index}`, `AG-${station}`] as const)
        const receiver = new Receiver()
        const done: string[] = []
        receiver.answer = ({ transition }) => {
          if (answers.shift() === false) return retry
          done.push(transition.alarm.id)
          return delivered
        }
        await record(...entries)
        const delivery = deliver(receiver, { random: () => 0, lanes: 2 })
        await until(async () => (await pending()) === 0)
        await delivery.stop()
        for (const lane of [0, 1, 2, 3]) {
          const expected: string[] = entries.filter((_, index) => stations[index] === lane).map(([id]) => id)
          expect(done.filter(id => expected.includes(id))).toEqual(expected)
        }
      }),
      { numRuns: 20 }
    )
  })
})
