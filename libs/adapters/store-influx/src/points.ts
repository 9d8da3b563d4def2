import type { Flag, Reading, SeriesKey } from '#libs/model'
import { EARLIEST, LATEST, seriesId } from '#libs/model'
import type { StoredReading } from '#libs/pipeline'
import { InfluxStoreError } from './errors.js'
import { extraOf, parseExtra } from './extra.js'
import { numberText, quoted, tag } from './line-text.js'
import { USUAL, usualUnit } from './usual.js'

/** Measurement and tags of a series' lines. Tags in the order of their names, as InfluxDB sorts them itself. */
export const seriesPrefix = (measurement: string, { station, parameter }: SeriesKey): string =>
  `${measurement},parameter=${tag(parameter)},station=${tag(station)} `

/** What is new says only what is unusual; what replaces a point says all, because InfluxDB keeps fields that are not written anew. */
export function pointLine(prefix: string, reading: StoredReading, replaces: boolean): string {
  const { value, flag, status, revision, sequence, receivedAt, at } = reading
  const extra = extraOf(reading)
  let line = `${prefix}value=${numberText(value)},sequence=${sequence}i,received_at=${receivedAt}i`
  if (replaces || flag !== USUAL.flag) line += `,flag=${flag}i`
  if (replaces || status !== USUAL.status) line += `,status=${quoted(status)}`
  if (replaces || revision !== USUAL.revision) line += `,revision=${revision}i`
  if (replaces || extra !== '') line += `,extra=${quoted(extra)}`
  return `${line} ${at}`
}

/** Fields of one point as they come in, one row each. */
export class PointDraft {
  #value = ''
  #sequence = ''
  #receivedAt = ''
  #flag = ''
  #status: string | undefined
  #revision = ''
  #extra = ''

  set(field: string, text: string): void {
    if (field === 'value') this.#value = text
    else if (field === 'sequence') this.#sequence = text
    else if (field === 'received_at') this.#receivedAt = text
    else if (field === 'flag') this.#flag = text
    else if (field === 'status') this.#status = text
    else if (field === 'revision') this.#revision = text
    else if (field === 'extra') this.#extra = text
  }

  /** Undefined for a point that a write running at the same time has half shown, or that somebody else wrote. */
  stored({ station, parameter }: SeriesKey, at: number): StoredReading | undefined {
    if (this.#value === '' || this.#sequence === '' || this.#receivedAt === '') return undefined
    const extra = parseExtra(this.#extra)
    const reading = {
      station,
      parameter,
      at,
      value: Number(this.#value),
      unit: extra.unit ?? usualUnit(parameter) ?? '',
      status: this.#status ?? USUAL.status,
      flag: (this.#flag === '' ? USUAL.flag : Number(this.#flag)) as Flag,
      flags: extra.flags ?? [],
      revision: Number(this.#revision),
      receivedAt: Number(this.#receivedAt),
      road: extra.road ?? USUAL.road,
      sequence: Number(this.#sequence)
    }
    return extra.reported ? { ...reading, reported: extra.reported } : reading
  }
}

export function withoutSequence({ sequence: _, ...reading }: StoredReading): Reading {
  return reading
}

/**
 * Throws QT_INFLUX_MISUSE for a reading that a point cannot hold. The decoders let none of them through, so one that comes here is a
 * bug of ours. Every instant of the model lies within InfluxDB's own years, 1677 to 2262.
 */
export function checkStorable(reading: StoredReading): void {
  const { at, value, revision, sequence, receivedAt, flag } = reading
  const whole = [at, revision, sequence, receivedAt, flag].every(Number.isSafeInteger)
  const finite = Number.isFinite(value) && (!reading.reported || Number.isFinite(reading.reported.value))
  if (whole && finite && at >= EARLIEST && at < LATEST && sequence >= 0 && nameable(reading)) return
  const which = `reading of ${seriesId(reading)} at ${at}, record ${sequence}`
  throw new InfluxStoreError('QT_INFLUX_MISUSE', `${which}: a number is out of its range, or a name cannot be a tag`)
}

/** Line protocol has no way to write these in a tag: an empty value, a line feed, a backslash at the end. */
const nameable = ({ station, parameter }: SeriesKey): boolean => UNTAGGABLE.exec(station) === null && UNTAGGABLE.exec(parameter) === null
const UNTAGGABLE = /^$|[\r\n\t]|\\$/
