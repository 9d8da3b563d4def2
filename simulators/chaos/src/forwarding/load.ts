import { setTimeout as sleep } from 'node:timers/promises'
import type { MqttClient } from 'mqtt'
import { connect } from 'mqtt'
import type { Millis } from '#libs/model'
import { DAY, HOUR, MINUTE } from '#libs/model'
import { readingsTopic } from '#libs/wire'
import { oneOf } from './random.js'

interface Sent {
  readonly at: Millis
  readonly revision: number
}

const REMEMBERED = 500
const BACK: readonly [Millis, ...Millis[]] = [0, 0, 2 * HOUR, 30 * HOUR, 6 * DAY, 40 * DAY]
/** Between messages of a station: a hundred a second in all are enough to touch hundreds of windows a minute. */
const PAUSE_MS = 60
const STEP = 5 * MINUTE

/** A station that publishes what is current, late, corrected or repeated; what was not acknowledged comes again by itself. */
export class Publisher {
  readonly #client: MqttClient
  readonly #topic: string
  readonly #random: () => number
  readonly #sent: Sent[] = []
  readonly #waiting = new Set<Promise<unknown>>()
  #acknowledged = 0
  #running = true

  constructor(url: string, { station, secret }: { readonly station: string; readonly secret: string }, random: () => number) {
    const session = { username: station, password: secret, clientId: station, clean: false }
    this.#client = connect(url, { ...session, reconnectPeriod: 200, connectTimeout: 3_000 })
    this.#client.on('error', () => {}) // it comes again
    this.#topic = readingsTopic(station)
    this.#random = random
  }

  get acknowledged(): number {
    return this.#acknowledged
  }

  async run(): Promise<void> {
    while (this.#running) {
      // While the server is away messages wait in the client; not without end.
      if (this.#waiting.size < 50) this.#publish(this.#next())
      await sleep(PAUSE_MS * (0.5 + this.#random()))
    }
  }

  /** Sends nothing new and waits for what is on its way. */
  async finish(): Promise<void> {
    this.#running = false
    await Promise.all(this.#waiting)
    await this.#client.endAsync()
  }

  stopNow(): void {
    this.#running = false
    this.#client.end(true)
  }

  #next(): Sent {
    const again = this.#sent[Math.floor(this.#random() * this.#sent.length)]
    const kind = this.#random()
    if (again && kind < 0.15) return again
    if (again && kind < 0.35) return { at: again.at, revision: again.revision + 1 }
    const back = oneOf(BACK, this.#random)
    const spread = back === 0 ? 20 * MINUTE : Math.max(3 * HOUR, back / 4)
    const at = Math.floor((Date.now() - back - this.#random() * spread) / STEP) * STEP
    return { at: at + Math.floor(this.#random() * 1_000), revision: 0 }
  }

  #publish(sent: Sent): void {
    const { at, revision } = sent
    // A function of instant and revision: a repeat says the same, a correction something else.
    const value = 20 + ((at / 1_000 + revision * 17) % 97)
    const payload = JSON.stringify({ at, readings: { COD: value, Flow: value * 3 }, revision })
    const done = this.#client.publishAsync(this.#topic, payload, { qos: 1 }).then(
      () => {
        this.#acknowledged++
      },
      () => {} // told by the comparison
    )
    this.#waiting.add(done)
    void done.then(() => this.#waiting.delete(done))
    this.#sent.push(sent)
    if (this.#sent.length > REMEMBERED) this.#sent.shift()
  }
}
