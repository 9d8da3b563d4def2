/** Frames of MQTT 3.1.1 (OASIS, 2014) that the load client sends, made once and patched in place. Section numbers are the standard's. */

export type Qos = 0 | 1 | 2

export interface ConnectOptions {
  readonly clientId: string
  readonly clean: boolean
  readonly keepAliveSeconds: number
  readonly username?: string
  readonly password?: string
}

export interface PublishFrame {
  readonly bytes: Buffer
  /** Where the two bytes of the packet identifier stand; -1 with QoS 0, which has none. */
  readonly idOffset: number
  readonly payloadOffset: number
}

export const PINGREQ = Buffer.from([0xc0, 0])
export const DISCONNECT = Buffer.from([0xe0, 0])
/** Bit of the first byte of a PUBLISH that says "sent before" (3.3.1.1). */
export const DUP = 0x08

/** A field with its length in two bytes before it (1.5.3). */
function field(content: Buffer | string): Buffer {
  const bytes = Buffer.from(content)
  if (bytes.length > 0xffff) throw new RangeError(`a field of ${bytes.length} bytes does not fit into MQTT's 65,535`)
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes])
}

/** Remaining length: seven bits a byte, at most four bytes (2.2.3). */
export function encodeLength(length: number): Buffer {
  const bytes: number[] = []
  let rest = length
  do {
    const low = rest & 0x7f
    rest >>>= 7
    bytes.push(rest > 0 ? low | 0x80 : low)
  } while (rest > 0)
  if (bytes.length > 4) throw new RangeError(`a packet of ${length} bytes is longer than MQTT allows`)
  return Buffer.from(bytes)
}

const packet = (first: number, ...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([first]), encodeLength(body.length), body])
}

export function connectFrame(options: ConnectOptions): Buffer {
  const named = options.username !== undefined
  const secret = options.password !== undefined
  const flags = (named ? 0x80 : 0) | (secret ? 0x40 : 0) | (options.clean ? 0x02 : 0)
  const fixed = Buffer.from([4, flags, options.keepAliveSeconds >> 8, options.keepAliveSeconds & 0xff])
  const parts = [field('MQTT'), fixed, field(options.clientId)]
  if (options.username !== undefined) parts.push(field(options.username))
  if (options.password !== undefined) parts.push(field(options.password))
  return packet(0x10, ...parts)
}

export function publishFrame(topic: string, payload: Buffer, qos: Qos): PublishFrame {
  const name = field(topic)
  const id = Buffer.alloc(qos === 0 ? 0 : 2)
  const bytes = packet(0x30 | (qos << 1), name, id, payload)
  const payloadOffset = bytes.length - payload.length
  return { bytes, payloadOffset, idOffset: qos === 0 ? -1 : payloadOffset - 2 }
}

/** PUBREL of each packet identifier, one after another in one buffer (3.6). */
export function pubrelFrames(ids: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(ids.length * 4)
  ids.forEach((id, index) => {
    bytes.writeUInt32BE(0x62020000 + id, index * 4)
  })
  return bytes
}
