import { WireError } from './error.js'

const encoder = new TextEncoder()
// Fatal: bytes that are no text are damage. The mark is kept: what was written comes back as it was.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A text's length is one byte below this; from here on it is this byte and a u32. */
const LONG = 255

export const damaged = (what: string): WireError => new WireError('QT_WIRE_DAMAGED', `journal record: ${what}`)

/**
 * Writes one record after another into slabs of 64 KiB and hands out views of them: a buffer of its own for every record
 * costs more than its content. Bytes that were handed out are never written again. Big-endian.
 */
export class ByteWriter {
  private bytes = new Uint8Array(SLAB_BYTES)
  private view = new DataView(this.bytes.buffer)
  private start = 0
  private end = 0

  /** Bytes written since `begin`. */
  get length(): number {
    return this.end - this.start
  }

  begin(): void {
    this.start = this.end
  }

  u8(value: number): void {
    this.room(1)
    this.bytes[this.end++] = value
  }

  u32(value: number): void {
    this.room(4)
    this.view.setUint32(this.end, value)
    this.end += 4
  }

  f64(value: number): void {
    this.room(8)
    this.view.setFloat64(this.end, value)
    this.end += 8
  }

  /** A text with its length before it. */
  text(value: string): void {
    this.room(1 + value.length)
    const lengthAt = this.end++
    if (value.length < LONG && this.ascii(value)) {
      this.bytes[lengthAt] = value.length
      return
    }
    this.bytes[lengthAt] = LONG
    this.room(4 + 3 * value.length)
    const { written } = encoder.encodeInto(value, this.bytes.subarray(this.end + 4))
    this.view.setUint32(this.end, written)
    this.end += 4 + written
  }

  /** A text without its length. */
  bareText(value: string): void {
    this.room(3 * value.length)
    if (!this.ascii(value)) this.end += encoder.encodeInto(value, this.bytes.subarray(this.end)).written
  }

  raw(value: Uint8Array): void {
    this.room(value.length)
    this.bytes.set(value, this.end)
    this.end += value.length
  }

  /** Sets a u32 that was written `offset` bytes after `begin`. */
  patchU32(offset: number, value: number): void {
    this.view.setUint32(this.start + offset, value)
  }

  /** A view of what was written since `begin`, from one offset to another. */
  slice(from: number, to: number): Uint8Array {
    return this.bytes.subarray(this.start + from, this.start + to)
  }

  /** Writes a text of ASCII characters where there is room for it; writes nothing of any other. */
  private ascii(value: string): boolean {
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i)
      if (code > 0x7f) return false
      this.bytes[this.end + i] = code
    }
    this.end += value.length
    return true
  }

  private room(more: number): void {
    if (this.end + more > this.bytes.length) this.grow(more)
  }

  /** Takes the record that is being written along into a new slab. */
  private grow(more: number): void {
    const begun = this.bytes.subarray(this.start, this.end)
    this.bytes = new Uint8Array(Math.max(SLAB_BYTES, 2 * (begun.length + more)))
    this.view = new DataView(this.bytes.buffer)
    this.bytes.set(begun)
    this.start = 0
    this.end = begun.length
  }
}

const SLAB_BYTES = 64 * 1024

/** Reads what ByteWriter wrote. Whatever is missing or cannot be is a WireError QT_WIRE_DAMAGED. */
export class ByteReader {
  private readonly view: DataView
  private position = 0

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get isAtEnd(): boolean {
    return this.position === this.bytes.length
  }

  u8(): number {
    return this.bytes[this.take(1)] as number
  }

  u32(): number {
    return this.view.getUint32(this.take(4))
  }

  f64(): number {
    return this.view.getFloat64(this.take(8))
  }

  text(): string {
    const short = this.u8()
    const length = short === LONG ? this.u32() : short
    const from = this.take(length)
    try {
      return decoder.decode(this.bytes.subarray(from, from + length))
    } catch {
      throw damaged('a text is not UTF-8')
    }
  }

  /** One of the words of a closed list, written as its index. */
  oneOf<T>(list: readonly T[]): T {
    const index = this.u8()
    if (index >= list.length) throw damaged(`no meaning has the number ${index}`)
    return list[index] as T
  }

  private take(length: number): number {
    const from = this.position
    if (from + length > this.bytes.length) throw damaged('it is cut off')
    this.position = from + length
    return from
  }
}
