import type { Flag, FlagReason, Road } from '#libs/model'
import { EARLIEST, FLAG_REASONS, LATEST } from '#libs/model'
import type { StoredReading } from '#libs/pipeline'
import { StoreError } from './errors.js'

/**
 * One point as it stands in a part: 32 bytes, little-endian.
 *
 * | offset | type | what                                                                          |
 * |--------|------|-------------------------------------------------------------------------------|
 * | 0      | u32  | `at`, milliseconds after the full hour                                        |
 * | 4      | f64  | value                                                                         |
 * | 12     | u48  | receivedAt                                                                    |
 * | 18     | u48  | sequence                                                                      |
 * | 24     | u16  | revision                                                                      |
 * | 26     | u8   | low half: QARTOD flag; high half: road (0 mqtt, 1 http, 2 file)               |
 * | 27     | u8   | status 00–99; 255: the extra holds it                                         |
 * | 28     | u24  | reasons: bit n is FLAG_REASONS[n] of the model                                |
 * | 31     | u8   | number of the point's extra in the part, from 1; 0: it has none               |
 */
export const RECORD_BYTES = 32

const VALUE = 4
const RECEIVED_AT = 12
const SEQUENCE = 18
const REVISION = 24
const FLAG_AND_ROAD = 26
const STATUS = 27
const REASONS_AND_EXTRA = 28
const EXTRA = 31

export const ODD_STATUS = 255
const HIGHEST_STATUS = 99
const LONGEST_TEXT_BYTES = 255
const HIGHEST_REVISION = 0xffff
const U32 = 2 ** 32
const U48 = 2 ** 48
const ROADS: readonly Road[] = ['mqtt', 'http', 'file']
const STATUSES: readonly string[] = Array.from({ length: HIGHEST_STATUS + 1 }, (_, n) => String(n).padStart(2, '0'))

/** Writes one point; the bytes of its extra are the part's business. */
export function packRecord(view: DataView, offset: number, reading: StoredReading, point: { delta: number; extra: number }): void {
  view.setUint32(offset, point.delta, true)
  view.setFloat64(offset + VALUE, reading.value, true)
  setU48(view, offset + RECEIVED_AT, reading.receivedAt)
  setU48(view, offset + SEQUENCE, reading.sequence)
  view.setUint16(offset + REVISION, reading.revision, true)
  view.setUint8(offset + FLAG_AND_ROAD, reading.flag | (ROADS.indexOf(reading.road) << 4))
  view.setUint8(offset + STATUS, statusByte(reading.status))
  view.setUint32(offset + REASONS_AND_EXTRA, packReasons(reading.flags) | (point.extra << 24), true)
}

export const deltaAt = (view: DataView, offset: number): number => view.getUint32(offset, true)
export const valueAt = (view: DataView, offset: number): number => view.getFloat64(offset + VALUE, true)
export const receivedAtAt = (view: DataView, offset: number): number => getU48(view, offset + RECEIVED_AT)
export const sequenceAt = (view: DataView, offset: number): number => getU48(view, offset + SEQUENCE)
export const revisionAt = (view: DataView, offset: number): number => view.getUint16(offset + REVISION, true)
export const flagAt = (view: DataView, offset: number): Flag => (view.getUint8(offset + FLAG_AND_ROAD) & 15) as Flag
export const roadAt = (view: DataView, offset: number): Road => ROADS[view.getUint8(offset + FLAG_AND_ROAD) >> 4] ?? 'mqtt'
export const statusByteAt = (view: DataView, offset: number): number => view.getUint8(offset + STATUS)
export const reasonsAt = (view: DataView, offset: number): readonly FlagReason[] =>
  unpackReasons(view.getUint32(offset + REASONS_AND_EXTRA, true) & 0xffffff)
export const extraAt = (view: DataView, offset: number): number => view.getUint8(offset + EXTRA)
export const setExtra = (view: DataView, offset: number, extra: number): void => view.setUint8(offset + EXTRA, extra)
export const statusText = (byte: number): string => STATUSES[byte] ?? ''

/** 0–99 for two digits, otherwise ODD_STATUS. */
export function statusByte(status: string): number {
  if (status.length !== 2) return ODD_STATUS
  const tens = status.charCodeAt(0) - 48
  const ones = status.charCodeAt(1) - 48
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : ODD_STATUS
}

/**
 * Throws QT_STORE_MISUSE for a reading that the format cannot hold. The decoders let none of them through, so one that
 * comes here is a bug of ours, and storing something else in its place would hide it.
 */
export function checkStorable(reading: StoredReading): void {
  const { at, value, revision, receivedAt, sequence } = reading
  const numbers = Number.isInteger(at) && at >= EARLIEST && at < LATEST && Number.isFinite(value) && isBelow(revision, HIGHEST_REVISION + 1)
  if (!numbers || !isBelow(receivedAt, U48) || !isBelow(sequence, U48)) throw misuse(reading, 'a number is out of its range')
  if (!ROADS.includes(reading.road) || !isBelow(reading.flag, 16)) throw misuse(reading, 'unknown road or flag')
  if (reading.reported && !Number.isFinite(reading.reported.value)) throw misuse(reading, 'the reported value is not finite')
}

/** Text of an extra, in UTF-8. */
export function checkedText(reading: StoredReading, text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8')
  if (bytes.length > LONGEST_TEXT_BYTES) throw misuse(reading, `unit or status longer than ${LONGEST_TEXT_BYTES} bytes`)
  return bytes
}

function misuse(reading: StoredReading, what: string): StoreError {
  return new StoreError(
    'QT_STORE_MISUSE',
    `reading of ${reading.station}/${reading.parameter} at ${reading.at}, record ${reading.sequence}: ${what}`
  )
}

const isBelow = (value: number, end: number): boolean => Number.isInteger(value) && value >= 0 && value < end

function setU48(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value % U32, true)
  view.setUint16(offset + 4, Math.floor(value / U32), true)
}

const getU48 = (view: DataView, offset: number): number => view.getUint16(offset + 4, true) * U32 + view.getUint32(offset, true)

const BIT_OF_REASON = new Map(FLAG_REASONS.map((reason, bit) => [reason, 1 << bit]))

function packReasons(reasons: readonly FlagReason[]): number {
  let bits = 0
  for (const reason of reasons) {
    const bit = BIT_OF_REASON.get(reason)
    if (bit === undefined) throw new StoreError('QT_STORE_MISUSE', `flag reason ${reason} is not one of the model's`)
    bits |= bit
  }
  return bits
}

const unpacked = new Map<number, readonly FlagReason[]>()

function unpackReasons(bits: number): readonly FlagReason[] {
  let reasons = unpacked.get(bits)
  if (!reasons) {
    reasons = Object.freeze(FLAG_REASONS.filter((_, bit) => (bits >> bit) & 1))
    unpacked.set(bits, reasons)
  }
  return reasons
}
