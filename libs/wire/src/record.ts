import type { Millis, Reading, Road } from '#libs/model'
import { ByteReader, ByteWriter, damaged } from './bytes.js'
import { WireError } from './error.js'
import { readReading, readRefused, writeReading, writeRefused } from './record-reading.js'
import type { ItemRefusal, RefusalReason } from './refusal.js'
import { ROADS } from './words.js'

export type Qos = 0 | 1 | 2

interface Common {
  readonly receivedAt: Millis
  readonly qos: Qos
  /** The bytes as they came. */
  readonly payload: Uint8Array
}

/** What the journal keeps of one message. */
export type WireRecord =
  | (Common & { readonly kind: 'readings'; readonly station: string; readonly road: Road } & {
      readonly readings: readonly Reading[]
      readonly refused: readonly ItemRefusal[]
    })
  | (Common & { readonly kind: 'refusal'; readonly station: string | null; readonly road: Road } & {
      readonly topic: string
      readonly reason: RefusalReason
      readonly detail: string
    })
  | (Common & { readonly kind: 'status'; readonly station: string; readonly online: boolean })
  | (Common & { readonly kind: 'reply'; readonly station: string })
  /** A message about readings came again that record `of` holds already, with so many readings. It is noted, not kept: no payload. */
  | (Common & { readonly kind: 'repeat'; readonly station: string; readonly road: Road; readonly of: number; readonly readings: number })

export type RecordKind = WireRecord['kind']

/*
 * Version 1. Head, big-endian:
 *   u8 version · u8 kind · u8 road · u8 qos · f64 receivedAt · u32 length of the body's prefix · text station · by kind:
 *     readings  u32 count, readings, u32 count, refused items (record-reading.ts)
 *     refusal   u8 has a station · text topic · text reason · text detail
 *     status    u8 online
 *     repeat    f64 of, u32 readings
 *   text = u8 length below 255, or 255 and u32 length, then UTF-8.
 * Body: station, NUL, last part of the topic, NUL, payload. It holds nothing of the receiver's, so a message that is sent
 * again has an equal body, and the journal can tell.
 * The lists below are part of the format: nothing is taken out or moved; a change is a new version.
 */
const VERSION = 1
const KINDS: readonly RecordKind[] = ['readings', 'refusal', 'status', 'reply', 'repeat']
const QOS: readonly Qos[] = [0, 1, 2]
const NO_YES: readonly boolean[] = [false, true]
const PREFIX_LENGTH_AT = 12

const writer = new ByteWriter()

/** A record as the journal's two byte strings. They are views of a shared buffer: copy them before handing them to another thread. */
export function encodeRecord(record: WireRecord): { head: Uint8Array; body: Uint8Array } {
  const station = record.station ?? ''
  writer.begin()
  writer.u8(VERSION)
  writer.u8(KINDS.indexOf(record.kind))
  writer.u8('road' in record ? ROADS.indexOf(record.road) : 0)
  writer.u8(record.qos)
  writer.f64(record.receivedAt)
  writer.u32(0)
  writer.text(station)
  writeContent(writer, record)
  const headLength = writer.length
  writer.bareText(station)
  writer.u8(0)
  writer.bareText(lastPart(record))
  writer.u8(0)
  writer.patchU32(PREFIX_LENGTH_AT, writer.length - headLength)
  writer.raw(record.payload)
  return { head: writer.slice(0, headLength), body: writer.slice(headLength, writer.length) }
}

function lastPart(record: WireRecord): string {
  return record.kind === 'refusal' ? record.topic.slice(record.topic.lastIndexOf('/') + 1) : record.kind
}

function writeContent(to: ByteWriter, record: WireRecord): void {
  switch (record.kind) {
    case 'readings':
      to.u32(record.readings.length)
      for (let i = 0; i < record.readings.length; i++) writeReading(to, record.readings[i] as Reading, record)
      to.u32(record.refused.length)
      for (const item of record.refused) writeRefused(to, item)
      return
    case 'refusal':
      to.u8(record.station === null ? 0 : 1)
      to.text(record.topic)
      to.text(record.reason)
      return to.text(record.detail)
    case 'status':
      return to.u8(record.online ? 1 : 0)
    case 'repeat':
      to.f64(record.of)
      return to.u32(record.readings)
    case 'reply':
  }
}

/**
 * The record of a head and a body; `payload` is a view of the body. Throws WireError QT_WIRE_VERSION for a version that
 * this program does not know, QT_WIRE_DAMAGED for a head that is cut off or holds what no version writes.
 */
export function decodeRecord(head: Uint8Array, body: Uint8Array): WireRecord {
  const kind = recordKind(head)
  const from = new ByteReader(head)
  from.u8()
  from.u8()
  const road = from.oneOf(ROADS)
  const qos = from.oneOf(QOS)
  const receivedAt = from.f64()
  const prefixLength = from.u32()
  const station = from.text()
  if (prefixLength > body.length) throw damaged('the body is cut off')
  const record = readContent(from, kind, { station, road, receivedAt, qos, payload: body.subarray(prefixLength) })
  if (!from.isAtEnd) throw damaged('something stands behind its end')
  return record
}

type Start = Common & { readonly station: string; readonly road: Road }

function readContent(from: ByteReader, kind: RecordKind, start: Start): WireRecord {
  const { station, road, receivedAt, qos, payload } = start
  switch (kind) {
    case 'readings': {
      const readings = readMany(from, () => readReading(from, start))
      return { kind, station, road, receivedAt, qos, readings, refused: readMany(from, () => readRefused(from)), payload }
    }
    case 'refusal': {
      const named = from.oneOf(NO_YES)
      const [topic, reason, detail] = [from.text(), from.text() as RefusalReason, from.text()]
      return { kind, station: named ? station : null, road, receivedAt, qos, topic, reason, detail, payload }
    }
    case 'status':
      return { kind, station, receivedAt, qos, online: from.oneOf(NO_YES), payload }
    case 'reply':
      return { kind, station, receivedAt, qos, payload }
    case 'repeat':
      return { kind, station, road, receivedAt, qos, of: from.f64(), readings: from.u32(), payload }
  }
}

function readMany<T>(from: ByteReader, one: () => T): T[] {
  const count = from.u32()
  const all: T[] = []
  for (let i = 0; i < count; i++) all.push(one())
  return all
}

/** What a record is, from two bytes of its head. Throws as decodeRecord does. */
export function recordKind(head: Uint8Array): RecordKind {
  if (head.length < 2) throw damaged('it is cut off')
  if (head[0] !== VERSION) throw new WireError('QT_WIRE_VERSION', `journal record of version ${head[0]}, which this program does not know`)
  const kind = KINDS[head[1] as number]
  if (kind === undefined) throw damaged(`no kind has the number ${head[1]}`)
  return kind
}

/** The station of a record without decoding the rest of it; `''` where a refusal has none. Throws as decodeRecord does. */
export function recordStation(head: Uint8Array): string {
  recordKind(head)
  return new ByteReader(head.subarray(STATION_AT)).text()
}

const STATION_AT = PREFIX_LENGTH_AT + 4
