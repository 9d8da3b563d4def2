import { z } from 'zod'
import type { Dialect, Given, Item, ItemProblem, Problem } from './dialect.js'
import { At, isPlainNumber, isRecord, isStatus, problemOf, Readings, Status, TextValue, Unit, Value } from './dialect.js'

/*
 * `{"station": "AG-01", "time": "2026-11-24 10:05:00", "fw": "2.1", "link": "4G", "params": {"COD": {"v": 82.1, "u": "mg/L", "st": "00"}}}`
 * `station` may be missing; where it stands it must be the station that speaks. `fw`, `link` and other keys are passed
 * over. These loggers have no revision: theirs is always 0.
 */
const Envelope = z.object({ station: z.string().optional(), time: At, params: Readings })
const Measured = z.object({ v: Value, u: Unit.optional(), st: Status.optional() })
const MeasuredAsText = Measured.extend({ v: TextValue })

function plainItem(raw: unknown): Item | undefined {
  if (!isRecord(raw)) return undefined
  const { station, time, params } = raw as { station?: unknown; time?: unknown; params?: unknown }
  if ((typeof time !== 'string' && !isPlainNumber(time)) || !isRecord(params)) return undefined
  return station === undefined || typeof station === 'string' ? { at: time, revision: 0, station, readings: params } : undefined
}

function checkItem(raw: unknown): Item | ItemProblem {
  const { success, data, error } = Envelope.safeParse(raw)
  if (success) return { at: data.time, revision: 0, station: data.station, readings: data.params }
  const reasons = { params: 'wrong-shape', station: 'wrong-station', time: 'bad-instant' } as const
  const parts = isRecord(raw) ? raw : {}
  const names = isRecord(parts['params']) ? Object.keys(parts['params']) : []
  return { ...problemOf(error, raw, reasons, 'wrong-shape'), at: parts['time'], names }
}

function plainReading(raw: unknown): Given | undefined {
  if (isPlainNumber(raw)) return { value: raw, unit: undefined, status: undefined }
  if (!isRecord(raw)) return undefined
  const { v, u, st } = raw as { v?: unknown; u?: unknown; st?: unknown }
  if (!isPlainNumber(v) || (u !== undefined && typeof u !== 'string')) return undefined
  return st === undefined || isStatus(st) ? { value: v, unit: u, status: st } : undefined
}

function checkReading(raw: unknown, textNumbers: boolean): Given | Problem {
  const whole = isRecord(raw) ? raw : { v: raw }
  const { success, data, error } = (textNumbers ? MeasuredAsText : Measured).safeParse(whole)
  if (success) return { value: data.v, unit: data.u, status: data.st }
  return problemOf(error, whole, { v: 'not-a-number', u: 'unknown-unit', st: 'wrong-status' }, 'not-a-number')
}

export const loggerJson: Dialect = { plainItem, checkItem, plainReading, checkReading }
