import type { Flag, Millis } from '#libs/model'
import { HOUR } from '#libs/model'
import { QualityError } from './error.js'
import type { Sample, Span } from './sample.js'
import { flagEach, isOutside } from './sample.js'

export interface GrossRange {
  /** What the sensor can measure: outside it 4. */
  readonly fail: Span
  /** What the user expects, within `fail`: outside it 3. */
  readonly suspect?: Span | undefined
}

/**
 * QARTOD gross range test, as ioos_qc `gross_range_test`: ends of a span are inside. An infinite value is 4, a missing one 9.
 * Throws QualityError QT_QUALITY_SETTINGS where `suspect` reaches outside `fail`.
 */
export function grossRange(samples: readonly Sample[], { fail, suspect }: GrossRange): Flag[] {
  if (suspect?.some(end => isOutside(end, fail)))
    throw new QualityError('QT_QUALITY_SETTINGS', `the suspect span ${suspect.join('..')} reaches outside the fail span ${fail.join('..')}`)
  return samples.map(({ value }) => {
    if (value === undefined || Number.isNaN(value)) return 9
    if (isOutside(value, fail)) return 4
    return suspect && isOutside(value, suspect) ? 3 : 1
  })
}

/** Parts of the calendar by which a season may be named. January = 1; week = ISO 8601; Monday = 0; 1 January = 1. */
export type CalendarPart = 'year' | 'quarter' | 'month' | 'week' | 'dayofyear' | 'dayofweek'

export interface Season {
  /** Part of the calendar that `time` counts in; instants in milliseconds where there is none. */
  readonly period?: CalendarPart | undefined
  /** First and last of the season, both included. */
  readonly time: Span
  /** What is usual in the season: outside it 3. */
  readonly span: Span
  /** What can be in the season: outside it 4. */
  readonly fail?: Span | undefined
}

/**
 * QARTOD climatology test, as ioos_qc `climatology_test` without depth: 2 where no season holds; where several do, the last one of the
 * list says. `zoneOffset`: what is added to UTC before the calendar is looked at (ioos_qc knows UTC only).
 */
export function climatology(samples: readonly Sample[], seasons: readonly Season[], zoneOffset: Millis = 0): Flag[] {
  const lastFirst = [...seasons].reverse()
  return flagEach(samples, (value, index) => {
    const at = samples[index]?.at ?? 0
    const season = lastFirst.find(({ period, time }) => !isOutside(period ? PARTS[period](new Date(at + zoneOffset)) : at, time))
    if (!season) return 2
    if (season.fail && isOutside(value, season.fail)) return 4
    return isOutside(value, season.span) ? 3 : 1
  })
}

const DAY_MILLIS = 24 * HOUR
const dayOfWeek = (date: Date): number => (date.getUTCDay() + 6) % 7
const dayOfYear = (date: Date): number => Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY_MILLIS) + 1

const PARTS: Readonly<Record<CalendarPart, (date: Date) => number>> = {
  year: date => date.getUTCFullYear(),
  quarter: date => Math.floor(date.getUTCMonth() / 3) + 1,
  month: date => date.getUTCMonth() + 1,
  week: isoWeek,
  dayofyear: dayOfYear,
  dayofweek: dayOfWeek
}

/** ISO 8601: the week of a date is that of its Thursday, and a year's first week is that of its first Thursday. */
function isoWeek(date: Date): number {
  const thursday = new Date(date.getTime() + (3 - dayOfWeek(date)) * DAY_MILLIS)
  return Math.floor((dayOfYear(thursday) - 1) / 7) + 1
}
