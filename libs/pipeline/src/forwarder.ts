import { setTimeout as sleep } from 'node:timers/promises'
import type { Millis } from '#libs/model'
import { codeOf, formatInstant, MINUTE, messageOf, SECOND } from '#libs/model'
import type { DailyTime } from './forward-comparison.js'
import { compareSides, dueDaily } from './forward-comparison.js'
import type { ForwardBatch, ForwardBook, ForwardItem, ForwardOutcome } from './forward-ports.js'
import { waitBefore } from './outbox-delivery.js'
import type { Clock, Log } from './ports.js'
import type { ItemAnswer, WarehouseSink } from './warehouse.js'

export interface ForwarderOptions {
  readonly book: ForwardBook
  readonly sink: WarehouseSink
  readonly clock: Clock
  /** 0 <= random() < 1. */
  readonly random: () => number
  readonly log: Log
  /** Items a second at most. */
  readonly maxPerSecond: number
  /** When both sides are compared, and over which time. */
  readonly daily: DailyTime
}

/** Since the start; for the figures in /metrics. */
export interface ForwardReport {
  readonly accepted: number
  readonly known: number
  readonly rejected: number
  readonly retried: number
  /** Why nothing can be sent now; null while the warehouse answers. */
  readonly trouble: string | null
}

type Counts = { -readonly [K in keyof ForwardReport]: ForwardReport[K] }

/** Publications come in bursts after each hour; a look costs one question of an index. */
const LOOK_AGAIN: Millis = SECOND
/** A warehouse that comes back is found within this time. */
const LONGEST_WAIT: Millis = 10 * SECOND
/** An item that is left open again and again must not hold the others up. */
const LONGEST_ITEM_WAIT: Millis = 10 * MINUTE
const COMPARE_AGAIN: Millis = 10 * MINUTE

/**
 * Passes aggregates on to the warehouse until it has the newest revision of each.
 *
 * - Batches leave one after another. Nothing is lost by ending at any instant: what was not settled is sent again, and the
 *   warehouse then says that it has it.
 * - Only the newest revision of an aggregate waits, in the table of aggregates itself: memory and disk stay as they are however
 *   long the warehouse is away.
 * - Trouble with the whole warehouse moves nothing and is tried again after growing waits. Trouble with one item is that item's own.
 * - A warehouse that has a higher revision than we (we were restored from an older copy) is overtaken: ours goes on from there.
 */
export class Forwarder {
  readonly #options: ForwarderOptions
  readonly #counts: Counts = { accepted: 0, known: 0, rejected: 0, retried: 0, trouble: null }
  readonly #stop = new AbortController()
  #running: Promise<void> | null = null
  #failures = 0
  #compareNotBefore: Millis = 0

  constructor(options: ForwarderOptions) {
    this.#options = options
  }

  start(): void {
    this.#running ??= this.#run()
  }

  get report(): ForwardReport {
    return { ...this.#counts }
  }

  /** Breaks off what is under way: it is sent again after the next start. Safe to call twice. */
  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
    await this.#options.sink.close()
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#pause(await this.#step())
      } catch (error) {
        this.#stumble(codeOf(error), messageOf(error))
        await this.#pause(this.#failureWait())
      }
    }
  }

  /** One batch or one comparison; gives how long to wait before the next. */
  async #step(): Promise<Millis> {
    const { book, sink, clock } = this.#options
    const batch = await book.next(clock(), sink.limit)
    if (batch.items.length > 0) return this.#pass(batch)
    if (await this.#compare()) return 0
    const due = await book.nextDue()
    return due === null ? LOOK_AGAIN : Math.min(LOOK_AGAIN, Math.max(due - clock(), 1))
  }

  async #pass({ items, upTo }: ForwardBatch): Promise<Millis> {
    const { book, sink, clock, maxPerSecond } = this.#options
    await book.secure()
    const began = performance.now()
    const aggregates = items.map(({ aggregate }) => aggregate)
    const answer = await sink.send(aggregates, this.#stop.signal)
    if (this.#stop.signal.aborted && answer.outcome === 'retry') return 0
    const reason = answer.outcome === 'retry' ? answer.reason : openAll(answer.items)
    if (reason !== null) {
      this.#stumble('QT_WAREHOUSE_AWAY', reason)
      return Math.max(this.#failureWait(), (answer.notBefore ?? 0) - clock())
    }
    if (answer.outcome === 'answered') await book.settle(this.#outcomes(items, answer.items), upTo, clock())
    this.#recover()
    const spent = performance.now() - began
    return Math.max((items.length / maxPerSecond) * SECOND - spent, (answer.notBefore ?? 0) - clock(), 0)
  }

  #outcomes(items: readonly ForwardItem[], answers: readonly ItemAnswer[]): ForwardOutcome[] {
    return items.map((item, n) => this.#outcome(item, answers[n] ?? { outcome: 'retry', reason: 'left out of the answer' }))
  }

  #outcome(item: ForwardItem, answer: ItemAnswer): ForwardOutcome {
    const { clock, random, log } = this.#options
    switch (answer.outcome) {
      case 'accepted':
        this.#counts.accepted++
        return { item, outcome: 'done' }
      case 'known':
        this.#counts.known++
        return answer.revision > item.aggregate.revision
          ? { item, outcome: 'behind', revision: answer.revision }
          : { item, outcome: 'done' }
      case 'rejected': {
        this.#counts.rejected++
        const { station, parameter, period, end, revision } = item.aggregate
        const fields = { code: 'QT_WAREHOUSE_REJECTED', station, parameter, period, end: formatInstant(end), revision }
        log.warn(fields, `the warehouse does not take an aggregate: ${answer.reason}`)
        return { item, outcome: 'rejected', reason: answer.reason }
      }
      case 'retry': {
        this.#counts.retried++
        const wait = Math.min(LONGEST_ITEM_WAIT, Math.max(SECOND, waitBefore(item.attempts + 1, random)))
        return { item, outcome: 'retry', reason: answer.reason, notBefore: clock() + wait }
      }
    }
  }

  /** True when both sides were compared: there may be something to send then. */
  async #compare(): Promise<boolean> {
    const { book, sink, clock, daily, log } = this.#options
    if (clock() < this.#compareNotBefore) return false
    const order = (await book.nextComparison()) ?? (await dueDaily(book, daily, clock()))
    if (!order) return false
    const result = await compareSides(order, { book, sink, clock, signal: this.#stop.signal }).catch((error: unknown) => {
      // Items go on meanwhile: a warehouse need not answer both.
      if (codeOf(error) !== 'QT_WAREHOUSE_DIGEST') throw error
      if (!this.#stop.signal.aborted) log.warn({ code: 'QT_WAREHOUSE_DIGEST' }, messageOf(error))
      return null
    })
    this.#compareNotBefore = result === null ? clock() + COMPARE_AGAIN : 0
    if (result === null) return false
    await book.compared(order, clock(), result)
    const { days, differing, resent, theirsAlone } = result
    const said = `compared with the warehouse: ${days} station days, ${differing} differ, ${resent} aggregates are sent again`
    if (differing === 0) log.info({ ...result }, said)
    else log.warn({ code: 'QT_WAREHOUSE_DIFFERS', ...result }, theirsAlone > 0 ? `${said}, ${theirsAlone} only there` : said)
    return true
  }

  /** Told once when it begins; the warehouse may be away for weeks. */
  #stumble(code: string, reason: string): void {
    if (this.#stop.signal.aborted) return
    if (this.#failures === 0) this.#options.log.warn({ code }, `forwarding waits and tries again: ${reason}`)
    this.#failures++
    this.#counts.trouble = reason
  }

  #recover(): void {
    if (this.#failures > 0) this.#options.log.info({ attempts: this.#failures }, 'forwarding goes on')
    this.#failures = 0
    this.#counts.trouble = null
  }

  #failureWait(): Millis {
    return Math.min(LONGEST_WAIT, Math.max(SECOND / 10, waitBefore(this.#failures, this.#options.random)))
  }

  async #pause(millis: Millis): Promise<void> {
    // Others of the thread have their turn after each batch, whatever the wait.
    await sleep(Math.max(0, millis), undefined, { signal: this.#stop.signal, ref: true }).catch(() => {})
  }
}

/** An answer that settles nothing is none: the reason then; otherwise null. */
function openAll(answers: readonly ItemAnswer[]): string | null {
  const [first] = answers
  return first?.outcome === 'retry' && answers.every(({ outcome }) => outcome === 'retry') ? first.reason : null
}
