import type { Clock, Log } from '#libs/pipeline'
import { REFUSAL_REASONS, type RefusalReason } from './errors.js'
import type { Qos } from './persistence/packets.js'

/** One log line of a kind in this time; the others are counted and told with the next one. */
const LOG_EVERY_MS = 60_000

interface Quiet {
  nextAt: number
  held: number
}

/** Who a refusal was about: never what they sent. */
export interface Whom {
  readonly address?: string | undefined
  readonly clientId?: string | undefined
  readonly station?: string | undefined
  readonly code?: string | undefined
}

/** What came in and what was refused; tells the log about refusals without being flooded by them. */
export class Counters {
  readonly received: Record<Qos, number> = { 0: 0, 1: 0, 2: 0 }
  /** Messages given to `onPublish` that are not settled yet. */
  pending = 0
  readonly #refused = Object.fromEntries(REFUSAL_REASONS.map(reason => [reason, 0])) as Record<RefusalReason, number>
  readonly #quiet = new Map<RefusalReason, Quiet>()
  readonly #log: Log
  readonly #now: Clock

  constructor(log: Log, now: Clock) {
    this.#log = log
    this.#now = now
  }

  refused(): Record<RefusalReason, number> {
    return { ...this.#refused }
  }

  refuse(reason: RefusalReason, whom: Whom): void {
    this.#refused[reason]++
    const now = this.#now()
    const quiet = this.#quiet.get(reason) ?? { nextAt: now, held: 0 }
    this.#quiet.set(reason, quiet)
    if (now < quiet.nextAt) {
      quiet.held++
      return
    }
    this.#log.warn({ reason, ...whom, alsoSince: quiet.held }, `MQTT: refused (${reason})`)
    quiet.nextAt = now + LOG_EVERY_MS
    quiet.held = 0
  }
}
