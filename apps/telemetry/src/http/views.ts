import type { z } from 'zod'
import { formatInstant } from '#libs/model'
import type { Alarm, AlarmTransition, Conflict, FlaggedReading, Refusal } from '#libs/pipeline'
import { csvText } from './csv.js'
import type { AlarmView, ConflictView, ReadingView, RefusalView, TransitionView } from './schemas.js'
import { instantOrNull } from './schemas.js'

/** From the inside to the wire: instants become text in UTC+7, bytes base64; nothing else changes. */

type ReadingJson = z.infer<typeof ReadingView>

export function readingView(reading: FlaggedReading): ReadingJson {
  const { station, parameter, at, value, unit, status, flag, flags, revision, receivedAt, road, reported, tests } = reading
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
    road,
    ...(tests ? { tests: { ...tests } } : {})
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
const RAW_COLUMNS = [...CSV_COLUMNS, 'tests'] as const
const CORRECTED_COLUMNS = [...CSV_COLUMNS, 'rawValue', 'rawFlag', 'excluded', 'corrections', 'tests'] as const

/** Of the corrected series with what the raw one says beside it, and the numbers of the corrections. */
export function readingsCsv(readings: readonly ReadingJson[], as: 'raw' | 'corrected'): string {
  if (as === 'raw') return csvText(RAW_COLUMNS, readings.map(withTests))
  const rows = readings.map(({ raw, corrections = [], ...reading }) => ({
    ...withTests(reading),
    rawValue: raw?.value ?? reading.value,
    rawFlag: raw?.flag ?? reading.flag,
    corrections: corrections.map(String)
  }))
  return csvText(CORRECTED_COLUMNS, rows)
}

/** As `spike:4 flat-line:1`. */
const withTests = ({ tests = {}, ...reading }: ReadingJson) => ({
  ...reading,
  tests: Object.entries(tests).map(([name, flag]) => `${name}:${flag}`)
})
