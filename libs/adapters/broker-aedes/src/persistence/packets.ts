/** The properties of Aedes' packets that this adapter relies on; Aedes' own types leave half of them out. */
export interface PublishLike {
  readonly cmd?: 'publish'
  readonly topic: string
  readonly payload: Buffer | string
  qos: Qos
  retain: boolean
  dup?: boolean
  messageId?: number | undefined
  readonly brokerId?: string | undefined
  readonly brokerCounter?: number | undefined
  /** MQTT 5's no-local flag, unused below MQTT 5: here it marks a live delivery (see `markLive`). */
  nl?: unknown
}

export type Qos = 0 | 1 | 2

/** Aedes hands its clients over; only these two properties are looked at. */
export interface ClientLike {
  readonly id: string
  readonly clean?: boolean
}

/** A PUBLISH as the queues keep it. */
export interface StoredPublish {
  readonly cmd: 'publish'
  readonly brokerId: string | undefined
  readonly brokerCounter: number
  readonly topic: string
  readonly payload: Buffer | string
  readonly qos: Qos
  readonly retain: boolean
  readonly dup: boolean
  messageId: number | undefined
}

export interface Pubrel {
  readonly cmd: 'pubrel'
  readonly messageId: number
}

/** A will as Aedes passes it: the client's, with the session and the run of the broker added. */
export interface Will {
  readonly topic: string
  readonly payload: Buffer | string
  readonly qos: Qos
  readonly retain: boolean
  brokerId?: string | undefined
  clientId?: string
}

const LIVE = Symbol('live')

/**
 * Marks a packet that Aedes is about to deliver because it was published just now, to tell it from one that it takes out of
 * the queue after a CONNECT. Of what can be set on a packet, `nl` is what survives being wrapped for delivery.
 */
export function markLive(packet: PublishLike): void {
  packet.nl = LIVE
}

export function isLive(packet: PublishLike): boolean {
  return packet.nl === LIVE
}

/** A copy to keep. The payload is copied as well: it is a view of a whole read of the socket, which it would hold in memory. */
export function keep(packet: PublishLike, change: { qos?: Qos; retain?: boolean; payload?: Buffer | string } = {}): StoredPublish {
  return {
    cmd: 'publish',
    brokerId: packet.brokerId,
    brokerCounter: packet.brokerCounter ?? 0,
    topic: packet.topic,
    payload: change.payload ?? ownCopy(packet.payload),
    qos: change.qos ?? packet.qos,
    retain: change.retain ?? packet.retain,
    dup: false,
    messageId: undefined
  }
}

/** In a buffer of its own, which can also be sent to another thread without what lies beside it. */
export function ownCopy(payload: Buffer | string): Buffer | string {
  if (typeof payload === 'string') return payload
  const copy = Buffer.allocUnsafeSlow(payload.length)
  payload.copy(copy)
  return copy
}

/** Memory that a message is counted with: its texts and about what the objects around it take. */
const OVERHEAD_BYTES = 256
export function weight(packet: { topic: string; payload: Buffer | string }): number {
  return packet.topic.length + packet.payload.length + OVERHEAD_BYTES
}
