import type { Connection } from './connection.js'
import { Histogram } from './histogram.js'

const TICK_MS = 1

/**
 * Messages evenly spaced in time whatever the broker does: message k of all is due at start + k / rate, on connection
 * k % connections. Its latency counts from then, so a stall of the broker is measured on every message that it delays
 * (no "coordinated omission", Gil Tene).
 */
export class OpenLoop {
  /** How late, in us, the client's own timer was. */
  readonly late = new Histogram()
  readonly #connections: readonly Connection[]
  readonly #rate: number
  #startedAt = 0
  #due = 0
  #timer: NodeJS.Timeout | undefined

  constructor(connections: readonly Connection[], ratePerSecond: number) {
    this.#connections = connections
    this.#rate = ratePerSecond
  }

  start(): void {
    this.#startedAt = performance.now()
    this.#connections.forEach((connection, index) => connection.allow(0, number => this.#dueAt(number, index)))
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #dueAt(number: number, connection: number): number {
    const at = this.#startedAt + ((number * this.#connections.length + connection) * 1_000) / this.#rate
    this.late.record((performance.now() - at) * 1_000)
    return at
  }

  #tick(): void {
    const count = this.#connections.length
    const due = Math.floor(((performance.now() - this.#startedAt) * this.#rate) / 1_000) + 1
    const touched = Math.min(count, due - this.#due)
    for (let step = 0; step < touched; step++) {
      const index = (this.#due + step) % count
      const connection = this.#connections[index] as Connection
      connection.allow(Math.floor((due - index + count - 1) / count))
    }
    this.#due = due
  }
}
