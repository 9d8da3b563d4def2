import { connect, type Socket } from 'node:net'
import { AckParser, type AckSink } from './ack-parser.js'
import { type ConnectOptions, connectFrame, DISCONNECT, DUP, PINGREQ, pubrelFrames, type Qos } from './frames.js'
import type { MessageShape } from './shapes.js'
import { NOT_WAITED_FOR, Window } from './window.js'

export interface ConnectionOptions {
  readonly host: string
  readonly port: number
  readonly session: ConnectOptions
  readonly qos: Qos
  /** Messages in flight at most. */
  readonly window: number
  /** Acknowledgements make room; the connection sends by itself when so many slots are free. At most `window`. */
  readonly batch: number
  readonly shape: MessageShape
  /** Longest wait between two tries to come back; 1 s if missing. */
  readonly longestWaitMs?: number
}

/** Hears what happens on a connection. Called very often: keep it cheap. */
export interface ConnectionObserver {
  /** The broker has taken message `number` (PUBACK, or PUBREC with QoS 2); `ms` counts from its start, `again` when it was sent more than once. */
  acknowledged(number: number, ms: number, again: boolean): void
  /** An acknowledgement that nobody waited for, as after a repeat. */
  surplus(packetId: number): void
  /** Connected; `resumed` says whether the broker still knew the session. */
  connected(resumed: boolean): void
  /** Lost, or refused with a CONNACK return code; it tries again by itself unless it was stopped. */
  disconnected(reason: string): void
}

const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 1_000
/** One read buffer for all connections: libuv reads and calls back at once, and the parser keeps no bytes. */
const READ_BUFFER = Buffer.allocUnsafe(64 * 1024)

/**
 * One cheap MQTT 3.1.1 publisher: frames made beforehand, patched in place and written several at a time. A slot's bytes
 * are reused only when its acknowledgement has come, so what is under way is never overwritten. After a lost connection it
 * comes back under the same client identifier and sends what is unfinished again, PUBLISH with DUP, then PUBREL.
 */
export class Connection implements AckSink {
  readonly #options: ConnectionOptions
  readonly #observer: ConnectionObserver
  readonly #window: Window
  readonly #ring: Buffer
  readonly #frameLength: number
  #socket: Socket | undefined
  #parser: AckParser
  #ready = false
  #stopped = false
  #limit = 0
  #startOf: (number: number) => number = () => performance.now()
  #now = 0
  #releases: number[] = []
  #wait = FIRST_WAIT_MS
  #retry: NodeJS.Timeout | undefined
  #heard = true

  constructor(options: ConnectionOptions, observer: ConnectionObserver) {
    this.#options = options
    this.#observer = observer
    this.#window = new Window(options.window, options.qos)
    this.#frameLength = options.shape.frame.bytes.length
    this.#ring = Buffer.concat(Array.from({ length: options.window }, () => options.shape.frame.bytes))
    this.#parser = new AckParser(this)
  }

  /** Messages taken so far; their numbers are 0 … sent - 1. */
  get sent(): number {
    return this.#window.next
  }

  /** Messages without their last acknowledgement. */
  get inFlight(): number {
    return this.#window.inFlight
  }

  get ready(): boolean {
    return this.#ready
  }

  /** Bytes of every PUBLISH of this connection. */
  get frameBytes(): number {
    return this.#frameLength
  }

  open(): void {
    this.#parser = new AckParser(this)
    const { host, port } = this.#options
    const onread = { buffer: READ_BUFFER, callback: (count: number) => this.#onBytes(count) }
    const socket = connect({ host, port, noDelay: true, onread })
    this.#socket = socket
    let reason = 'closed by the broker'
    socket.on('connect', () => socket.write(connectFrame(this.#options.session)))
    socket.on('error', error => {
      reason = error.message
    })
    socket.on('drain', () => this.pump())
    socket.on('close', () => this.#onClose(reason))
  }

  /**
   * Allows messages with numbers below `limit` to be sent. `startOf` gives the instant (performance.now) from which a
   * message's latency counts; without it that is the moment of sending.
   */
  allow(limit: number, startOf?: (number: number) => number): void {
    this.#limit = limit
    if (startOf) this.#startOf = startOf
    this.pump()
  }

  /** Sends as many of the allowed messages as there is room for, but waits until `atLeast` can go in one write. */
  pump(atLeast = this.#options.batch): void {
    const socket = this.#socket
    if (!this.#ready || !socket || socket.writableLength > 0) return
    const window = this.#window
    const free = window.size - window.inFlight
    const first = window.next
    if (free < Math.min(atLeast, this.#limit - first)) return
    const upTo = Math.min(this.#limit, first + window.size)
    while (window.next < upTo && window.hasRoom()) this.#fill(window.next)
    if (first === window.next) return
    this.#write(socket, first, window.next)
  }

  #fill(number: number): void {
    const { shape } = this.#options
    const { frame } = shape
    const slot = this.#window.take(this.#startOf(number))
    const offset = slot * this.#frameLength
    this.#ring[offset] = (this.#ring[offset] as number) & ~DUP
    if (frame.idOffset >= 0) {
      const id = this.#window.packetId(number)
      this.#ring[offset + frame.idOffset] = id >> 8
      this.#ring[offset + frame.idOffset + 1] = id & 0xff
    }
    shape.patch(this.#ring, offset + frame.payloadOffset, number)
  }

  /** Writes messages `first` … `end` - 1: one piece of the ring, or two where it wraps. */
  #write(socket: Socket, first: number, end: number): void {
    const size = this.#window.size
    const from = first % size
    const count = end - first
    const straight = Math.min(count, size - from)
    if (straight < count) socket.cork()
    socket.write(this.#ring.subarray(from * this.#frameLength, (from + straight) * this.#frameLength))
    if (straight === count) return
    socket.write(this.#ring.subarray(0, (count - straight) * this.#frameLength))
    socket.uncork()
  }

  #onBytes(count: number): boolean {
    this.#heard = true
    this.#now = performance.now()
    try {
      this.#parser.push(READ_BUFFER, count)
    } catch (error) {
      this.#socket?.destroy(error as Error)
      return false
    }
    if (this.#releases.length > 0) {
      this.#socket?.write(pubrelFrames(this.#releases))
      this.#releases.length = 0
    }
    this.pump()
    return true
  }

  connack(resumed: boolean, returnCode: number): void {
    if (returnCode !== 0) {
      this.#socket?.destroy(new Error(`refused with CONNACK return code ${returnCode}`))
      return
    }
    this.#ready = true
    this.#wait = FIRST_WAIT_MS
    this.#sendAgain()
    this.#observer.connected(resumed)
  }

  #sendAgain(): void {
    const { publish, release } = this.#window.unfinished()
    if (publish.length + release.length === 0) return
    const frames = publish.map(slot => this.#ring.subarray(slot * this.#frameLength, (slot + 1) * this.#frameLength))
    for (const frame of frames) frame[0] = (frame[0] as number) | DUP
    this.#socket?.write(Buffer.concat([...frames, pubrelFrames(release)]))
  }

  puback(packetId: number): void {
    this.#taken(this.#window.puback(packetId), packetId)
  }

  pubrec(packetId: number): void {
    // A second PUBREC wants its PUBREL like the first one [MQTT-4.3.3-1].
    this.#releases.push(packetId)
    this.#taken(this.#window.pubrec(packetId), packetId)
  }

  pubcomp(packetId: number): void {
    if (this.#window.pubcomp(packetId) === NOT_WAITED_FOR) this.#observer.surplus(packetId)
  }

  pingresp(): void {}

  #taken(slot: number, packetId: number): void {
    if (slot === NOT_WAITED_FOR) {
      this.#observer.surplus(packetId)
      return
    }
    const again = ((this.#ring[slot * this.#frameLength] as number) & DUP) !== 0
    this.#observer.acknowledged(this.#window.numberIn(slot), this.#now - this.#window.startedAt(slot), again)
  }

  #onClose(reason: string): void {
    this.#ready = false
    this.#releases.length = 0
    this.#socket = undefined
    if (this.#stopped) return
    this.#retry = setTimeout(() => this.open(), this.#wait)
    this.#wait = Math.min(this.#wait * 2, this.#options.longestWaitMs ?? LONGEST_WAIT_MS)
    this.#observer.disconnected(reason)
  }

  /** Call every half keep-alive: asks for a sign of life, and ends a connection that gave none since the last call. */
  keepAlive(): void {
    if (!this.#ready) return
    if (!this.#heard) this.#socket?.destroy(new Error('no sign of life'))
    else this.#socket?.write(PINGREQ)
    this.#heard = false
  }

  /** Says DISCONNECT and goes; safe to call twice. What is in flight stays unfinished. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#retry)
    const socket = this.#socket
    if (this.#ready) socket?.end(DISCONNECT, () => socket.destroy())
    else socket?.destroy()
    this.#ready = false
  }
}
