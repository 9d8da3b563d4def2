import type { AedesPublishPacket, Client, Subscription } from 'aedes'
import { maySubscribe } from '#libs/pipeline'
import type { Counters } from './counters.js'
import { Refusal } from './errors.js'
import type { Link } from './link.js'
import type { Limits } from './options.js'
import { markLive, type PublishLike, type Qos } from './persistence/packets.js'
import { NO_SUBSCRIPTION, type SqlitePersistence } from './persistence/persistence.js'
import { filterMatches, isValidFilter } from './topic-filter.js'

export interface SubscribingParts {
  readonly links: WeakMap<Client, Link>
  readonly limits: Limits
  readonly counters: Counters
  readonly persistence: SqlitePersistence
}

type Answer = (error: Error | null, subscription?: Subscription | null) => void

/** Who may subscribe what, and in which form a message goes to a subscriber. */
export class Subscribing {
  readonly #parts: SubscribingParts

  constructor(parts: SubscribingParts) {
    this.#parts = parts
  }

  /** Aedes' `authorizeSubscribe`. No subscription as the answer makes a SUBACK of 0x80; an error closes the connection. */
  readonly authorize = (client: Client, subscription: Subscription, answer: Answer): void => {
    const { topic } = subscription
    const link = this.#parts.links.get(client)
    if (!link?.principal || topic === NO_SUBSCRIPTION) return answer(null, null)
    if (!isValidFilter(topic, this.#parts.limits.topicLevels)) return answer(new Refusal('invalid-filter')) // [MQTT-4.7.1-2, 3]
    if (!maySubscribe(link.principal, topic)) return this.#deny(client, topic, answer)
    if (!link.filters.has(topic) && link.filters.size >= this.#parts.limits.subscriptions) {
      this.#parts.counters.refuse('subscription-limit', { clientId: link.clientId, station: link.station })
      return answer(null, null)
    }
    link.filters.add(topic)
    answer(null, subscription)
  }

  /** Aedes' `authorizeForward`: the packet is a copy made for this subscriber, and may be changed. */
  readonly forward = (client: Client, packet: AedesPublishPacket): AedesPublishPacket | null => {
    const link = this.#parts.links.get(client)
    if (!link) return null
    const changed = packet as PublishLike
    if (packet.messageId !== undefined) return this.#queued(client, link, packet)
    if (!link.ready) return null
    if (packet.qos === 2 || (packet.qos > 0 && packet.retain)) changed.qos = grantedQos(client, packet.topic, packet.qos)
    if (packet.qos > 0) markLive(changed)
    return packet
  }

  /** One that waited in the queue. A program whose token has lost its right gets it no more. */
  #queued(client: Client, link: Link, packet: AedesPublishPacket): AedesPublishPacket | null {
    if (link.principal?.kind === 'token' && !maySubscribe(link.principal, packet.topic)) return null
    if (this.#parts.persistence.isRepeated(client.id, packet.messageId ?? 0)) (packet as PublishLike).dup = true // [MQTT-3.3.1-1]
    return packet
  }

  #deny(client: Client, topic: string, answer: Answer): void {
    const { persistence, counters, links } = this.#parts
    const link = links.get(client)
    counters.refuse('foreign-filter', { clientId: link?.clientId, station: link?.station })
    // One that was granted once and is kept with the session: the right to it has been taken away since.
    if (persistence.hasSubscription(client.id, topic)) persistence.removeSubscriptions(client, [topic]).catch(() => undefined)
    answer(null, null)
  }
}

/** [MQTT-3.8.4-6]: no more than was granted; Aedes looks at subscriptions without wildcards only. */
function grantedQos(client: Client, topic: string, qos: Qos): Qos {
  const { subscriptions } = client as unknown as { subscriptions: Record<string, { qos: Qos }> }
  let granted: Qos = 0
  for (const [filter, subscription] of Object.entries(subscriptions)) {
    if (subscription.qos > granted && filterMatches(filter, topic)) granted = subscription.qos
  }
  return Math.min(granted, qos) as Qos
}
