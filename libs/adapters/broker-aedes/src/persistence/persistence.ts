import { Readable } from 'node:stream'
import type { Clock } from '#libs/pipeline'
import type { BrokerError, RefusalReason } from '../errors.js'
import { Incoming } from './incoming.js'
import { Outbound, type OutboundLimits } from './outbound.js'
import { type ClientLike, ownCopy, type PublishLike, type Pubrel, type Qos, type StoredPublish, type Will } from './packets.js'
import { type Retained, type RetainedLimits, RetainedMessages } from './retained.js'
import { fillFrom, headOf } from './rows.js'
import type { FileContent } from './schema.js'
import { SessionKeeper, type SessionsBegin, type Subscription } from './session-keeper.js'
import { type PersistentSubscription, type SessionLimits, Sessions } from './sessions.js'
import { SessionStore } from './store.js'

export interface PersistenceLimits extends SessionLimits, OutboundLimits, RetainedLimits {
  readonly inboundInFlight: number
  readonly sessionFileBytes: number
}

export interface PersistenceOptions {
  readonly file: string
  readonly limits: PersistenceLimits
  readonly now: Clock
  readonly sessionsBegin: SessionsBegin
  /** Whether a subscription of a SUBSCRIBE was granted: Aedes also passes those that were refused. */
  readonly accepts?: (client: ClientLike, topic: string) => boolean
  readonly onRefused?: (reason: RefusalReason, detail: string) => void
  /** The writer's thread has ended by a fault of its own: nothing is kept any more until the next start. */
  readonly onFailed?: (error: BrokerError) => void
}

interface Broker {
  id: string
}

/** Stands for the subscriptions of a resumed session that has none: it is refused, and makes Aedes say "session present". */
export const NO_SUBSCRIPTION = '$no-subscription'

/**
 * Aedes' persistence on SQLite: sessions, their subscriptions and queues, half-done QoS 2 in both directions, retained
 * messages and wills outlive the process.
 *
 * Everything is mirrored in memory, so reading never waits, and a message that no persistent session wants costs one look-up.
 * A promise that means "kept" resolves after fsync (session-file.ts says which commits are durable). When a write fails, the promise
 * rejects and the mirror is as the file.
 */
export class SqlitePersistence {
  readonly #options: PersistenceOptions
  readonly #store: SessionStore
  readonly #sessions: Sessions
  readonly #outbound: Outbound
  readonly #incoming: Incoming
  readonly #retained: RetainedMessages<Retained>
  readonly #wills = new Map<string, Will>()
  /** Begins, marks and ends sessions. */
  readonly keeper: SessionKeeper
  #broker: Broker | null = null

  private constructor(options: PersistenceOptions, store: SessionStore, content: FileContent) {
    const { limits, now } = options
    this.#options = options
    this.#store = store
    this.#retained = new RetainedMessages(limits)
    const sessions = (this.#sessions = new Sessions(limits, now))
    const nextSeq = fillFrom(content, { sessions, retained: this.#retained, wills: this.#wills })
    const keeper = (this.keeper = new SessionKeeper(sessions, store, { begin: options.sessionsBegin, now }))
    const onFull = (id: string): void => options.onRefused?.('queue-limit', id)
    this.#outbound = new Outbound({ sessions, keeper, store, limits, onFull }, nextSeq)
    const keepPayloads = options.sessionsBegin === 'used'
    this.#incoming = new Incoming({ sessions, keeper, store, limit: limits.inboundInFlight, keepPayloads })
  }

  /** @throws BrokerError QT_MQTT_SESSIONS_LOCKED, QT_MQTT_SESSIONS_UNREADABLE */
  static async open(options: PersistenceOptions): Promise<SqlitePersistence> {
    const setup = { file: options.file, maxBytes: options.limits.sessionFileBytes }
    const { store, content } = await SessionStore.open(setup, options.onFailed)
    return new SqlitePersistence(options, store, content)
  }

  hasSubscriber(topic: string): boolean {
    return this.#sessions.trie.match(topic).length > 0
  }

  hasSubscription(id: string, topic: string): boolean {
    return this.#sessions.get(id)?.subscriptions.has(topic) ?? false
  }

  hasIncoming(client: ClientLike, messageId: number): boolean {
    return this.#incoming.has(client, messageId)
  }

  /** Whether the message with this identifier was sent on an earlier connection already. */
  isRepeated(id: string, messageId: number): boolean {
    return this.#sessions.get(id)?.queue.findByMessageId(messageId)?.repeated ?? false
  }

  freeMessageId(id: string): number | undefined {
    return this.#sessions.get(id)?.queue.freeMessageId()
  }

  stats(): { sessions: number; queuedMessages: number; queuedBytes: number; retainedMessages: number; retainedBytes: number } {
    const { messages, bytes } = this.#sessions.queued
    const { size, bytes: retainedBytes } = this.#retained
    return { sessions: this.#sessions.size, queuedMessages: messages, queuedBytes: bytes, retainedMessages: size, retainedBytes }
  }

  get broker(): Broker | null {
    return this.#broker
  }

  async setup(broker: Broker): Promise<void> {
    this.#broker = broker
  }

  async destroy(): Promise<void> {
    await this.#store.close()
  }

  /** Seen by subscribers once it is kept: one who subscribes meanwhile gets the publication itself, not both. */
  async storeRetained(packet: PublishLike): Promise<void> {
    const { topic } = packet
    if (packet.payload.length === 0) {
      await this.#store.durably(['dropRetained', topic])
      this.#retained.delete(topic)
      return
    }
    const message = { ...packet, payload: ownCopy(packet.payload) }
    if (!this.#retained.hasRoomFor(message)) return this.#options.onRefused?.('retained-limit', topic)
    await this.#store.durably(['putRetained', topic, headOf(message), message.payload])
    this.#retained.set(message)
  }

  createRetainedStream(filter: string): Readable {
    return this.createRetainedStreamCombi([filter])
  }

  createRetainedStreamCombi(filters: readonly string[]): Readable {
    return Readable.from(this.#retained.matching(filters))
  }

  async addSubscriptions(client: ClientLike, subscriptions: readonly Subscription[]): Promise<void> {
    const { accepts } = this.#options
    const granted = accepts ? subscriptions.filter(({ topic }) => accepts(client, topic)) : subscriptions
    await this.keeper.subscribe(client.id, granted)
  }

  async removeSubscriptions(client: ClientLike, topics: readonly string[]): Promise<void> {
    await this.keeper.unsubscribe(client.id, topics)
  }

  async cleanSubscriptions(client: ClientLike): Promise<void> {
    await this.keeper.unsubscribe(client.id, [...(this.#sessions.get(client.id)?.subscriptions.keys() ?? [])])
  }

  async subscriptionsByClient(client: ClientLike): Promise<Subscription[]> {
    const session = this.#sessions.get(client.id)
    if (session?.resumed && session.subscriptions.size === 0) return [{ topic: NO_SUBSCRIPTION, qos: 0 }]
    return [...(session?.subscriptions ?? [])].map(([topic, record]) => ({ topic, ...record }))
  }

  async subscriptionsByTopic(topic: string): Promise<readonly PersistentSubscription[]> {
    return this.#sessions.trie.match(topic)
  }

  async countOffline(): Promise<{ subsCount: number; clientsCount: number }> {
    const clients = [...this.#sessions.values()].filter(session => session.subscriptions.size > 0)
    return { subsCount: this.#sessions.trie.size, clientsCount: clients.length }
  }

  getClientList(topic: string): Readable {
    const subscribed = [...this.#sessions.values()].filter(session => session.subscriptions.has(topic))
    return Readable.from(subscribed.map(session => session.id))
  }

  async outgoingEnqueue(target: { clientId: string; qos?: Qos }, packet: PublishLike): Promise<void> {
    await this.#outbound.enqueue([target], packet)
  }

  async outgoingEnqueueCombi(targets: readonly { clientId: string; qos?: Qos }[], packet: PublishLike): Promise<void> {
    await this.#outbound.enqueue(targets, packet)
  }

  async outgoingUpdate(client: ClientLike, packet: PublishLike | Pubrel): Promise<void> {
    await (packet.cmd === 'pubrel' ? this.#outbound.release(client.id, packet) : this.#outbound.update(client.id, packet))
  }

  async outgoingClearMessageId(client: ClientLike, packet: { messageId?: number | undefined }): Promise<StoredPublish | undefined> {
    return this.#outbound.acknowledged(client.id, packet.messageId)
  }

  outgoingStream(client: ClientLike): Readable {
    return this.#outbound.stream(client.id)
  }

  async incomingStorePacket(client: ClientLike, packet: PublishLike): Promise<void> {
    await this.#incoming.put(client, packet)
  }

  async incomingGetPacket(client: ClientLike, packet: { messageId?: number | undefined }): Promise<StoredPublish> {
    return this.#incoming.get(client, packet)
  }

  async incomingDelPacket(client: ClientLike, packet: { messageId?: number | undefined }): Promise<void> {
    this.#incoming.delete(client, packet)
  }

  async cleanIncoming(client: ClientLike): Promise<void> {
    await this.#incoming.clear(client)
  }

  async putWill(client: ClientLike, will: Will): Promise<void> {
    if (this.#broker) will.brokerId = this.#broker.id
    will.clientId = client.id
    this.#wills.set(client.id, will)
    const undo = (): void => void this.#wills.delete(client.id)
    await this.#store.durablyOr(undo, ['putWill', client.id, headOf(will), ownCopy(will.payload)])
  }

  async getWill(client: ClientLike): Promise<Will | undefined> {
    return this.#wills.get(client.id)
  }

  async delWill(client: ClientLike): Promise<Will | undefined> {
    const will = this.#wills.get(client.id)
    if (!will) return undefined
    this.#wills.delete(client.id)
    this.#store.later(['dropWill', client.id])
    return will
  }

  /** Wills left by other runs of the broker than those named. */
  streamWill(brokers: Readonly<Record<string, unknown>> = {}): Readable {
    return Readable.from([...this.#wills.values()].filter(({ brokerId }) => !brokerId || brokers[brokerId] === undefined))
  }
}
