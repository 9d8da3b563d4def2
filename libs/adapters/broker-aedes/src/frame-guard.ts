import type { RefusalReason } from './errors.js'

const CONNECT = 1
/** MQTT 3.1.1, section 2.2.3: the remaining length has at most four bytes of seven bits. */
const MAX_SHIFT = 21

export interface FrameLimits {
  /** Largest packet, in bytes after its fixed header. */
  readonly packetBytes: number
  /** Largest CONNECT: nobody has logged in yet, so strangers may fill only this much memory. */
  readonly connectBytes: number
}

/**
 * Follows the frames of an incoming MQTT stream without copying: a packet over the limit is known from its header, before
 * its body is read. The first packet must be a CONNECT, so noise is cut at its first byte.
 */
export class FrameGuard {
  readonly #limits: FrameLimits
  /** Bytes of the current packet's body that are still to come. */
  #left = 0
  /** Where the next length byte goes; -1 while a new packet's first byte is awaited. */
  #shift = -1
  #length = 0
  #first = true

  constructor(limits: FrameLimits) {
    this.#limits = limits
  }

  /** Why the connection must be cut at this chunk, or null. */
  scan(chunk: Uint8Array): RefusalReason | null {
    let at = 0
    while (at < chunk.length) {
      if (this.#left > 0) {
        const step = Math.min(this.#left, chunk.length - at)
        this.#left -= step
        at += step
        continue
      }
      const fault = this.#header(chunk[at++] as number)
      if (fault) return fault
    }
    return null
  }

  #header(byte: number): RefusalReason | null {
    if (this.#shift === -1) {
      if (this.#first && byte >> 4 !== CONNECT) return 'protocol-error'
      this.#shift = 0
      this.#length = 0
      return null
    }
    if (this.#shift > MAX_SHIFT) return 'protocol-error'
    this.#length |= (byte & 0x7f) << this.#shift
    this.#shift += 7
    if (byte >= 0x80) return null
    if (this.#length > (this.#first ? this.#limits.connectBytes : this.#limits.packetBytes)) return 'packet-too-large'
    this.#left = this.#length
    this.#shift = -1
    this.#first = false
    return null
  }
}
