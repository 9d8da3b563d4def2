import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type MqttClient } from 'mqtt'
import { messageOf } from '#libs/model'
import { readingsTopic } from '#libs/wire'
import { ProofError } from '../errors.js'
import type { Dice } from './dice.js'
import type { ForwardStation, Message, Point, StationScript } from './script.js'

export interface LoadOptions {
  readonly url: string
  readonly stations: readonly (ForwardStation & { readonly secret: string; readonly script: StationScript; readonly dice: Dice })[]
}

/** Messages of one station under way at once. */
const UNDER_WAY = 2
const PAUSE_MS = [20, 160] as const
const RECONNECT_MS = 100

/**
 * The stations as MQTT clients with persistent sessions. While the server is away they wait with what they have, then send it again;
 * a message counts when it was acknowledged.
 */
export class ForwardLoad {
  readonly #senders: readonly Sender[]
  readonly #stop = new AbortController()
  #running: Promise<unknown> | undefined

  constructor({ url, stations }: LoadOptions) {
    this.#senders = stations.map(station => new Sender(url, station))
  }

  /** Begins; fails later, by `finish`. */
  start(): void {
    setMaxListeners(this.#senders.length * UNDER_WAY, this.#stop.signal)
    this.#running = Promise.all(this.#senders.flatMap(sender => Array.from({ length: UNDER_WAY }, () => sender.run(this.#stop.signal))))
    this.#running.catch(() => undefined)
  }

  /** Begins nothing new; resolves when all that was sent is acknowledged. @throws ProofError when that takes longer */
  async finish(ms: number): Promise<void> {
    this.#stop.abort()
    const late = new AbortController()
    const waiting = sleep(ms, undefined, { signal: late.signal }).then(() => {
      throw new ProofError('QT_PROOF_TIME', `not every message is acknowledged after ${ms / 1_000} s: ${this.#states}`)
    })
    waiting.catch(() => undefined)
    try {
      await Promise.race([this.#running, waiting])
    } finally {
      late.abort()
    }
  }

  get #states(): string {
    return this.#senders.map(({ state }) => state).join(', ')
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#senders.map(sender => sender.close()))
  }

  /** Messages acknowledged, by what they were. */
  get acknowledged(): Readonly<Record<Message['what'], number>> {
    const total = { current: 0, late: 0, backfill: 0, correction: 0, conflict: 0, duplicate: 0 }
    for (const { counts } of this.#senders) for (const [what, count] of counts) total[what] += count
    return total
  }

  /** Distinct readings that were acknowledged. */
  get readings(): number {
    return this.#senders.reduce((sum, { points }) => sum + points.size, 0)
  }
}

class Sender {
  readonly station: string
  readonly points = new Set<Point>()
  readonly counts = new Map<Message['what'], number>()
  readonly #client: MqttClient
  readonly #script: StationScript
  readonly #dice: Dice
  #refusal = ''

  constructor(url: string, { entry, secret, script, dice }: LoadOptions['stations'][number]) {
    this.station = entry.code
    this.#script = script
    this.#dice = dice
    const session = { clientId: entry.code, username: entry.code, password: secret, clean: false }
    this.#client = connect(url, { ...session, reconnectPeriod: RECONNECT_MS, connectTimeout: 5_000, resubscribe: false })
    this.#client.on('error', error => {
      this.#refusal = messageOf(error)
    })
  }

  get state(): string {
    return `${this.station} ${this.#client.connected ? 'connected' : 'not connected'} ${this.#refusal}`
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { what, payload, points } = this.#script.next(Date.now())
      await this.#client.publishAsync(readingsTopic(this.station), payload, { qos: 1 })
      this.counts.set(what, (this.counts.get(what) ?? 0) + 1)
      for (const point of points) this.points.add(point)
      await sleep(this.#dice.between(...PAUSE_MS), undefined, { signal }).catch(() => undefined)
    }
  }

  close(): Promise<void> {
    return this.#client.endAsync(true)
  }
}
