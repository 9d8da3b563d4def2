import { randomUUID } from 'node:crypto'
import type { EventEmitter } from 'node:events'
import { join } from 'node:path'
import type { Client, PublishPacket } from 'aedes'
import { Admission } from './admission.js'
import { reasonOf } from './client-errors.js'
import { Counters } from './counters.js'
import { LeanEmitter } from './emitter.js'
import { type Arrival, Entrance } from './entrance.js'
import { BrokerError, Refusal } from './errors.js'
import { Gate } from './gate.js'
import { LeanAedes } from './lean-aedes.js'
import { Link } from './link.js'
import type { ListenerPorts } from './listener.js'
import { LoginPenalties } from './login-penalties.js'
import { type BrokerOptions, DEFAULT_LIMITS, type Limits } from './options.js'
import type { Qos, Will } from './persistence/packets.js'
import { SqlitePersistence } from './persistence/persistence.js'
import { Publishing } from './publishing.js'
import type { BrokerStats } from './stats.js'
import { Subscribing } from './subscribing.js'

const EXPIRE_EVERY_MS = 3_600_000
/** The file in the data directory that the broker alone uses. */
const SESSION_FILE = 'sessions.sqlite'
/** Above the names that Admission makes; the client identifier itself is checked there. */
const ANY_LENGTH = 65_535

/** What Aedes keeps on its clients and its types leave out. */
interface ClientInternals {
  will: unknown
  _will: unknown
  _nextId: number
}

/**
 * The MQTT 3.1 and 3.1.1 broker: Aedes, with everything that comes in kept by `onPublish` before it is acknowledged, with
 * sessions that survive the process, and with a limit on whatever a peer could use up.
 */
export class AedesBroker {
  readonly #options: BrokerOptions
  readonly #limits: Limits
  readonly #counters: Counters
  readonly #penalties: LoginPenalties
  readonly #gate: Gate
  readonly #persistence: SqlitePersistence
  readonly #publishing: Publishing
  readonly #aedes: LeanAedes
  readonly #links = new WeakMap<Client, Link>()
  readonly #clients = new Set<Client>()
  readonly #entrance: Entrance
  #expiry: NodeJS.Timeout | undefined
  #closing: Promise<void> | null = null

  private constructor(options: BrokerOptions, limits: Limits, open: { counters: Counters; persistence: SqlitePersistence }) {
    this.#options = options
    this.#limits = limits
    this.#counters = open.counters
    this.#persistence = open.persistence
    this.#penalties = new LoginPenalties(limits, options.now)
    this.#gate = new Gate(limits, this.#penalties)
    const { counters, persistence } = open
    const onArrival = (arrival: Arrival): void => this.#arrive(arrival)
    this.#entrance = new Entrance({ gate: this.#gate, limits, counters, certificates: options.certificates, onArrival })
    this.#publishing = new Publishing({ links: this.#links, counters, persistence, onPublish: options.onPublish })
    this.#aedes = this.#newAedes()
    this.#observe()
  }

  /**
   * Opens the sessions, takes the ports, publishes the wills that a stopped server left, then lets clients in.
   * @throws BrokerError QT_MQTT_PORT_IN_USE, QT_MQTT_PORT_FORBIDDEN, QT_MQTT_LISTEN_FAILED, QT_MQTT_SESSIONS_LOCKED, QT_MQTT_SESSIONS_UNREADABLE
   */
  static async listen(options: BrokerOptions): Promise<AedesBroker> {
    const limits = { ...DEFAULT_LIMITS, ...options.limits }
    const counters = new Counters(options.log, options.now)
    const links = { granted: (_client: Client, _topic: string) => true as boolean }
    const persistence = await SqlitePersistence.open({
      file: join(options.dataDir, SESSION_FILE),
      limits,
      now: options.now,
      sessionsBegin: 'opened',
      accepts: (client, topic) => links.granted(client as Client, topic),
      onRefused: (reason, detail) => counters.refuse(reason, { clientId: detail }),
      onFailed: ({ code, message }) => options.log.error({ code }, `MQTT: ${message}`)
    })
    const broker = new AedesBroker(options, limits, { counters, persistence })
    links.granted = (client, topic) => broker.#links.get(client)?.filters.has(topic) ?? false
    try {
      await broker.#start()
      return broker
    } catch (error) {
      await broker.close()
      throw error
    }
  }

  /** The ports that were taken; null where a listener is off. */
  get ports(): ListenerPorts {
    return this.#entrance.ports
  }

  /**
   * From the server to the subscribers. Resolves when it is kept for the persistent sessions that want it (QoS 1 and 2), and as
   * retained message; connected subscribers get it without being waited for.
   * @throws BrokerError QT_MQTT_SESSIONS_FULL, QT_MQTT_SESSIONS_FAILED, QT_MQTT_CLOSED
   */
  publish(topic: string, payload: Uint8Array | string, { qos = 0, retain = false }: { qos?: Qos; retain?: boolean } = {}): Promise<void> {
    if (this.#closing) return Promise.reject(new BrokerError('QT_MQTT_CLOSED', 'the broker is closed'))
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : Buffer.from(payload.buffer, payload.byteOffset, payload.length)
    return this.#emit({ cmd: 'publish', topic, payload: bytes, qos, retain, dup: false })
  }

  stats(): BrokerStats {
    const { sessions, queuedMessages, queuedBytes, retainedMessages, retainedBytes } = this.#persistence.stats()
    const { received, pending } = this.#counters
    return {
      connections: this.#gate.open,
      clients: this.#clients.size,
      sessions,
      queued: { messages: queuedMessages, bytes: queuedBytes },
      retained: { messages: retainedMessages, bytes: retainedBytes },
      received: { qos0: received[0], qos1: received[1], qos2: received[2] },
      pending,
      refused: this.#counters.refused()
    }
  }

  /** Ends all connections. Their wills stay in the file and are published at the next start, as after any other end. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #start(): Promise<void> {
    const { host, ports, log } = this.#options
    await this.#aedes.listen()
    await this.#entrance.listen(host, ports)
    const expired = this.#persistence.keeper.expire()
    const wills = await this.#publishing.publishLeft(will => this.#emitWill(will), { [this.#aedes.id]: true })
    this.#expiry = setInterval(() => this.#persistence.keeper.expire(), EXPIRE_EVERY_MS).unref()
    this.#entrance.open()
    const { sessions, queued } = this.stats()
    log.info({ host, ports: this.ports, sessions, queued: queued.messages, expired, wills }, 'MQTT: listening')
  }

  async #close(): Promise<void> {
    clearInterval(this.#expiry)
    const closed = this.#entrance.close()
    for (const client of this.#clients) {
      const internals = client as unknown as ClientInternals
      internals.will = internals._will = null
    }
    await new Promise<void>(resolve => this.#aedes.close(resolve))
    this.#entrance.cut()
    await closed
    await this.#persistence.destroy()
  }

  #newAedes(): LeanAedes {
    const { limits, counters, persistence } = { limits: this.#limits, counters: this.#counters, persistence: this.#persistence }
    const links = this.#links
    const emitter = new LeanEmitter()
    const { authenticate } = this.#options
    const admission = new Admission({ links, limits, authenticate, penalties: this.#penalties, keeper: persistence.keeper })
    const subscribing = new Subscribing({ links, limits, counters, persistence })
    return new LeanAedes({
      id: randomUUID(), // one for each run: publications are told apart by it
      mq: emitter,
      persistence,
      isWanted: topic => emitter.has(topic) || persistence.hasSubscriber(topic),
      preConnect: admission.preConnect,
      authenticate: admission.authenticate,
      authorizePublish: this.#publishing.authorize,
      authorizeSubscribe: subscribing.authorize,
      authorizeForward: subscribing.forward,
      connectTimeout: limits.connectTimeoutMs,
      drainTimeout: limits.unreadMs,
      maxClientsIdLength: ANY_LENGTH,
      maxTopicLevels: limits.topicLevels,
      maxInflightInbound: limits.inboundInFlight
    })
  }

  /** Aedes' events; none of them decides anything. */
  #observe(): void {
    const { keeper } = this.#persistence
    this.#aedes.on('client', client => {
      this.#clients.add(client)
      if (client.clean) return
      keeper.connected(client.id)
      const free = this.#persistence.freeMessageId(client.id)
      if (free !== undefined) (client as unknown as ClientInternals)._nextId = free
    })
    this.#aedes.on('clientDisconnect', client => {
      this.#clients.delete(client)
      if (!client.clean) keeper.disconnected(client.id)
    })
    this.#aedes.on('connackSent', ({ returnCode }, client) => {
      const link = this.#links.get(client)
      if (link && returnCode === 0) link.ready = true
    })
    this.#aedes.on('unsubscribe', (filters, client) => {
      for (const filter of filters) this.#links.get(client)?.filters.delete(filter)
    })
    const onError = (client: Client, error: Error): void => this.#count(client, error)
    this.#aedes.on('clientError', onError).on('connectionError', onError)
    const { log } = this.#options
    const events: EventEmitter = this.#aedes // whose types leave this one out
    events.on('error', (error: Error & { code?: string }) => log.error({ code: error.code }, `MQTT: ${error.message}`))
  }

  #arrive({ stream, address, certificate }: Arrival): void {
    const link = new Link(stream, { address, certificate }, this.#limits)
    this.#links.set(this.#aedes.handle(stream), link)
  }

  #count(client: Client, error: Error): void {
    const reason = reasonOf(error)
    if (!reason || (error instanceof Refusal && reason === 'not-kept')) return // counted where it happened
    const link = this.#links.get(client)
    const { code } = error as { code?: string }
    this.#counters.refuse(reason, { address: link?.address, clientId: link?.clientId, station: link?.station, code })
  }

  #emitWill({ topic, payload, qos, retain }: Will): Promise<void> {
    return this.#emit({ cmd: 'publish', topic, payload, qos, retain, dup: false })
  }

  /** Settles in a later turn of the event loop: who publishes in a loop does not keep the connections from being served. */
  #emit(packet: PublishPacket): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#aedes.publish(packet, error => setImmediate(() => (error ? reject(error) : resolve())))
    })
  }
}
