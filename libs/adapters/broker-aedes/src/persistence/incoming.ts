import { Refusal } from '../errors.js'
import { type ClientLike, keep, type PublishLike, type StoredPublish } from './packets.js'
import { headOf } from './rows.js'
import type { SessionKeeper } from './session-keeper.js'
import type { Sessions } from './sessions.js'
import type { SessionStore } from './store.js'

const NOT_FOUND = new Error('no such packet')
const EMPTY = Buffer.alloc(0)

interface Identified {
  readonly messageId?: number | undefined
}

export interface IncomingParts {
  readonly sessions: Sessions
  readonly keeper: SessionKeeper
  readonly store: SessionStore
  /** Messages that one session may leave unreleased. */
  readonly limit: number
  /** Only the identifiers matter to the protocol; payloads are kept for Aedes' test suite alone. */
  readonly keepPayloads: boolean
}

/**
 * QoS 2 messages that were received and not yet released by their sender: what makes a repeated PUBLISH known as such.
 * Those of a clean session end with its connection and stay in memory.
 */
export class Incoming {
  readonly #parts: IncomingParts
  readonly #transient = new Map<string, Map<number, StoredPublish>>()

  constructor(parts: IncomingParts) {
    this.#parts = parts
  }

  has(client: ClientLike, messageId: number): boolean {
    return this.#of(client)?.has(messageId) ?? false
  }

  /** @throws Refusal inflight-limit */
  async put(client: ClientLike, packet: PublishLike): Promise<void> {
    const messageId = packet.messageId ?? 0
    const stored = keep(packet, this.#parts.keepPayloads ? {} : { payload: EMPTY })
    stored.messageId = messageId
    const session = client.clean ? undefined : this.#parts.keeper.ensure(client.id)
    const messages = session?.incoming ?? this.#transientOf(client.id)
    if (messages.size >= this.#parts.limit && !messages.has(messageId)) throw new Refusal('inflight-limit')
    messages.set(messageId, stored)
    if (!session) return
    const undo = (): void => void messages.delete(messageId)
    await this.#parts.store.durablyOr(undo, ['putIncoming', client.id, messageId, headOf(stored), stored.payload])
  }

  /** @throws Error when there is none: Aedes asks in this way. */
  get(client: ClientLike, { messageId = 0 }: Identified): StoredPublish {
    const stored = this.#of(client)?.get(messageId)
    if (!stored) throw NOT_FOUND
    return stored
  }

  delete(client: ClientLike, { messageId = 0 }: Identified): void {
    if (!this.#of(client)?.delete(messageId)) throw NOT_FOUND
    if (this.#parts.sessions.get(client.id)) this.#parts.store.later(['dropIncoming', client.id, messageId])
  }

  async clear(client: ClientLike): Promise<void> {
    this.#transient.delete(client.id)
    const session = this.#parts.sessions.get(client.id)
    if (!session || session.incoming.size === 0) return
    session.incoming.clear()
    await this.#parts.store.durably(['dropAllIncoming', client.id])
  }

  #of(client: ClientLike): Map<number, StoredPublish> | undefined {
    const session = client.clean ? undefined : this.#parts.sessions.get(client.id)
    return session?.incoming ?? this.#transient.get(client.id)
  }

  #transientOf(id: string): Map<number, StoredPublish> {
    let messages = this.#transient.get(id)
    if (!messages) this.#transient.set(id, (messages = new Map<number, StoredPublish>()))
    return messages
  }
}
