import type { Clock } from '#libs/pipeline'
import { BrokerError } from '../errors.js'
import type { Operation } from './schema.js'
import type { Session, Sessions, SubscriptionRecord } from './sessions.js'
import type { SessionStore } from './store.js'

export type Subscription = SubscriptionRecord & { readonly topic: string }

/**
 * Where sessions begin: `opened` by the broker alone, which knows their limits; or when they are first `used`, as Aedes' own
 * persistences do and its test suite expects.
 */
export type SessionsBegin = 'opened' | 'used'

/** Begins, marks and ends sessions, and keeps their subscriptions: in memory and in the file. */
export class SessionKeeper {
  readonly #sessions: Sessions
  readonly #store: SessionStore
  readonly #begin: SessionsBegin
  readonly #now: Clock

  constructor(sessions: Sessions, store: SessionStore, options: { begin: SessionsBegin; now: Clock }) {
    this.#sessions = sessions
    this.#store = store
    this.#begin = options.begin
    this.#now = options.now
  }

  /** False: there are too many sessions, and none may be given up. */
  open(id: string): boolean {
    const known = this.#sessions.get(id)
    if (known) {
      known.resumed = true
      return true
    }
    const { room, victim } = this.#sessions.roomForOne()
    if (!room) return false
    if (victim) this.drop(victim.id)
    this.#touch(this.#sessions.create(id), false)
    return true
  }

  drop(id: string): void {
    const session = this.#sessions.get(id)
    if (!session) return
    this.#sessions.remove(session)
    this.#store.later(['dropSession', id], ['dropSubscriptions', id], ['dropQueue', id], ['dropAllIncoming', id])
  }

  connected(id: string): void {
    const session = this.#sessions.get(id)
    if (session) this.#touch(session, true)
  }

  disconnected(id: string): void {
    const session = this.#sessions.get(id)
    if (!session) return
    session.queue.reset()
    this.#touch(session, false)
  }

  /** Ends sessions that were not used for too long; returns how many. */
  expire(): number {
    const expired = this.#sessions.expired()
    for (const { id } of expired) this.drop(id)
    return expired.length
  }

  /** The session, begun now where that is allowed. */
  ensure(id: string): Session | undefined {
    const session = this.#sessions.get(id)
    if (session || this.#begin === 'opened') return session
    const begun = this.#sessions.create(id)
    this.#touch(begun, false)
    return begun
  }

  async subscribe(id: string, subscriptions: readonly Subscription[]): Promise<void> {
    const session = this.ensure(id)
    if (!session) throw new BrokerError('QT_MQTT_SESSIONS_FAILED', 'the session has been given up')
    await Promise.all(subscriptions.map(subscription => this.#subscribe(session, subscription)))
  }

  async unsubscribe(id: string, topics: readonly string[]): Promise<void> {
    const session = this.#sessions.get(id)
    if (!session || topics.length === 0) return
    for (const topic of topics) this.#sessions.unsubscribe(session, topic)
    await this.#store.durably(...topics.map((topic): Operation => ['dropSubscription', id, topic]))
  }

  async #subscribe(session: Session, { topic, ...given }: Subscription): Promise<void> {
    const { qos, rh, rap, nl, subscriptionIdentifier } = given
    const record = { qos, rh, rap, nl, ...(subscriptionIdentifier === undefined ? {} : { subscriptionIdentifier }) }
    const previous = session.subscriptions.get(topic)
    const text = JSON.stringify(record)
    if (previous && JSON.stringify(previous) === text) return
    this.#sessions.subscribe(session, topic, record)
    const undo = (): void => {
      if (previous) this.#sessions.subscribe(session, topic, previous)
      else this.#sessions.unsubscribe(session, topic)
    }
    await this.#store.durablyOr(undo, ['putSubscription', session.id, topic, text])
  }

  #touch(session: Session, online: boolean): void {
    session.online = online
    session.lastSeen = this.#now()
    this.#store.later(['putSession', session.id, online ? 1 : 0, session.lastSeen])
  }
}
