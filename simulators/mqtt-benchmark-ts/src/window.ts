import type { Qos } from './frames.js'

const FREE = 0
const SENT = 1
const RELEASED = 2

/** The client's answer to an acknowledgement: which slot it was for, or that nobody waited for it. */
export const NOT_WAITED_FOR = -1

export interface InFlight {
  /** Slots of PUBLISHes without answer, oldest first: to be sent again with DUP [MQTT-4.4.0-1], in their order [MQTT-4.6.0-1]. */
  readonly publish: readonly number[]
  /** Packet identifiers that the broker has received (PUBREC) and not completed: PUBREL again [MQTT-4.4.0-1]. */
  readonly release: readonly number[]
}

/**
 * The sender's half of a session: `size` slots, message n in slot n % size under packet identifier n % cycle + 1. Packet
 * identifiers run round all of 1..65535 (the largest multiple of `size`), so a late second acknowledgement is told apart
 * from the one that is waited for. Knows no socket and no clock.
 */
export class Window {
  readonly size: number
  readonly #qos: Qos
  readonly #cycle: number
  readonly #states: Uint8Array
  readonly #numbers: Float64Array
  readonly #startedAt: Float64Array
  #next = 0
  #inFlight = 0
  #released: number[] = []

  constructor(size: number, qos: Qos) {
    this.size = size
    this.#qos = qos
    this.#cycle = Math.floor(0xffff / size) * size
    this.#states = new Uint8Array(size)
    this.#numbers = new Float64Array(size)
    this.#startedAt = new Float64Array(size)
  }

  /** Number of the next message; all smaller ones have been taken. */
  get next(): number {
    return this.#next
  }

  /** Messages that hold a slot. */
  get inFlight(): number {
    return this.#inFlight
  }

  hasRoom(): boolean {
    return this.#states[this.#next % this.size] === FREE
  }

  packetId(number: number): number {
    return (number % this.#cycle) + 1
  }

  /** Takes the next message's slot, which must be free; `startedAt` is what its latency is counted from. */
  take(startedAt: number): number {
    const slot = this.#next % this.size
    this.#numbers[slot] = this.#next++
    this.#startedAt[slot] = startedAt
    if (this.#qos > 0) {
      this.#states[slot] = SENT
      this.#inFlight++
    }
    return slot
  }

  numberIn(slot: number): number {
    return this.#numbers[slot] as number
  }

  startedAt(slot: number): number {
    return this.#startedAt[slot] as number
  }

  /** PUBACK: the slot is free again. */
  puback(packetId: number): number {
    const slot = this.#qos === 1 ? this.#slotOf(packetId, SENT) : NOT_WAITED_FOR
    if (slot !== NOT_WAITED_FOR) this.#free(slot)
    return slot
  }

  /** PUBREC: the broker has the message. Whatever the answer, it wants a PUBREL. */
  pubrec(packetId: number): number {
    const slot = this.#qos === 2 ? this.#slotOf(packetId, SENT) : NOT_WAITED_FOR
    if (slot === NOT_WAITED_FOR) return slot
    this.#states[slot] = RELEASED
    this.#released.push(packetId)
    return slot
  }

  /** PUBCOMP: the slot is free again. */
  pubcomp(packetId: number): number {
    const slot = this.#qos === 2 ? this.#slotOf(packetId, RELEASED) : NOT_WAITED_FOR
    if (slot === NOT_WAITED_FOR) return slot
    this.#released.splice(this.#released.indexOf(packetId), 1)
    this.#free(slot)
    return slot
  }

  /** What a new connection of the same session has to send first. */
  unfinished(): InFlight {
    const publish: number[] = []
    for (let number = Math.max(0, this.#next - this.size); number < this.#next; number++) {
      const slot = number % this.size
      if (this.#states[slot] === SENT) publish.push(slot)
    }
    return { publish, release: [...this.#released] }
  }

  #slotOf(packetId: number, state: number): number {
    if (packetId < 1 || packetId > this.#cycle) return NOT_WAITED_FOR
    const slot = (packetId - 1) % this.size
    return this.#states[slot] === state && this.packetId(this.#numbers[slot] as number) === packetId ? slot : NOT_WAITED_FOR
  }

  #free(slot: number): void {
    this.#states[slot] = FREE
    this.#inFlight--
  }
}
