import type { Journal } from '#libs/journal'
import type { Reading, Road, Station } from '#libs/model'
import type { CompiledProfile, ItemRefusal, RefusalReason, WireRecord } from '#libs/wire'
import { decodeReadings, decodeStatus, encodeRecord } from '#libs/wire'
import type { Clock } from './ports.js'

/** What a station's message is about: the last part of its topic. HTTP posts are readings. */
export type Subject = 'readings' | 'status' | 'reply'

/** A message as it came in, from a sender who was allowed to send it. */
export interface Inbound {
  readonly station: Station
  readonly subject: Subject
  readonly road: Road
  readonly qos: 0 | 1 | 2
  /** The sender says that it may have sent the same before (MQTT's DUP flag, [MQTT-3.3.1-1]). */
  readonly mayRepeat: boolean
  readonly payload: Uint8Array
}

export interface Receipt {
  readonly sequence: number
  /** True when the journal held the very same message already. */
  readonly repeated: boolean
  readonly accepted: number
  readonly refused: readonly ItemRefusal[]
  /** Set when nothing of the message could be used. It is in the journal all the same. */
  readonly refusal: { readonly reason: RefusalReason; readonly detail: string } | null
}

export interface IngestPorts {
  readonly journal: Pick<Journal, 'append'>
  readonly profileOf: (station: Station) => CompiledProfile
  readonly clock: Clock
  /** Told of the readings of each record that is on disk, in the journal's order; not of repeats. */
  readonly kept: (readings: readonly Reading[]) => void
}

/**
 * The awaited half of the path: decode, check, append. What is acknowledged after it is on disk.
 *
 * A device's mistake is a value here: a payload that cannot be used is journaled as a refusal, raw bytes and reason, and
 * acknowledged like any other (design, invariant 3).
 * @throws JournalError when the journal cannot keep the message; the acknowledgement must then be withheld.
 */
export async function ingest(message: Inbound, ports: IngestPorts): Promise<Receipt> {
  const record = toRecord(message, ports)
  const { sequence, repeated } = await ports.journal.append(encodeRecord(record), { mayRepeat: message.mayRepeat })
  if (record.kind === 'readings' && !repeated) ports.kept(record.readings)
  const receipt = receiptOf(record, sequence, repeated)
  // The message is kept once; that it came again is a line of the ledger, and the ledger is made of the journal.
  if (repeated && message.subject === 'readings') await ports.journal.append(encodeRecord(repeatOf(message, receipt, record.receivedAt)))
  return receipt
}

function repeatOf({ station, road, qos }: Inbound, receipt: Receipt, receivedAt: number): WireRecord {
  const readings = receipt.accepted + receipt.refused.length + (receipt.refusal ? 1 : 0)
  return { kind: 'repeat', station: station.code, road, qos, receivedAt, of: receipt.sequence, readings, payload: new Uint8Array() }
}

function toRecord(message: Inbound, { profileOf, clock }: IngestPorts): WireRecord {
  const { station, subject, road, qos, payload } = message
  const receivedAt = clock()
  const origin = { station: station.code, receivedAt, qos, payload }
  if (subject === 'reply') return { kind: 'reply', ...origin }
  if (subject === 'status') return statusRecord(message, receivedAt)
  const decoded = decodeReadings(profileOf(station), station, payload, { receivedAt, road })
  if (decoded.ok) return { kind: 'readings', road, ...origin, readings: decoded.readings, refused: decoded.refused }
  return { kind: 'refusal', road, ...origin, topic: subject, ...decoded.refusal }
}

function statusRecord({ station, road, qos, payload, subject }: Inbound, receivedAt: number): WireRecord {
  const origin = { station: station.code, receivedAt, qos, payload }
  const online = decodeStatus(payload)
  if (online !== undefined) return { kind: 'status', ...origin, online }
  return { kind: 'refusal', road, ...origin, topic: subject, reason: 'wrong-shape', detail: 'status is the text online or offline' }
}

function receiptOf(record: WireRecord, sequence: number, repeated: boolean): Receipt {
  const none = { sequence, repeated, accepted: 0, refused: [], refusal: null }
  if (record.kind === 'readings') return { ...none, accepted: record.readings.length, refused: record.refused }
  if (record.kind === 'refusal') return { ...none, refusal: { reason: record.reason, detail: record.detail } }
  return none
}
