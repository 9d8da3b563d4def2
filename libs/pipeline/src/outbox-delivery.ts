import type { Millis } from '#libs/model'
import { codeOf, DAY, MINUTE, messageOf, SECOND } from '#libs/model'
import type { Clock, Delivery, Log, Notifier, Outbox, OutboxMessage } from './ports.js'

/** Named instants of a delivery, for the proof that nothing is lost or forgotten there. */
export type DeliveryPoint = 'after-outbox-before-send' | 'after-send-before-mark'

/** An outbox that also says how old a message is, and leaves busy targets out where it tells the next due time. */
export interface DeliveryOutbox extends Outbox {
  due(now: Millis, limit: number, busy: readonly string[]): Promise<(OutboxMessage & { readonly queuedAt: Millis })[]>
  nextDue(busy?: readonly string[]): Promise<Millis | null>
}

/** What became of one attempt; for counters. */
export interface DeliveryEvent {
  readonly channel: string
  readonly outcome: 'delivered' | 'retry' | 'failed'
  readonly millis: number
}

export interface OutboxDeliveryOptions {
  readonly outbox: DeliveryOutbox
  readonly notifiers: readonly Notifier[]
  readonly clock: Clock
  /** 0 <= random() < 1. */
  readonly random: () => number
  readonly log: Log
  readonly fault?: (point: DeliveryPoint) => void
  readonly observe?: (event: DeliveryEvent) => void
  /** Deliveries at once, each to another target. */
  readonly lanes?: number
  readonly timeoutMs?: Millis
}

type Queued = OutboxMessage & { readonly queuedAt: Millis }

const LANES = 16
const TIMEOUT: Millis = 10 * SECOND
const FIRST_WAIT: Millis = SECOND
const LONGEST_WAIT: Millis = 10 * MINUTE
/** Full jitter waits 5 min on average in the end: 24 h come first, so that a server that is down overnight loses nothing. */
export const MAX_ATTEMPTS = 300
const MAX_AGE: Millis = DAY
/** Somebody else may have put a message back (the operator's command line): look again now and then. */
const LOOK_AGAIN: Millis = 30 * SECOND
const STORAGE_WAIT: Millis = SECOND
const STORAGE_LONGEST_WAIT: Millis = MINUTE
const STOPPED = Symbol('stopped')

/**
 * Wait before the next attempt: a random part ("full jitter") of 1 s, 2 s, 4 s … 10 min, so that a receiver that comes
 * back is not met by everybody at once (M. Brooker, "Exponential Backoff And Jitter", 2015).
 */
export function waitBefore(attempt: number, random: () => number): Millis {
  return Math.floor(random() * Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.max(0, attempt - 1)))
}

/**
 * Delivers what waits in the outbox, at least once and each with its key.
 *
 * - One lane per target: its messages leave one after another, in order, and a later one waits until the one before is
 *   delivered or given up. Lanes do not wait for each other; at most `lanes` are at work, each attempt for at most 10 s.
 * - An attempt that failed is tried again after growing waits, or when the receiver says (`notBefore`). After 24 h
 *   (or 300 attempts) it is given up and stays visible as failed. A rejected one is given up at once.
 * - Between attempts one timer sleeps until the next message falls due; `wake()` when something was recorded.
 * - A message that was sent and cannot be marked (disk full) holds its lane until it can: it is not sent over and over.
 */
export class OutboxDelivery {
  readonly #options: OutboxDeliveryOptions
  readonly #notifiers: ReadonlyMap<string, Notifier>
  readonly #busy = new Map<string, { readonly controller: AbortController; readonly done: Promise<void> }>()
  readonly #stop = new AbortController()
  #state: 'idle' | 'running' | 'stopped' = 'idle'
  #timer: NodeJS.Timeout | undefined
  #wanted = false
  #pumping: Promise<void> | null = null
  #troubles = 0

  constructor(options: OutboxDeliveryOptions) {
    this.#options = options
    this.#notifiers = new Map(options.notifiers.map(notifier => [notifier.channel, notifier]))
  }

  start(): void {
    if (this.#state !== 'idle') return
    this.#state = 'running'
    this.wake()
  }

  /** There may be something to send. Cheap; call it as often as you like. */
  wake(): void {
    if (this.#state !== 'running') return
    this.#wanted = true
    this.#pumping ??= this.#pump()
  }

  /**
   * Sends nothing new, gives what is under way `graceMs` to end, then breaks it off: that counts as no attempt, and is sent
   * again, with its key, after the next start. Safe to call twice.
   */
  async stop(graceMs: Millis = 2 * SECOND): Promise<void> {
    this.#state = 'stopped'
    clearTimeout(this.#timer)
    await this.#pumping
    const lanes = [...this.#busy.values()]
    const grace = setTimeout(() => {
      this.#stop.abort(STOPPED)
      for (const { controller } of lanes) controller.abort(STOPPED)
    }, graceMs)
    await Promise.all(lanes.map(({ done }) => done))
    clearTimeout(grace)
  }

  async #pump(): Promise<void> {
    clearTimeout(this.#timer)
    while (this.#wanted && this.#isRunning()) {
      this.#wanted = false
      try {
        await this.#fill()
        this.#sleep(await this.#untilNext())
        this.#troubles = 0
      } catch (error) {
        this.#stumble(error)
      }
    }
    // No await between the loop's last look and this line: a wake-up is never lost.
    this.#pumping = null
  }

  async #fill(): Promise<void> {
    const { outbox, clock, lanes = LANES } = this.#options
    const free = lanes - this.#busy.size
    if (free <= 0) return
    const messages = await outbox.due(clock(), free, [...this.#busy.keys()])
    for (const message of messages) this.#launch(message)
  }

  #launch(message: Queued): void {
    const { target } = message
    if (!this.#isRunning()) return
    const controller = new AbortController()
    const done = this.#deliver(message, controller)
      .catch((error: unknown) => this.#stumble(error))
      .finally(() => {
        this.#busy.delete(target)
        this.wake()
      })
    this.#busy.set(target, { controller, done })
  }

  async #untilNext(): Promise<Millis> {
    const { outbox, clock, lanes = LANES } = this.#options
    if (this.#busy.size >= lanes) return LOOK_AGAIN
    const next = await outbox.nextDue([...this.#busy.keys()])
    return next === null ? LOOK_AGAIN : Math.min(Math.max(next - clock(), 1), LOOK_AGAIN)
  }

  #sleep(millis: Millis): void {
    clearTimeout(this.#timer)
    if (this.#isRunning()) this.#timer = setTimeout(() => this.wake(), millis)
  }

  /** The outbox itself cannot be used: say so once, and look again after growing waits. */
  #stumble(error: unknown): void {
    if (this.#troubles === 0) this.#options.log.error({ code: codeOf(error) }, `the outbox waits and tries again: ${messageOf(error)}`)
    this.#troubles += 1
    this.#sleep(storageWait(this.#troubles))
  }

  async #deliver(message: Queued, controller: AbortController): Promise<void> {
    // Not in the tick that took it: a lane that ends at once must first be known as busy.
    await Promise.resolve()
    const { fault, observe } = this.#options
    fault?.('after-outbox-before-send')
    const started = performance.now()
    const delivery = await this.#attempt(message, controller)
    if (delivery === STOPPED) return
    if (delivery.outcome === 'delivered') fault?.('after-send-before-mark')
    const { outcome, mark } = this.#verdict(message, delivery)
    observe?.({ channel: message.channel, outcome, millis: performance.now() - started })
    await this.#persist(mark)
  }

  async #attempt(message: Queued, controller: AbortController): Promise<Delivery | typeof STOPPED> {
    const notifier = this.#notifiers.get(message.channel)
    if (!notifier) return { outcome: 'rejected', reason: `the server is not set up to send by ${message.channel}` }
    const timeoutMs = this.#options.timeoutMs ?? TIMEOUT
    const timer = setTimeout(() => controller.abort(), timeoutMs)
    const aborted = new Promise<Delivery | typeof STOPPED>(resolve => {
      const end = () => resolve(controller.signal.reason === STOPPED ? STOPPED : timedOut(timeoutMs))
      controller.signal.addEventListener('abort', end, { once: true })
    })
    try {
      return await Promise.race([this.#call(notifier, message, controller.signal), aborted])
    } finally {
      clearTimeout(timer)
    }
  }

  /** A notifier that throws is a fault of ours; the message is none the worse for it. */
  async #call(notifier: Notifier, message: Queued, signal: AbortSignal): Promise<Delivery> {
    try {
      return await notifier.deliver(message, signal)
    } catch (error) {
      const fields = { code: codeOf(error), channel: message.channel, key: message.key }
      if (!signal.aborted) this.#options.log.error(fields, `sending by ${message.channel} failed unexpectedly: ${messageOf(error)}`)
      return { outcome: 'retry', reason: messageOf(error) }
    }
  }

  #verdict(message: Queued, delivery: Delivery): { readonly outcome: DeliveryEvent['outcome']; readonly mark: () => Promise<void> } {
    const { outbox, clock, random } = this.#options
    const { key } = message
    const now = clock()
    if (delivery.outcome === 'delivered') return { outcome: 'delivered', mark: () => outbox.delivered(key, now) }
    const attempts = message.attempts + 1
    const notBefore = Math.max(now + waitBefore(attempts, random), (delivery.outcome === 'retry' && delivery.notBefore) || 0)
    const reason = delivery.outcome === 'rejected' ? delivery.reason : givenUp(attempts, now - message.queuedAt, delivery.reason)
    if (reason === null) return { outcome: 'retry', mark: () => outbox.retry(key, notBefore, delivery.reason) }
    // Neither target nor reason: both may hold what is secret to the receiver. They are in the list of failed messages.
    const fields = { code: 'QT_DELIVERY_FAILED', channel: message.channel, key, attempts, alarm: message.transition.alarm.id }
    this.#options.log.error(fields, `a message by ${message.channel} was given up`)
    return { outcome: 'failed', mark: () => outbox.failed(key, now, reason) }
  }

  /** Writes the mark, however long it takes: without it the message would be sent again. */
  async #persist(mark: () => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await mark()
        return
      } catch (error) {
        const fields = { code: codeOf(error) }
        if (attempt === 1) this.#options.log.error(fields, `a message was sent and cannot be marked: ${messageOf(error)}`)
        if (this.#state === 'stopped' || !(await this.#pause(storageWait(attempt)))) return
      }
    }
  }

  /** False when it was cut short by a stop. */
  #pause(millis: Millis): Promise<boolean> {
    const { signal } = this.#stop
    return new Promise(resolve => {
      const cut = () => resolve(false)
      signal.addEventListener('abort', cut, { once: true })
      setTimeout(() => {
        signal.removeEventListener('abort', cut)
        resolve(true)
      }, millis).unref()
    })
  }

  #isRunning(): boolean {
    return this.#state === 'running'
  }
}

const storageWait = (attempt: number): Millis => Math.min(STORAGE_LONGEST_WAIT, STORAGE_WAIT * 2 ** (attempt - 1))

const timedOut = (millis: Millis): Delivery => ({ outcome: 'retry', reason: `no answer within ${millis / SECOND} s` })

/** The reason with which a message is given up, or null while it is worth another attempt. */
function givenUp(attempts: number, age: Millis, reason: string): string | null {
  if (attempts >= MAX_ATTEMPTS) return `given up after ${attempts} attempts: ${reason}`
  return age >= MAX_AGE ? `given up after ${Math.round(age / (DAY / 24))} h: ${reason}` : null
}
