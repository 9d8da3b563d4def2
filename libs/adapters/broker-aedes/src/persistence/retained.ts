import { filterMatches, literalPrefix } from '../topic-filter.js'
import { weight } from './packets.js'

export interface Retained {
  readonly topic: string
  readonly payload: Buffer | string
}

export interface RetainedLimits {
  readonly retainedMessages: number
  readonly retainedBytes: number
}

/** The last retained message of each topic, bounded in number and bytes. */
export class RetainedMessages<T extends Retained> {
  readonly #limits: RetainedLimits
  readonly #byTopic = new Map<string, T>()
  #bytes = 0

  constructor(limits: RetainedLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#byTopic.size
  }

  get bytes(): number {
    return this.#bytes
  }

  hasRoomFor(message: T): boolean {
    const previous = this.#byTopic.get(message.topic)
    const bytes = this.#bytes + weight(message) - (previous ? weight(previous) : 0)
    return bytes <= this.#limits.retainedBytes && (previous !== undefined || this.#byTopic.size < this.#limits.retainedMessages)
  }

  set(message: T): void {
    this.delete(message.topic)
    this.#byTopic.set(message.topic, message)
    this.#bytes += weight(message)
  }

  delete(topic: string): void {
    const previous = this.#byTopic.get(topic)
    if (!previous) return
    this.#byTopic.delete(topic)
    this.#bytes -= weight(previous)
  }

  *matching(filters: readonly string[]): Generator<T> {
    for (const filter of filters) {
      if (literalPrefix(filter) === filter) {
        const message = this.#byTopic.get(filter)
        if (message) yield message
      } else {
        for (const message of this.#byTopic.values()) if (filterMatches(filter, message.topic)) yield message
      }
    }
  }
}
