import { crc32 } from 'node:zlib'
import type { Millis, Reading } from '#libs/model'
import { HOUR } from '#libs/model'
import type { Standing, StoredReading } from '#libs/pipeline'
import { packExtra, splitExtras, unpackExtra } from './extra.js'
import * as record from './record.js'
import { RECORD_BYTES } from './record.js'
import type { Series } from './series.js'

/**
 * A part: points of one series in one stretch of one hour, packed into the blob of one row. In normal life an hour is one
 * part. An hour with more than MAX_POINTS points is cut into several, so that a write never rewrites a whole busy hour.
 *
 * Format 1, little-endian:
 *
 *   0  u8   version: 1
 *   1  u8   number of extras
 *   2  u16  number of points
 *   4  u32  CRC-32 of everything from offset 8 on, then of the first four bytes
 *   8       points in ascending `at`, 32 bytes each: record.ts
 *   …       extras, in the order of their numbers: extra.ts
 *
 * A part that begins at `start` holds every point of its hour from `start` on, up to the start of the next part. The first
 * part of an hour begins at the full hour, whatever its first point is.
 */
const PART_VERSION = 1

/** A reading a minute fills an hour with 60. Two full parts of 8 + 62 × 32 bytes fit on one SQLite page of 4 KiB. */
export const MAX_POINTS = 62

const HEADER_BYTES = 8
const SMALLEST_CAPACITY = 12

export class Part {
  /** The part holds points of `start <= at < end`. */
  readonly start: Millis
  end: Millis
  /** True when the row has to be written. */
  changed = false
  /** True while the table `part` has no row for it. */
  isNew: boolean
  #count: number
  #bytes: Buffer
  #view: DataView
  readonly #hour: Millis
  readonly #series: Series
  readonly #extras: Buffer[]
  /** CRC-32 of the bytes from the first point up to offset `#summed`. */
  #sum = 0
  #summed = HEADER_BYTES

  private constructor(series: Series, span: { start: Millis; end: Millis }, content: { bytes: Buffer; count: number; extras: Buffer[] }) {
    this.start = span.start
    this.end = span.end
    this.isNew = content.count === 0
    this.#series = series
    this.#hour = hourOf(span.start)
    this.#count = content.count
    this.#extras = content.extras
    this.#bytes = content.bytes
    this.#view = viewOf(content.bytes)
  }

  static empty(series: Series, start: Millis, end: Millis): Part {
    const bytes = Buffer.allocUnsafeSlow(HEADER_BYTES + SMALLEST_CAPACITY * RECORD_BYTES)
    return new Part(series, { start, end }, { bytes, count: 0, extras: [] })
  }

  /** Throws a RangeError that says what is wrong with the bytes. */
  static load(series: Series, bytes: Buffer, start: Millis, end: Millis = hourOf(start) + HOUR): Part {
    if (bytes.length < HEADER_BYTES + RECORD_BYTES) throw new RangeError(`${bytes.length} bytes are no part`)
    if (bytes.readUInt8(0) !== PART_VERSION) throw new RangeError(`unknown version ${bytes.readUInt8(0)}`)
    if (bytes.readUInt32LE(4) !== checksum(bytes)) throw new RangeError('wrong checksum')
    const count = bytes.readUInt16LE(2)
    const tail = HEADER_BYTES + count * RECORD_BYTES
    if (count === 0 || tail > bytes.length) throw new RangeError(`${bytes.length} bytes cannot hold ${count} points`)
    return new Part(series, { start, end }, { bytes, count, extras: splitExtras(bytes, tail, bytes.readUInt8(1)) })
  }

  get count(): number {
    return this.#count
  }

  get full(): boolean {
    return this.#count >= MAX_POINTS
  }

  /** Memory that the part holds on to, roughly. */
  get footprint(): number {
    return 300 + this.#bytes.length + this.#extras.length * 120
  }

  covers(at: Millis): boolean {
    return at >= this.start && at < this.end
  }

  /** Index of the point at `at`, or -1 - (index at which it would stand). */
  find(at: Millis): number {
    const delta = at - this.#hour
    let low = 0
    let high = this.#count
    if (high > 0 && delta > record.deltaAt(this.#view, offsetOf(high - 1))) return -1 - high
    while (low < high) {
      const middle = (low + high) >> 1
      const found = record.deltaAt(this.#view, offsetOf(middle))
      if (found === delta) return middle
      if (found < delta) low = middle + 1
      else high = middle
    }
    return -1 - low
  }

  at(index: number): Millis {
    return this.#hour + record.deltaAt(this.#view, offsetOf(index))
  }

  revision(index: number): number {
    return record.revisionAt(this.#view, offsetOf(index))
  }

  sequence(index: number): number {
    return record.sequenceAt(this.#view, offsetOf(index))
  }

  value(index: number): number {
    return record.valueAt(this.#view, offsetOf(index))
  }

  status(index: number): string {
    const byte = record.statusByteAt(this.#view, offsetOf(index))
    return byte === record.ODD_STATUS ? (this.#extra(index)?.status ?? '') : record.statusText(byte)
  }

  unit(index: number): string {
    return this.#extra(index)?.unit ?? this.#series.unit
  }

  standing(index: number): Standing {
    return {
      value: this.value(index),
      unit: this.unit(index),
      status: this.status(index),
      revision: this.revision(index),
      sequence: this.sequence(index)
    }
  }

  reading(index: number): Reading {
    const offset = offsetOf(index)
    const extra = this.#extra(index)
    const reading = {
      station: this.#series.station,
      parameter: this.#series.parameter,
      at: this.at(index),
      value: record.valueAt(this.#view, offset),
      unit: extra?.unit ?? this.#series.unit,
      status: this.status(index),
      flag: record.flagAt(this.#view, offset),
      flags: record.reasonsAt(this.#view, offset),
      revision: record.revisionAt(this.#view, offset),
      receivedAt: record.receivedAtAt(this.#view, offset),
      road: record.roadAt(this.#view, offset)
    }
    return extra?.reported ? { ...reading, reported: extra.reported } : reading
  }

  stored(index: number): StoredReading {
    return { ...this.reading(index), sequence: this.sequence(index) }
  }

  insert(index: number, reading: StoredReading): void {
    if (this.#count >= MAX_POINTS) throw new RangeError('the part is full')
    this.#reserve()
    this.#bytes.copyWithin(offsetOf(index + 1), offsetOf(index), offsetOf(this.#count))
    this.#count++
    this.#pack(index, reading, 0)
  }

  replace(index: number, reading: StoredReading): void {
    this.#pack(index, reading, record.extraAt(this.#view, offsetOf(index)))
  }

  /** Cuts the points from `index` on off into a part of their own, which begins at the first of them. */
  splitAt(index: number): Part {
    const right = Part.empty(this.#series, this.at(index), this.end)
    for (let from = index; from < this.#count; from++) right.insert(right.count, this.stored(from))
    for (let last = this.#count - 1; last >= index; last--) this.#dropExtra(record.extraAt(this.#view, offsetOf(last)))
    this.#count = index
    this.end = right.start
    this.#touch(0)
    return right
  }

  /** Leaves this part full and begins the next one at `at`, which lies behind the last point. */
  openNext(at: Millis): Part {
    const next = Part.empty(this.#series, at, this.end)
    this.end = at
    return next
  }

  /** The blob as it is written. Valid until the part changes. */
  blob(): Buffer {
    const end = offsetOf(this.#count)
    const points = this.#bytes.subarray(0, end)
    const bytes = this.#extras.length === 0 ? points : Buffer.concat([points, ...this.#extras])
    bytes[0] = PART_VERSION
    bytes[1] = this.#extras.length
    bytes.writeUInt16LE(this.#count, 2)
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 4), crc32(bytes.subarray(end), this.#sumOfPoints())), 4)
    return bytes
  }

  /** CRC-32 of the points; goes on from the last time where points have only been appended since. */
  #sumOfPoints(): number {
    const end = offsetOf(this.#count)
    this.#sum = crc32(this.#bytes.subarray(this.#summed, end), this.#sum)
    this.#summed = end
    return this.#sum
  }

  #touch(index: number): void {
    this.changed = true
    if (offsetOf(index) >= this.#summed) return
    this.#sum = 0
    this.#summed = HEADER_BYTES
  }

  /** `slot` is the number of the extra that the point had before. */
  #pack(index: number, reading: StoredReading, slot: number): void {
    const packed = packExtra(reading, this.#series.unit)
    let extra = slot
    if (!packed) {
      this.#dropExtra(slot)
      extra = 0
    } else if (slot > 0) this.#extras[slot - 1] = packed
    else extra = this.#extras.push(packed)
    record.packRecord(this.#view, offsetOf(index), reading, { delta: reading.at - this.#hour, extra })
    this.#touch(index)
  }

  #dropExtra(slot: number): void {
    if (slot === 0) return
    this.#extras.splice(slot - 1, 1)
    for (let index = 0; index < this.#count; index++) {
      const offset = offsetOf(index)
      const other = record.extraAt(this.#view, offset)
      if (other <= slot) continue
      record.setExtra(this.#view, offset, other - 1)
      this.#touch(index)
    }
  }

  #extra(index: number): ReturnType<typeof unpackExtra> | undefined {
    const slot = record.extraAt(this.#view, offsetOf(index))
    const packed = slot === 0 ? undefined : this.#extras[slot - 1]
    return packed && unpackExtra(packed)
  }

  /** Makes room for one more point. */
  #reserve(): void {
    if (offsetOf(this.#count + 1) <= this.#bytes.length) return
    const capacity = Math.min(MAX_POINTS, Math.max(SMALLEST_CAPACITY, this.#count * 2))
    const grown = Buffer.allocUnsafeSlow(offsetOf(capacity))
    this.#bytes.copy(grown, 0, 0, offsetOf(this.#count))
    this.#bytes = grown
    this.#view = viewOf(grown)
  }
}

/** Number of points that a blob says it has; 0 when it is too short to say. For counting what retention deletes. */
export const pointsOf = (head: Buffer): number => (head.length < 4 ? 0 : head.readUInt16LE(2))

/** The full hour that an instant lies in. */
export const hourOf = (at: Millis): Millis => at - (at % HOUR)

const offsetOf = (index: number): number => HEADER_BYTES + index * RECORD_BYTES
const viewOf = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
const checksum = (bytes: Buffer): number => crc32(bytes.subarray(0, 4), crc32(bytes.subarray(HEADER_BYTES)))
