import { type PublishLike, type Pubrel, type StoredPublish, weight } from './packets.js'

/** A message on its way to one session. */
export interface Entry {
  /** Place in the file and in the order of delivery. */
  readonly seq: number
  readonly packet: StoredPublish
  /** True once the subscriber's PUBREC came: what is sent (again) is the PUBREL. */
  released: boolean
  /** Connection (see `#connection`) that claimed it, 0 for none. */
  claimedBy: number
  /** Whether that connection has been given it, so that it counts against the window. */
  sent: boolean
  /** Whether an earlier connection had been given it: DUP is set. */
  repeated: boolean
}

/** Messages queued in all sessions together. */
export interface Tally {
  messages: number
  bytes: number
}

/** Packet identifiers are 1 to 65,535 [MQTT-2.3.1-1]. */
const MAX_MESSAGE_ID = 65_535

/**
 * What one persistent session has yet to receive or to acknowledge, in order, and the right to send it.
 *
 * - After a CONNECT, Aedes reads `drain()` to its end. Meanwhile messages are published; Aedes would deliver them at once, out of
 *   order and perhaps twice. Here such a live delivery is declined: the drain, which also sees what is added behind it, gets there.
 * - At most `window` messages are with the subscriber unacknowledged; the others wait for their turn.
 */
export class OutboundQueue {
  readonly #window: number
  readonly #tally: Tally
  readonly #entries = new Map<number, Entry>()
  readonly #byPublication = new Map<string, Entry>()
  readonly #byMessageId = new Map<number, Entry>()
  #bytes = 0
  /** Counts the session's connections in this process. */
  #connection = 0
  #draining = false
  /** Drained but not yet sent. */
  #offered = 0
  #inFlight = 0
  #drainWaiter: Entry | null = null
  #liveWaiters: Entry[] = []
  readonly #turns = new Map<Entry, () => void>()

  constructor(window: number, tally: Tally) {
    this.#window = window
    this.#tally = tally
  }

  get size(): number {
    return this.#entries.size
  }

  get bytes(): number {
    return this.#bytes
  }

  add(seq: number, packet: StoredPublish, released = false): Entry {
    const entry: Entry = { seq, packet, released, claimedBy: 0, sent: false, repeated: false }
    this.#entries.set(seq, entry)
    this.#byPublication.set(publicationOf(packet), entry)
    if (packet.messageId !== undefined) this.#byMessageId.set(packet.messageId, entry)
    this.#count(1, weight(packet))
    return entry
  }

  /** The entry of a published packet: the same publication, not the same identifier. */
  find(packet: PublishLike): Entry | undefined {
    return this.#byPublication.get(publicationOf(packet))
  }

  findByMessageId(messageId: number): Entry | undefined {
    return this.#byMessageId.get(messageId)
  }

  remove(entry: Entry): void {
    if (!this.#entries.delete(entry.seq)) return
    const { packet } = entry
    if (this.#byPublication.get(publicationOf(packet)) === entry) this.#byPublication.delete(publicationOf(packet))
    if (packet.messageId !== undefined && this.#byMessageId.get(packet.messageId) === entry) this.#byMessageId.delete(packet.messageId)
    this.#count(-1, -weight(packet))
    this.#turns.delete(entry)
    if (entry.sent && entry.claimedBy === this.#connection) this.#inFlight--
    this.#release()
  }

  clear(): void {
    this.#count(-this.#entries.size, -this.#bytes)
    this.#entries.clear()
    this.#byPublication.clear()
    this.#byMessageId.clear()
    this.reset()
  }

  /** Everything in order, what is added while it is read included. Begins a connection. */
  *drain(): Generator<StoredPublish | Pubrel> {
    this.reset()
    const connection = this.#connection
    for (const entry of this.#entries.values()) {
      if (connection !== this.#connection) return
      this.#offered++
      entry.repeated = entry.packet.messageId !== undefined
      yield packetOf(entry)
    }
    if (connection === this.#connection) this.#draining = false
  }

  /** Forgets who was about to send what: their connection is gone. */
  reset(): void {
    this.#drainWaiter = null
    this.#liveWaiters = []
    this.#turns.clear()
    this.#offered = 0
    this.#inFlight = 0
    this.#draining = true
    this.#connection++
  }

  /**
   * The right to send an entry now. A live delivery is declined (null) when the drain takes care of it, or has done so; a turn
   * that never comes, because the connection ends first, stays unsettled.
   */
  turn(entry: Entry, live: boolean): Promise<void> | null {
    if (live && (this.#draining || entry.claimedBy === this.#connection)) return null
    entry.claimedBy = this.#connection
    entry.sent = false
    if (live) this.#liveWaiters.push(entry)
    else this.#drainWaiter = entry
    const turn = new Promise<void>(resolve => this.#turns.set(entry, resolve))
    this.#release()
    return turn
  }

  /** A packet that was drained has turned out to need no sending. */
  skipped(): void {
    if (this.#offered > 0) this.#offered--
    this.#release()
  }

  /** Gives an entry its identifier: the one proposed, or the next one that no other entry has. */
  identify(entry: Entry, proposed: number): number {
    const holder = this.#byMessageId.get(proposed)
    let messageId = proposed
    if (holder && holder !== entry) while (this.#byMessageId.has(messageId)) messageId = (messageId % MAX_MESSAGE_ID) + 1
    const previous = entry.packet.messageId
    if (previous !== undefined && previous !== messageId) this.#byMessageId.delete(previous)
    entry.packet.messageId = messageId
    this.#byMessageId.set(messageId, entry)
    return messageId
  }

  /** An identifier behind those in use: where a new connection should begin to count. */
  freeMessageId(): number {
    let messageId = 1
    for (const used of this.#byMessageId.keys()) messageId = (used % MAX_MESSAGE_ID) + 1
    while (this.#byMessageId.has(messageId)) messageId = (messageId % MAX_MESSAGE_ID) + 1
    return messageId
  }

  #count(messages: number, bytes: number): void {
    this.#bytes += bytes
    this.#tally.bytes += bytes
    this.#tally.messages += messages
  }

  /** Lets the next ones send: the drained first, the live ones when nothing drained is on its way any more. */
  #release(): void {
    while (this.#inFlight < this.#window) {
      if (this.#drainWaiter) {
        this.#grant(this.#drainWaiter)
        this.#drainWaiter = null
        if (this.#offered > 0) this.#offered--
      } else {
        if (this.#offered > 0 || this.#draining) return
        const entry = this.#liveWaiters.shift()
        if (!entry) return
        this.#grant(entry)
      }
    }
  }

  #grant(entry: Entry): void {
    const go = this.#turns.get(entry)
    if (!go) return
    this.#turns.delete(entry)
    entry.sent = true
    this.#inFlight++
    go()
  }
}

function packetOf({ packet, released }: Entry): StoredPublish | Pubrel {
  return released ? { cmd: 'pubrel', messageId: packet.messageId ?? 0 } : { ...packet }
}

function publicationOf(packet: { brokerId?: string | undefined; brokerCounter?: number | undefined }): string {
  return `${packet.brokerId} ${packet.brokerCounter}`
}
