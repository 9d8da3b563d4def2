import { SECOND } from '#libs/model'
import { Connection, type ConnectionObserver, Histogram, type Qos } from '../../mqtt-benchmark-ts/src/index.js'
import { NumberSet } from './number-set.js'
import { type Numbered, numberedShape, REACH } from './numbered.js'

export interface SendersOptions {
  readonly host: string
  readonly port: number
  readonly stations: readonly (Numbered & { readonly secret: string })[]
  readonly window: number
}

/** Numbers of one station end before they would reach the present. */
const MOST_NUMBERS = REACH / SECOND - 1

/**
 * The proof's load: one persistent session per station, the first half with QoS 1, the other with QoS 2, which keeps
 * `window` numbered messages in flight, comes back after every kill and remembers each number that was acknowledged.
 */
export class Senders {
  /** PUBLISH to PUBACK or PUBREC in us, of messages that no kill came between. */
  readonly ackTimes = new Histogram()
  readonly #senders: readonly Sender[]

  constructor(options: SendersOptions) {
    const half = Math.ceil(options.stations.length / 2)
    this.#senders = options.stations.map((station, index) => new Sender(options, station, index < half ? 1 : 2, this.ackTimes))
  }

  open(): void {
    for (const sender of this.#senders) sender.connection.open()
  }

  go(): void {
    for (const { connection } of this.#senders) connection.allow(MOST_NUMBERS)
  }

  /** Takes no new number; what is in flight goes on until it is acknowledged. */
  finish(): void {
    for (const { connection } of this.#senders) connection.allow(connection.sent)
  }

  stop(): void {
    for (const { connection } of this.#senders) connection.stop()
  }

  get acknowledged(): number {
    return this.#sum(sender => sender.acknowledgedNumbers.size)
  }

  /** Whether each has had an acknowledgement, and so is logged in. */
  get everyoneHeard(): boolean {
    return this.#senders.every(sender => sender.acknowledgedNumbers.size > 0)
  }

  get inFlight(): number {
    return this.#sum(sender => sender.connection.inFlight)
  }

  /** Sessions that the broker had forgotten when a connection came back. */
  get sessionsLost(): number {
    return this.#sum(sender => sender.sessionsLost)
  }

  /** Reasons of refusals by the broker, which no kill explains. */
  get refusals(): string[] {
    return this.#senders.flatMap(sender => sender.refusals)
  }

  acknowledgedOf(station: string): NumberSet {
    return this.#senders.find(sender => sender.numbered.station === station)?.acknowledgedNumbers ?? new NumberSet()
  }

  sentOf(station: string): number {
    return this.#senders.find(sender => sender.numbered.station === station)?.connection.sent ?? 0
  }

  #sum(of: (sender: Sender) => number): number {
    return this.#senders.reduce((total, sender) => total + of(sender), 0)
  }
}

class Sender implements ConnectionObserver {
  readonly numbered: Numbered
  readonly connection: Connection
  readonly acknowledgedNumbers = new NumberSet()
  readonly refusals: string[] = []
  sessionsLost = 0
  readonly #ackTimes: Histogram
  #connects = 0

  constructor({ host, port, window }: SendersOptions, station: Numbered & { readonly secret: string }, qos: Qos, ackTimes: Histogram) {
    this.numbered = station
    this.#ackTimes = ackTimes
    const { station: code, secret } = station
    const session = { clientId: code, username: code, password: secret, clean: false, keepAliveSeconds: 300 }
    const shape = numberedShape(station, qos)
    this.connection = new Connection({ host, port, session, qos, window, batch: 1, shape, longestWaitMs: 100 }, this)
  }

  acknowledged(number: number, ms: number, again: boolean): void {
    this.acknowledgedNumbers.add(number)
    if (!again) this.#ackTimes.record(ms * 1_000)
  }

  surplus(): void {}

  connected(resumed: boolean): void {
    if (this.#connects++ > 0 && !resumed) this.sessionsLost++
  }

  disconnected(reason: string): void {
    if (reason.startsWith('refused with')) this.refusals.push(`${this.numbered.station}: ${reason}`)
  }
}
