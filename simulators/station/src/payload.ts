import { formatInstant, type Millis, VIETNAM_OFFSET } from '#libs/model'
import type { DialectName } from '#libs/wire'
import type { Sample } from './station-model.js'

export interface Wording {
  readonly dialect: DialectName
  readonly station: string
  /** The profile says that its devices leave the zone out. */
  readonly zoneless: boolean
  /** The profile says that its devices write numbers as text. */
  readonly textNumbers: boolean
}

/** The message of one sample, or of several as an array (a batch), in the words of the device's dialect. `sequence` numbers its samples. */
export function encodeSamples(samples: readonly Sample[], sequence: number, wording: Wording): string {
  const items = samples.map((sample, index) => encodeOne(sample, sequence + index, wording))
  return JSON.stringify(items.length === 1 ? items[0] : items)
}

function encodeOne(sample: Sample, sequence: number, wording: Wording): object {
  const written = (value: number) => (wording.textNumbers ? String(value) : value)
  const time = wording.zoneless ? localTime(sample.at) : formatInstant(sample.at)
  if (wording.dialect === 'logger-json') {
    const params = Object.fromEntries(sample.values.map(v => [v.parameter, { v: written(v.value), u: v.unit, st: v.status }]))
    return { station: wording.station, time, fw: '2.4.1', link: '4G', params }
  }
  const readings = Object.fromEntries(sample.values.map(v => [v.parameter, { value: written(v.value), unit: v.unit, status: v.status }]))
  return { at: time, readings, seq: sequence }
}

/** `2026-11-24 10:05:00`, in UTC+7, as loggers write it. */
const localTime = (at: Millis): string => new Date(at + VIETNAM_OFFSET).toISOString().slice(0, 19).replace('T', ' ')
