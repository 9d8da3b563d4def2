import { z } from 'zod'
import type { Dialect, Given, Item, ItemProblem, Problem } from './dialect.js'
import {
  At,
  isPlainNumber,
  isRecord,
  isRevision,
  isStatus,
  problemOf,
  Readings,
  Revision,
  Status,
  TextValue,
  Unit,
  Value
} from './dialect.js'

/*
 * `{"at": "2026-11-24T10:05:00+07:00", "readings": {"COD": 82.1, "pH": {"value": 7.1, "unit": "-", "status": "00"}}, "revision": 0, "seq": 1734}`
 * Keys that are not named here are passed over, `seq` among them: it numbers messages for the station's own use.
 */
const Envelope = z.object({ at: At, readings: Readings, revision: Revision.optional() })
const Measured = z.object({ value: Value, unit: Unit.optional(), status: Status.optional() })
const MeasuredAsText = Measured.extend({ value: TextValue })

const Message = z.object({
  at: At.describe('RFC 3339 with zone, or milliseconds since 1970'),
  readings: z.record(z.string(), z.union([Value, Measured])),
  revision: Revision.optional(),
  seq: z.int().optional().describe('Numbered by the station for its own use; passed over')
})

/** The readings payload of the `quantrac-json` dialect as a whole, for the API's description. Decoding is kinder: it refuses reading by reading. */
export const ReadingsPayload = z.union([Message, z.array(Message).max(1_000)])

function plainItem(raw: unknown): Item | undefined {
  if (!isRecord(raw)) return undefined
  const { at, readings, revision } = raw as { at?: unknown; readings?: unknown; revision?: unknown }
  if ((typeof at !== 'string' && !isPlainNumber(at)) || !isRecord(readings)) return undefined
  if (revision !== undefined && !isRevision(revision)) return undefined
  return { at, revision: revision ?? 0, station: undefined, readings }
}

function checkItem(raw: unknown): Item | ItemProblem {
  const { success, data, error } = Envelope.safeParse(raw)
  if (success) return { at: data.at, revision: data.revision ?? 0, station: undefined, readings: data.readings }
  const reasons = { readings: 'wrong-shape', at: 'bad-instant', revision: 'bad-revision' } as const
  const parts = isRecord(raw) ? raw : {}
  const names = isRecord(parts['readings']) ? Object.keys(parts['readings']) : []
  return { ...problemOf(error, raw, reasons, 'wrong-shape'), at: parts['at'], names }
}

function plainReading(raw: unknown): Given | undefined {
  if (isPlainNumber(raw)) return { value: raw, unit: undefined, status: undefined }
  if (!isRecord(raw)) return undefined
  const { value, unit, status } = raw as { value?: unknown; unit?: unknown; status?: unknown }
  if (!isPlainNumber(value) || (unit !== undefined && typeof unit !== 'string')) return undefined
  return status === undefined || isStatus(status) ? { value, unit, status } : undefined
}

function checkReading(raw: unknown, textNumbers: boolean): Given | Problem {
  const whole = isRecord(raw) ? raw : { value: raw }
  const { success, data, error } = (textNumbers ? MeasuredAsText : Measured).safeParse(whole)
  if (success) return { value: data.value, unit: data.unit, status: data.status }
  return problemOf(error, whole, { value: 'not-a-number', unit: 'unknown-unit', status: 'wrong-status' }, 'not-a-number')
}

export const quantracJson: Dialect = { plainItem, checkItem, plainReading, checkReading }
