import { BrokerError } from './errors.js'
import { TopicTrie } from './topic-trie.js'

export interface Emitted {
  readonly topic: string
}
type Done = (error?: Error | null) => void
export type Listener = (packet: never, done: () => void) => void

/**
 * Hands a published packet to the subscribers of this process: what Aedes calls its `mq`.
 *
 * It does not wait for them. Stock mqemitter reports a packet done when every subscriber has taken it, and holds at most a
 * hundred packets at a time: one subscriber that never reads would stop all publishers. Here each connection has its own
 * bounded buffer (see outlet.ts) and is cut when that is full.
 */
export class LeanEmitter {
  readonly #listeners = new TopicTrie<Listener>()
  #closed = false

  /** Whether anybody in this process wants the topic. */
  has(topic: string): boolean {
    return this.#listeners.match(topic).length > 0
  }

  on(filter: string, listener: Listener, done?: () => void): this {
    this.#listeners.add(filter, listener)
    done?.()
    return this
  }

  /** At once, not in a later tick: a client id that is taken over must be free before its successor is registered. */
  removeListener(filter: string, listener: Listener, done?: () => void): this {
    this.#listeners.remove(filter, listener)
    done?.()
    return this
  }

  emit(packet: Emitted, done?: Done): this {
    if (this.#closed) {
      done?.(new BrokerError('QT_MQTT_CLOSED', 'the broker is closed'))
      return this
    }
    for (const listener of this.#listeners.match(packet.topic)) listener(packet as never, ignore)
    done?.()
    return this
  }

  close(done?: () => void): this {
    this.#closed = true
    done?.()
    return this
  }
}

const ignore = (): void => undefined
