import type { Client, PublishPacket } from 'aedes'
import { mayPublish } from '#libs/pipeline'
import type { Counters } from './counters.js'
import { Refusal } from './errors.js'
import { isRetainable, type Link } from './link.js'
import type { BrokerOptions } from './options.js'
import type { Will } from './persistence/packets.js'
import type { SqlitePersistence } from './persistence/persistence.js'
import { parseSessionId } from './session-id.js'

export interface PublishingParts {
  readonly links: WeakMap<Client, Link>
  readonly counters: Counters
  readonly persistence: SqlitePersistence
  readonly onPublish: BrokerOptions['onPublish']
}

type Done = (error?: Error | null) => void

const KEPT = Promise.resolve()
const ignore = (): void => undefined

/**
 * What happens to a PUBLISH before it is acknowledged. Aedes answers QoS 1 before it publishes; its `authorizePublish` is the
 * one place that can hold the answer back, so this is where `onPublish` keeps the message.
 */
export class Publishing {
  readonly #parts: PublishingParts

  constructor(parts: PublishingParts) {
    this.#parts = parts
  }

  /** Aedes' `authorizePublish`. It also brings wills (no `cmd`; no client where an earlier run left them). */
  readonly authorize = (client: Client | null, packet: PublishPacket | Will, done: Done): void => {
    if (!('cmd' in packet)) return this.#will(client, packet, done)
    const link = client && this.#parts.links.get(client)
    if (!link) return done(new Refusal('protocol-error'))
    if (!link.mayPublish(packet.topic)) {
      // `$SYS/` too: no principal may publish there. An acknowledgement would be a lie, so the connection is closed.
      link.acknowledgements.add(Promise.reject(new Refusal('foreign-topic')), 0, done)
      return
    }
    packet.retain &&= isRetainable(packet.topic)
    // A closed connection gets no answer, and its QoS 0 message still goes to the subscribers.
    const answer: Done = packet.qos === 0 ? done : error => client.closed || done(error)
    link.acknowledgements.add(this.#keep(link, client, packet), packet.payload.length, answer)
  }

  /** Wills that a stopped server left are published when it starts: the connections behind them are gone. */
  async publishLeft(publish: (will: Will) => Promise<void>, runs: Readonly<Record<string, unknown>>): Promise<number> {
    const { persistence } = this.#parts
    let published = 0
    for await (const will of persistence.streamWill(runs) as AsyncIterable<Will>) {
      try {
        await this.#keepWill(will)
        await publish(will)
        await persistence.delWill({ id: will.clientId ?? '' })
        published++
      } catch {
        // Counted where it failed; the will stays in the file for the next start.
      }
    }
    return published
  }

  /** Rejects, for QoS 1 and 2, with a Refusal. */
  #keep(link: Link, client: Client, packet: PublishPacket): Promise<void> {
    const { counters, persistence } = this.#parts
    const { topic, payload, qos, dup: duplicate, retain, messageId } = packet
    counters.received[qos]++
    // QoS 2 sent again before its PUBREL: it was kept the first time [MQTT-4.3.3-2].
    if (qos === 2 && persistence.hasIncoming(client, messageId ?? 0)) return KEPT
    const { clientId, principal } = link
    if (!principal) return Promise.reject(new Refusal('protocol-error'))
    const kept = this.#give({ topic, payload: payload as Buffer, qos, duplicate, retain, clientId, principal })
    return qos === 0 ? kept.catch(ignore) : kept
  }

  async #keepWill(will: Will): Promise<void> {
    const { station, clientId } = parseSessionId(will.clientId ?? '')
    if (!station || !mayPublish(station, will.topic)) return Promise.reject(new Refusal('foreign-will'))
    const { topic, payload, qos, retain } = will
    await this.#give({ topic, payload: payload as Buffer, qos, duplicate: false, retain, clientId, principal: station })
  }

  #will(client: Client | null, will: Will, done: Done): void {
    this.#keepWill(will).then(
      () => done(null),
      // The connection is gone; unanswered, Aedes leaves the will in the file, and the next start publishes it.
      (error: unknown) => client?.closed || done(error as Error)
    )
  }

  #give(message: Parameters<BrokerOptions['onPublish']>[0]): Promise<void> {
    const { counters, onPublish } = this.#parts
    counters.pending++
    return onPublish(message).then(
      () => {
        counters.pending--
      },
      (cause: unknown) => {
        counters.pending--
        const { clientId, principal } = message
        const station = principal.kind === 'station' ? principal.code : undefined
        counters.refuse('not-kept', { clientId, station, code: (cause as { code?: string }).code })
        throw new Refusal('not-kept')
      }
    )
  }
}
