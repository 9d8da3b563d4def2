/** What a load client hears from a broker. */
export interface AckSink {
  connack(sessionPresent: boolean, returnCode: number): void
  puback(packetId: number): void
  pubrec(packetId: number): void
  pubcomp(packetId: number): void
  pingresp(): void
}

/** The broker sent what MQTT 3.1.1 does not allow; the connection cannot be read any further. */
export class MalformedFrame extends Error {
  override readonly name = 'MalformedFrame'
  readonly code = 'QT_LOAD_MALFORMED_FRAME'
}

const CONNACK = 2
const PUBACK = 4
const PUBREC = 5
const PUBCOMP = 7
const PINGRESP = 13

/** Frames whose remaining length is fixed by the standard; others (SUBACK, PUBLISH …) are passed over. */
const FIXED_LENGTH: Readonly<Record<number, number>> = { [CONNACK]: 2, [PUBACK]: 2, [PUBREC]: 2, [PUBCOMP]: 2, [PINGRESP]: 0 }

const AT_TYPE = 0
const AT_LENGTH = 1
const AT_BODY = 2

/**
 * Reads a broker's byte stream, cut anywhere, and reports acknowledgements. Keeps nothing of a frame but its first two body
 * bytes, so it neither allocates nor copies; acknowledgements that lie whole in a chunk take a short way.
 */
export class AckParser {
  readonly #sink: AckSink
  #state = AT_TYPE
  #type = 0
  #shift = 0
  #left = 0
  #seen = 0
  #first = 0
  #second = 0

  constructor(sink: AckSink) {
    this.#sink = sink
  }

  /** Takes the first `length` bytes of `bytes`. Throws MalformedFrame. */
  push(bytes: Uint8Array, length: number = bytes.length): void {
    let at = 0
    while (at < length) {
      if (this.#state === AT_TYPE) {
        const next = this.#whole(bytes, at, length)
        if (next > at) {
          at = next
          continue
        }
      }
      at = this.#step(bytes, at, length)
    }
  }

  /** Reports acknowledgements of four bytes as long as they lie whole in the chunk; returns where it stopped. */
  #whole(bytes: Uint8Array, from: number, length: number): number {
    let at = from
    while (at + 4 <= length && bytes[at + 1] === 2) {
      const type = (bytes[at] as number) >> 4
      const id = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)
      if (type === PUBACK) this.#sink.puback(id)
      else if (type === PUBREC) this.#sink.pubrec(id)
      else if (type === PUBCOMP) this.#sink.pubcomp(id)
      else break
      at += 4
    }
    return at
  }

  #step(bytes: Uint8Array, at: number, length: number): number {
    if (this.#state === AT_TYPE) {
      this.#type = (bytes[at] as number) >> 4
      this.#state = AT_LENGTH
      this.#left = 0
      this.#shift = 0
      return at + 1
    }
    if (this.#state === AT_LENGTH) {
      this.#lengthByte(bytes[at] as number)
      return at + 1
    }
    return this.#bodyBytes(bytes, at, length)
  }

  #lengthByte(byte: number): void {
    this.#left |= (byte & 0x7f) << this.#shift
    this.#shift += 7
    if (byte & 0x80) {
      if (this.#shift > 21) throw new MalformedFrame('a remaining length of more than four bytes')
      return
    }
    const wanted = FIXED_LENGTH[this.#type]
    if (wanted !== undefined && this.#left !== wanted) throw new MalformedFrame(`a frame of type ${this.#type} with ${this.#left} bytes`)
    this.#seen = 0
    this.#state = AT_BODY
    if (this.#left === 0) this.#finish()
  }

  #bodyBytes(bytes: Uint8Array, from: number, length: number): number {
    const upTo = Math.min(length, from + this.#left)
    for (let at = from; at < upTo && this.#seen < 2; at++) {
      if (this.#seen++ === 0) this.#first = bytes[at] as number
      else this.#second = bytes[at] as number
    }
    this.#left -= upTo - from
    if (this.#left === 0) this.#finish()
    return upTo
  }

  #finish(): void {
    this.#state = AT_TYPE
    const id = (this.#first << 8) | this.#second
    if (this.#type === PUBACK) this.#sink.puback(id)
    else if (this.#type === PUBREC) this.#sink.pubrec(id)
    else if (this.#type === PUBCOMP) this.#sink.pubcomp(id)
    else if (this.#type === CONNACK) this.#sink.connack((this.#first & 1) === 1, this.#second)
    else if (this.#type === PINGRESP) this.#sink.pingresp()
  }
}
