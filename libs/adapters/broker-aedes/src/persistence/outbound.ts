import { Readable } from 'node:stream'
import type { Entry } from './outbound-queue.js'
import { isLive, keep, ownCopy, type PublishLike, type Pubrel, type Qos, type StoredPublish, weight } from './packets.js'
import { headOf } from './rows.js'
import type { Operation } from './schema.js'
import type { SessionKeeper } from './session-keeper.js'
import type { Session, Sessions } from './sessions.js'
import type { SessionStore } from './store.js'

/** Never settles: Aedes then leaves a delivery alone. */
const NEVER: Promise<never> = new Promise(() => undefined)

export interface OutboundLimits {
  /** Messages and bytes of one session's queue. */
  readonly queuedMessages: number
  readonly queuedBytes: number
  /** Bytes of all queues together. */
  readonly totalQueuedBytes: number
}

export interface OutboundParts {
  readonly sessions: Sessions
  readonly keeper: SessionKeeper
  readonly store: SessionStore
  readonly limits: OutboundLimits
  readonly onFull: (sessionId: string) => void
}

interface Target {
  readonly clientId: string
  readonly qos?: Qos
}

/**
 * Messages from the broker to persistent sessions: kept from before they are delivered until they are acknowledged.
 *
 * A queue that is full refuses the newest message, counted, for that session only: what a subscriber was promised first is what
 * it gets first.
 */
export class Outbound {
  readonly #parts: OutboundParts
  #nextSeq: number

  constructor(parts: OutboundParts, nextSeq: number) {
    this.#parts = parts
    this.#nextSeq = nextSeq
  }

  /** One copy for each session, at the highest QoS that its matching subscriptions grant [MQTT-3.3.5-1], not marked retained [MQTT-3.3.1-9]. */
  async enqueue(targets: readonly Target[], packet: PublishLike): Promise<void> {
    const payload = ownCopy(packet.payload)
    const added: [Session, Entry][] = []
    for (const [id, qos] of grantedQos(targets)) {
      const session = this.#parts.keeper.ensure(id)
      if (!session) continue
      const message = keep(packet, { qos: Math.min(packet.qos, qos) as Qos, retain: false, payload })
      if (this.#hasRoomFor(session, message)) added.push([session, session.queue.add(this.#nextSeq++, message)])
      else this.#parts.onFull(id)
    }
    if (added.length === 0) return
    const undo = (): void => added.forEach(([session, entry]) => this.#take(session, entry))
    const operations = added.map(([{ id }, entry]): Operation => ['enqueue', entry.seq, id, headOf(entry.packet), payload])
    await this.#parts.store.durablyOr(undo, ...operations)
  }

  /** Resolves when a message may be sent with the identifier that the packet then has; stays unsettled when it is not to be sent. */
  async update(id: string, packet: PublishLike): Promise<void> {
    const session = this.#parts.sessions.get(id)
    const entry = session?.queue.find(packet)
    const live = isLive(packet)
    if (!session || !entry) {
      if (live) return NEVER // refused by a full queue
      return session?.queue.skipped() // acknowledged since it was drained
    }
    await (session.queue.turn(entry, live) ?? NEVER)
    const previous = entry.packet.messageId
    packet.messageId = session.queue.identify(entry, packet.messageId ?? 1)
    if (packet.messageId === previous) return
    const operation: Operation = ['setMessageId', packet.messageId, entry.seq]
    if (entry.packet.qos === 2) await this.#parts.store.durably(operation)
    else this.#parts.store.later(operation)
  }

  /** A PUBREC came, or a PUBREL was drained: resolves when the PUBREL may be sent. One that nobody knows is answered all the same. */
  async release(id: string, packet: Pubrel): Promise<void> {
    const session = this.#parts.sessions.get(id)
    const entry = session?.queue.findByMessageId(packet.messageId)
    const drained = 'brokerCounter' in packet
    if (!session || !entry) {
      if (drained) session?.queue.skipped()
      return
    }
    if (drained) await session.queue.turn(entry, false)
    if (entry.released) return
    entry.released = true
    await this.#parts.store.durablyOr(() => (entry.released = false), ['release', entry.seq])
  }

  /** PUBACK or PUBCOMP. An identifier that nobody knows, or none, changes nothing. */
  acknowledged(id: string, messageId: number | undefined): StoredPublish | undefined {
    const session = this.#parts.sessions.get(id)
    const entry = messageId === undefined ? undefined : session?.queue.findByMessageId(messageId)
    if (!session || !entry) return undefined
    this.#take(session, entry)
    return entry.packet
  }

  stream(id: string): Readable {
    return Readable.from(this.#parts.sessions.get(id)?.queue.drain() ?? [])
  }

  #hasRoomFor({ queue }: Session, message: StoredPublish): boolean {
    const { limits, sessions } = this.#parts
    const bytes = weight(message)
    return (
      queue.size < limits.queuedMessages &&
      queue.bytes + bytes <= limits.queuedBytes &&
      sessions.queued.bytes + bytes <= limits.totalQueuedBytes
    )
  }

  #take(session: Session, entry: Entry): void {
    session.queue.remove(entry)
    this.#parts.store.later(['dequeue', entry.seq])
  }
}

function grantedQos(targets: readonly Target[]): Map<string, Qos> {
  const granted = new Map<string, Qos>()
  for (const { clientId, qos = 2 } of targets) granted.set(clientId, Math.max(qos, granted.get(clientId) ?? 0) as Qos)
  return granted
}
