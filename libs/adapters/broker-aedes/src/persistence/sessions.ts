import type { Clock } from '#libs/pipeline'
import { TopicTrie } from '../topic-trie.js'
import { OutboundQueue, type Tally } from './outbound-queue.js'
import type { Qos, StoredPublish } from './packets.js'

/** What a subscriber asked for; the properties after `qos` are MQTT 5's and are kept as they come. */
export interface SubscriptionRecord {
  readonly qos: Qos
  readonly rh?: unknown
  readonly rap?: unknown
  readonly nl?: unknown
  readonly subscriptionIdentifier?: number
}

/** A subscription of QoS 1 or 2 as the trie holds it. */
export interface PersistentSubscription extends SubscriptionRecord {
  readonly clientId: string
  readonly topic: string
}

export interface Session {
  readonly id: string
  readonly subscriptions: Map<string, SubscriptionRecord>
  readonly queue: OutboundQueue
  /** QoS 2 messages received and not yet released by the sender, by packet identifier. */
  readonly incoming: Map<number, StoredPublish>
  online: boolean
  lastSeen: number
  /** Whether the last CONNECT found it here: the CONNACK says "session present" also without a subscription. */
  resumed: boolean
}

export interface SessionLimits {
  readonly sessions: number
  readonly sessionIdleMs: number
  readonly window: number
}

/** The persistent sessions in memory, with the index that finds subscribers by topic. */
export class Sessions {
  readonly #limits: SessionLimits
  readonly #now: Clock
  readonly #byId = new Map<string, Session>()
  readonly trie = new TopicTrie<PersistentSubscription>()
  /** Messages queued in all sessions together. */
  readonly queued: Tally = { messages: 0, bytes: 0 }
  readonly #indexed = new Map<string, Map<string, PersistentSubscription>>()

  constructor(limits: SessionLimits, now: Clock) {
    this.#limits = limits
    this.#now = now
  }

  get size(): number {
    return this.#byId.size
  }

  get(id: string): Session | undefined {
    return this.#byId.get(id)
  }

  values(): IterableIterator<Session> {
    return this.#byId.values()
  }

  create(id: string): Session {
    const session: Session = {
      id,
      subscriptions: new Map(),
      queue: new OutboundQueue(this.#limits.window, this.queued),
      incoming: new Map(),
      online: false,
      lastSeen: this.#now(),
      resumed: false
    }
    this.#byId.set(id, session)
    return session
  }

  remove(session: Session): void {
    for (const topic of [...session.subscriptions.keys()]) this.unsubscribe(session, topic)
    session.queue.clear()
    this.#byId.delete(session.id)
  }

  subscribe(session: Session, topic: string, record: SubscriptionRecord): void {
    this.#unindex(session, topic)
    session.subscriptions.set(topic, record)
    if (record.qos === 0) return
    const { qos, rh, rap, nl } = record
    const subscription: PersistentSubscription = { clientId: session.id, topic, qos, rh, rap, nl }
    let indexed = this.#indexed.get(session.id)
    if (!indexed) this.#indexed.set(session.id, (indexed = new Map<string, PersistentSubscription>()))
    indexed.set(topic, subscription)
    this.trie.add(topic, subscription)
  }

  unsubscribe(session: Session, topic: string): void {
    this.#unindex(session, topic)
    session.subscriptions.delete(topic)
  }

  /** Whether one more session may be kept; when none may, the one to give up for it, if there is any. */
  roomForOne(): { readonly room: boolean; readonly victim?: Session } {
    if (this.#byId.size < this.#limits.sessions) return { room: true }
    let victim: Session | undefined
    for (const session of this.#byId.values()) {
      if (session.online || session.queue.size > 0) continue
      if (!victim || session.lastSeen < victim.lastSeen) victim = session
    }
    return victim ? { room: true, victim } : { room: false }
  }

  /** Disconnected sessions that were not used for too long. */
  expired(): Session[] {
    const oldest = this.#now() - this.#limits.sessionIdleMs
    return [...this.#byId.values()].filter(session => !session.online && session.lastSeen < oldest)
  }

  #unindex(session: Session, topic: string): void {
    const indexed = this.#indexed.get(session.id)
    const subscription = indexed?.get(topic)
    if (!indexed || !subscription) return
    this.trie.remove(topic, subscription)
    indexed.delete(topic)
    if (indexed.size === 0) this.#indexed.delete(session.id)
  }
}
