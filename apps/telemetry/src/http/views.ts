import type { z } from 'zod'
import type { Reading } from '#libs/model'
import { formatInstant } from '#libs/model'
import type { Alarm, AlarmTransition, Conflict, Refusal } from '#libs/pipeline'
import { csvText } from './csv.js'
import type { AlarmView, ConflictView, ReadingView, RefusalView, TransitionView } from './schemas.js'
import { instantOrNull } from './schemas.js'

/** From the inside to the wire: instants become text in UTC+7, bytes base64; nothing else changes. */

export function readingView(reading: Reading): z.infer<typeof ReadingView> {
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

export const readingsCsv = (readings: readonly Reading[]): string => csvText(CSV_COLUMNS, readings.map(readingView))
