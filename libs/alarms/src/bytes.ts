const ORDER = Float64Array.of(Math.PI)

/** Appends numbers and texts to bytes, little-endian. */
export class ByteWriter {
  #bytes = new Uint8Array(4_096)
  #view = new DataView(this.#bytes.buffer)
  #length = 0

  /** A whole number from 0 to 2^53: seven bits a byte, the lowest first. */
  count(value: number): void {
    this.#reserve(8)
    let rest = value
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest % 128) + 128
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#length++] = rest
  }

  number(value: number): void {
    this.#reserve(8)
    this.#view.setFloat64(this.#length, value, true)
    this.#length += 8
  }

  /** Many numbers at once, as they lie in memory; a reader with the other byte order is refused by `order`. */
  numbers(values: Float64Array): void {
    this.#reserve(values.byteLength)
    this.#bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), this.#length)
    this.#length += values.byteLength
  }

  /** Marks the byte order of this machine. */
  order(): void {
    this.numbers(ORDER)
  }

  text(value: string): void {
    const bytes = new TextEncoder().encode(value)
    this.count(bytes.length)
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** What was written, and a checksum of it. */
  finish(): Uint8Array {
    const sum = checksum(this.#bytes.subarray(0, this.#length))
    this.#reserve(4)
    this.#view.setUint32(this.#length, sum, true)
    return this.#bytes.slice(0, this.#length + 4)
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes + 1
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}

/** Reads what a ByteWriter wrote. Throws RangeError when the bytes end early or the checksum does not fit. */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #end: number
  #next = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#end = bytes.length - 4
    if (this.#end < 0 || this.#view.getUint32(this.#end, true) !== checksum(bytes.subarray(0, this.#end)))
      throw new RangeError('the checksum does not fit the bytes')
  }

  count(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      if (this.#next >= this.#end) throw new RangeError('the bytes end early')
      const byte = this.#bytes[this.#next++] as number
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }

  number(): number {
    const at = this.#take(8)
    return this.#view.getFloat64(at, true)
  }

  /** `count` numbers that were written together. */
  numbers(count: number): Float64Array {
    const at = this.#take(8 * count)
    return new Float64Array(this.#bytes.slice(at, at + 8 * count).buffer)
  }

  order(): void {
    if (this.numbers(1)[0] !== ORDER[0]) throw new RangeError('it was written by a machine of another byte order')
  }

  text(): string {
    const length = this.count()
    const at = this.#take(length)
    return new TextDecoder().decode(this.#bytes.subarray(at, at + length))
  }

  #take(bytes: number): number {
    const at = this.#next
    if (at + bytes > this.#end) throw new RangeError('the bytes end early')
    this.#next += bytes
    return at
  }
}

/** FNV-1a over the bytes: against a torn or foreign snapshot, not against an enemy. */
function checksum(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193)
  return hash >>> 0
}
