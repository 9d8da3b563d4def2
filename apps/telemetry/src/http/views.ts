import type { z } from 'zod'
import type { Reading } from '#libs/model'
import { formatInstant } from '#libs/model'
import type { Alarm, AlarmTransition, Conflict, Refusal } from '#libs/pipeline'
import { csvText } from './csv.js'
import type { AlarmView, ConflictView, ReadingView, RefusalView, TransitionView } from './schemas.js'
import { instantOrNull } from './schemas.js'

/** From the inside to the wire: instants become text in UTC+7, bytes base64; nothing else changes. */

type ReadingJson = z.infer<typeof ReadingView>

export function readingView(reading: Reading): ReadingJson {
  const { station, parameter, at, value, unit, status, flag, flags, revision, receivedAt, road, reported } = reading
  const view = {
    station,
    parameter,
    at: formatInstant(at),
    value,
    unit,
    status,
    flag,
    flags: [...flags],
    revision,
    receivedAt: formatInstant(receivedAt),
    road
  }
  return reported ? { ...view, reported: { ...reported } } : view
}

export function alarmView(alarm: Alarm): z.infer<typeof AlarmView> {
  return {
    ...alarm,
    raisedAt: formatInstant(alarm.raisedAt),
    clearedAt: instantOrNull(alarm.clearedAt),
    acknowledgedAt: instantOrNull(alarm.acknowledgedAt)
  }
}

export function transitionView({ id, kind, at, alarm }: AlarmTransition): z.infer<typeof TransitionView> {
  return { id, kind, at: formatInstant(at), severity: alarm.severity, state: alarm.state, value: alarm.value }
}

export function refusalView(refusal: Refusal): z.infer<typeof RefusalView> {
  return {
    ...refusal,
    receivedAt: formatInstant(refusal.receivedAt),
    at: instantOrNull(refusal.at),
    payload: Buffer.from(refusal.payload).toString('base64')
  }
}

export function conflictView(conflict: Conflict): z.infer<typeof ConflictView> {
  return { ...conflict, at: formatInstant(conflict.at), receivedAt: formatInstant(conflict.receivedAt) }
}

const CSV_COLUMNS = ['station', 'parameter', 'at', 'value', 'unit', 'status', 'flag', 'flags', 'revision', 'receivedAt', 'road'] as const

const CORRECTED_COLUMNS = [...CSV_COLUMNS, 'rawValue', 'rawFlag', 'excluded', 'corrections'] as const

/** Of the corrected series with what the raw one says beside it, and the numbers of the corrections. */
export function readingsCsv(readings: readonly ReadingJson[], as: 'raw' | 'corrected'): string {
  if (as === 'raw') return csvText(CSV_COLUMNS, readings)
  const rows = readings.map(({ raw, corrections = [], ...reading }) => ({
    ...reading,
    rawValue: raw?.value ?? reading.value,
    rawFlag: raw?.flag ?? reading.flag,
    corrections: corrections.map(String)
  }))
  return csvText(CORRECTED_COLUMNS, rows)
}
