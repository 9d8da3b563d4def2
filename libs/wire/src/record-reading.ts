import type { Flag, FlagReason, Millis, Reading, Road } from '#libs/model'
import { MEASURING } from '#libs/model'
import type { ByteReader, ByteWriter } from './bytes.js'
import { damaged } from './bytes.js'
import type { ItemRefusal, RefusalReason } from './refusal.js'
import { ROADS, WORDS } from './words.js'

/*
 * A reading in a head of version 1:
 *   u8 what follows (the bits below) · u8 flag · word parameter · word unit · f64 value · f64 at
 *   then as the bits say: u8 or text status · u8 count and words of the flags · u32 revision · reported f64 and word ·
 *   text station · f64 receivedAt · u8 road
 * A refused item: word reason · text detail · u8 bits · text parameter · f64 at.
 * word = u8 index in WORDS + 1, or 0 and a text.
 */
const HAS_STATUS = 1
const HAS_FLAGS = 2
const HAS_REVISION = 4
const HAS_REPORTED = 8
/** The reading is not of its record's station, time of receipt and road. decodeReadings makes none such. */
const IS_FOREIGN = 16

const FLAGS: readonly Flag[] = [1, 2, 3, 4, 9]
const NO_REASONS: readonly FlagReason[] = Object.freeze([])

/** What a reading shares with its record. */
export interface Origin {
  readonly station: string
  readonly receivedAt: Millis
  readonly road: Road
}

export function writeReading(to: ByteWriter, reading: Reading, origin: Origin): void {
  const bits = bitsOf(reading, origin)
  to.u8(bits)
  to.u8(FLAGS.indexOf(reading.flag))
  writeWord(to, reading.parameter)
  writeWord(to, reading.unit)
  to.f64(reading.value)
  to.f64(reading.at)
  if (bits !== 0) writeRest(to, reading, bits)
}

function bitsOf(reading: Reading, origin: Origin): number {
  const foreign = reading.station !== origin.station || reading.receivedAt !== origin.receivedAt || reading.road !== origin.road
  return (
    (reading.status === MEASURING ? 0 : HAS_STATUS) |
    (reading.flags.length === 0 ? 0 : HAS_FLAGS) |
    (reading.revision === 0 ? 0 : HAS_REVISION) |
    (reading.reported === undefined ? 0 : HAS_REPORTED) |
    (foreign ? IS_FOREIGN : 0)
  )
}

function writeRest(to: ByteWriter, reading: Reading, bits: number): void {
  if (bits & HAS_STATUS) to.text(reading.status)
  if (bits & HAS_FLAGS) {
    to.u8(reading.flags.length)
    for (let i = 0; i < reading.flags.length; i++) writeWord(to, reading.flags[i] as FlagReason) // iterators cost here
  }
  if (bits & HAS_REVISION) to.u32(reading.revision)
  if (reading.reported) {
    to.f64(reading.reported.value)
    writeWord(to, reading.reported.unit)
  }
  if (bits & IS_FOREIGN) {
    to.text(reading.station)
    to.f64(reading.receivedAt)
    to.u8(ROADS.indexOf(reading.road))
  }
}

export function readReading(from: ByteReader, origin: Origin): Reading {
  const bits = from.u8()
  const flag = from.oneOf(FLAGS)
  const parameter = readWord(from)
  const unit = readWord(from)
  const value = from.f64()
  const at = from.f64()
  const status = bits & HAS_STATUS ? from.text() : MEASURING
  const flags = bits & HAS_FLAGS ? readFlags(from) : NO_REASONS
  const revision = bits & HAS_REVISION ? from.u32() : 0
  const reported = bits & HAS_REPORTED ? { value: from.f64(), unit: readWord(from) } : undefined
  const { station, receivedAt, road } = bits & IS_FOREIGN ? readOrigin(from) : origin
  // Written out twice: a spread costs more than all the rest of the reading.
  return reported
    ? { station, parameter, at, value, unit, status, flag, flags, revision, receivedAt, road, reported }
    : { station, parameter, at, value, unit, status, flag, flags, revision, receivedAt, road }
}

function readFlags(from: ByteReader): FlagReason[] {
  const flags: FlagReason[] = []
  for (let count = from.u8(); count > 0; count--) flags.push(readWord(from) as FlagReason)
  return flags
}

const readOrigin = (from: ByteReader): Origin => ({ station: from.text(), receivedAt: from.f64(), road: from.oneOf(ROADS) })

const HAS_PARAMETER = 1
const HAS_AT = 2

export function writeRefused(to: ByteWriter, { parameter, at, reason, detail }: ItemRefusal): void {
  writeWord(to, reason)
  to.text(detail)
  to.u8((parameter === null ? 0 : HAS_PARAMETER) | (at === null ? 0 : HAS_AT))
  if (parameter !== null) to.text(parameter)
  if (at !== null) to.f64(at)
}

export function readRefused(from: ByteReader): ItemRefusal {
  const reason = readWord(from) as RefusalReason
  const detail = from.text()
  const bits = from.u8()
  const parameter = bits & HAS_PARAMETER ? from.text() : null
  return { parameter, at: bits & HAS_AT ? from.f64() : null, reason, detail }
}

const indexOf = new Map(WORDS.map((word, index) => [word, index]))

function writeWord(to: ByteWriter, word: string): void {
  const index = indexOf.get(word)
  to.u8(index === undefined ? 0 : index + 1)
  if (index === undefined) to.text(word)
}

function readWord(from: ByteReader): string {
  const number = from.u8()
  if (number === 0) return from.text()
  const word = WORDS[number - 1]
  if (word === undefined) throw damaged(`no word has the number ${number}`)
  return word
}
