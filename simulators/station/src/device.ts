import { type IClientOptions, MqttClient, type Packet, Store } from 'mqtt'
import type { Millis } from '#libs/model'
import { commandsTopic, readingsTopic, replyTopic, statusTopic } from '#libs/wire'
import { Acknowledged } from './acknowledged.js'
import { Commands } from './commands.js'
import { Link } from './link.js'
import { encodeSamples, type Wording } from './payload.js'
import { SendBuffer } from './send-buffer.js'
import type { Sample, StationModel } from './station-model.js'

export interface DeviceOptions {
  readonly url: string
  readonly station: string
  readonly secret: string
  readonly model: StationModel
  readonly wording: Wording
  /** Samples in a message; more than 1 makes batches. */
  readonly batch: number
  /** Messages kept while there is no line. */
  readonly capacity: number
  readonly reconnectMs: Millis
  readonly clock: () => Millis
}

/** What happens to a device, for the fleet's log. */
export interface DeviceObserver {
  event(station: string, what: 'online' | 'line-cut' | 'line-restored' | 'replied' | 'refused', detail?: string): void
}

interface Message {
  readonly samples: readonly Sample[]
  readonly payload: string
}

export interface DeviceCounts {
  readonly published: number
  readonly acknowledged: number
  readonly buffered: number
  readonly dropped: number
}

/** PUBLISHes under way at once: enough for a quick re-send, few enough to keep their order at a glance. */
const UNDER_WAY = 8

/** Keeps what is under way with DUP set, because mqtt.js sends it as stored after a reconnect and MQTT wants the flag [MQTT-3.3.1-1]. */
class RedeliveryStore extends Store {
  override put(packet: Packet, done: Parameters<Store['put']>[1]): this {
    return super.put(packet.cmd === 'publish' ? { ...packet, dup: true } : packet, done)
  }
}

/**
 * A station as the broker sees it: one MQTT client with a persistent session, a last will and a bounded buffer that it
 * sends, in order, when the line is back. Counts a message only when the broker has acknowledged it.
 */
export class Device {
  readonly acknowledged = new Acknowledged()
  readonly #options: DeviceOptions
  readonly #observer: DeviceObserver
  readonly #link: Link
  readonly #buffer: SendBuffer<Message>
  readonly #commands = new Commands()
  readonly #pending: Sample[] = []
  #client: MqttClient | undefined
  #sequence = 0
  #published = 0
  #acknowledgedCount = 0
  #lastError = ''

  constructor(options: DeviceOptions, observer: DeviceObserver) {
    this.#options = options
    this.#observer = observer
    this.#link = new Link(options.url)
    this.#buffer = new SendBuffer(options.capacity)
  }

  get connected(): boolean {
    return this.#client?.connected ?? false
  }

  counts(): DeviceCounts {
    const { length, dropped } = this.#buffer
    return { published: this.#published, acknowledged: this.#acknowledgedCount, buffered: length, dropped }
  }

  /** Connects and from then on stays connected by itself. */
  start(): void {
    const client = new MqttClient(() => this.#link.open(), this.#clientOptions())
    this.#client = client
    client.on('connect', () => this.#onConnect(client))
    client.on('error', error => this.#onError(error.message))
    client.on('message', (_topic, payload) => this.#reply(client, payload.toString()))
  }

  #clientOptions(): IClientOptions {
    const { station, secret, reconnectMs } = this.#options
    return {
      clientId: station,
      username: station,
      password: secret,
      clean: false,
      keepalive: 30,
      protocolVersion: 4,
      reconnectPeriod: reconnectMs,
      connectTimeout: 10_000,
      resubscribe: false,
      outgoingStore: new RedeliveryStore(),
      will: { topic: statusTopic(station), payload: Buffer.from('offline'), qos: 1, retain: true }
    }
  }

  /** Told once, not at every try. */
  #onError(message: string): void {
    if (message !== this.#lastError) this.#observer.event(this.#options.station, 'refused', message)
    this.#lastError = message
  }

  #onConnect(client: MqttClient): void {
    const { station } = this.#options
    this.#lastError = ''
    client.subscribe(commandsTopic(station), { qos: 1 })
    client.publish(statusTopic(station), 'online', { qos: 1, retain: true })
    this.#observer.event(station, 'online')
    this.#send()
  }

  #reply(client: MqttClient, payload: string): void {
    const { station, clock } = this.#options
    const answer = this.#commands.answer(payload, clock())
    client.publish(replyTopic(station), answer, { qos: 1 })
    this.#observer.event(station, 'replied', answer)
  }

  /** Measures once, and sends what there is to send. Call it once a period. */
  tick(): void {
    const now = this.#options.clock()
    this.#minds(!this.#options.model.isOffline(now))
    const sample = this.#options.model.sample(now)
    if (sample) this.#pending.push(sample)
    if (this.#pending.length >= this.#options.batch) this.#enqueue(this.#pending.splice(0))
    this.#send()
  }

  #minds(up: boolean): void {
    if (this.#link.up === up) return
    this.#link.up = up
    this.#observer.event(this.#options.station, up ? 'line-restored' : 'line-cut')
  }

  #enqueue(samples: readonly Sample[]): void {
    const payload = encodeSamples(samples, this.#sequence, this.#options.wording)
    this.#sequence += samples.length
    this.#buffer.push({ samples, payload })
  }

  #send(): void {
    const client = this.#client
    while (client?.connected && this.#link.up && this.#buffer.underWay < UNDER_WAY) {
      const message = this.#buffer.take()
      if (!message) return
      this.#published++
      client.publish(readingsTopic(this.#options.station), message.payload, { qos: 1 }, error => this.#settle(message, error ?? undefined))
    }
  }

  #settle(message: Message, error: Error | undefined): void {
    if (error) {
      this.#buffer.giveBack(message)
      return
    }
    this.#buffer.acknowledge(message)
    this.#acknowledgedCount++
    this.acknowledged.add(this.#options.station, message.samples)
    this.#send()
  }

  /** Says `offline` and goes; without a line it just goes. Safe to call twice. */
  async stop(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    if (!client) return
    if (client.connected) client.publish(statusTopic(this.#options.station), 'offline', { qos: 1, retain: true })
    await Promise.race([client.endAsync(!client.connected), new Promise(resolve => setTimeout(resolve, STOP_MS).unref())])
    this.#link.up = false
  }
}

/** A broker that acknowledges nothing must not keep a device from going. */
const STOP_MS = 2_000
