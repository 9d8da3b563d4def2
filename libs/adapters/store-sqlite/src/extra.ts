import type { StoredReading } from '#libs/pipeline'
import { checkedText, ODD_STATUS, statusByte } from './record.js'

/**
 * What few points have, kept behind the points of a part: a unit other than the series' own, a status that is not two
 * digits, what the station reported in another unit.
 *
 *   u8 which (bit 0 unit, bit 1 status, bit 2 reported), then those present in this order:
 *   unit: text; status: text; reported: f64 value, text unit. A text is u8 length, then UTF-8.
 */
export interface Extra {
  readonly unit?: string
  readonly status?: string
  readonly reported?: { readonly value: number; readonly unit: string }
}

const HAS_UNIT = 1
const HAS_STATUS = 2
const HAS_REPORTED = 4

/** The packed extra of a reading; undefined when it needs none. */
export function packExtra(reading: StoredReading, seriesUnit: string): Buffer | undefined {
  const hasUnit = reading.unit !== seriesUnit
  const hasStatus = statusByte(reading.status) === ODD_STATUS
  const { reported } = reading
  if (!hasUnit && !hasStatus && !reported) return undefined
  const which = (hasUnit ? HAS_UNIT : 0) | (hasStatus ? HAS_STATUS : 0) | (reported ? HAS_REPORTED : 0)
  const pieces: Buffer[] = [Buffer.of(which)]
  if (hasUnit) pieces.push(text(reading, reading.unit))
  if (hasStatus) pieces.push(text(reading, reading.status))
  if (reported) {
    const value = Buffer.allocUnsafe(8)
    value.writeDoubleLE(reported.value)
    pieces.push(value, text(reading, reported.unit))
  }
  return Buffer.concat(pieces)
}

export function unpackExtra(bytes: Buffer): Extra {
  return walk(bytes, 0).extra
}

/** Splits the tail of a part into its packed extras. Throws a RangeError where it is not exactly `count` of them. */
export function splitExtras(bytes: Buffer, from: number, count: number): Buffer[] {
  const extras: Buffer[] = []
  let offset = from
  for (let n = 0; n < count; n++) {
    const { end } = walk(bytes, offset)
    extras.push(Buffer.from(bytes.subarray(offset, end))) // a copy: the part will grow over these bytes
    offset = end
  }
  if (offset !== bytes.length) throw new RangeError('bytes after the last extra')
  return extras
}

function text(reading: StoredReading, value: string): Buffer {
  const bytes = checkedText(reading, value)
  return Buffer.concat([Buffer.of(bytes.length), bytes])
}

/** Reads past the end throw a RangeError (Buffer's own). */
function walk(bytes: Buffer, start: number): { extra: Extra; end: number } {
  const which = bytes.readUInt8(start)
  let offset = start + 1
  const next = (): string => {
    const from = offset + 1
    const end = from + bytes.readUInt8(offset)
    if (end > bytes.length) throw new RangeError('text past the end')
    offset = end
    return bytes.toString('utf8', from, end)
  }
  const unit = which & HAS_UNIT ? { unit: next() } : {}
  const status = which & HAS_STATUS ? { status: next() } : {}
  if (!(which & HAS_REPORTED)) return { extra: { ...unit, ...status }, end: offset }
  const value = bytes.readDoubleLE(offset)
  offset += 8
  return { extra: { ...unit, ...status, reported: { value, unit: next() } }, end: offset }
}
