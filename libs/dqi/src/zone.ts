import type { Millis, Verdict } from '#libs/model'
import { DAY, VIETNAM_OFFSET } from '#libs/model'
import type { ZoneSettings } from './config.js'

/** A day of a station: the verdict of its daily mean, and the share of the expected readings that it rests on. */
export interface DailyVerdict {
  /** Any instant of the day of UTC+7. */
  readonly day: Millis
  readonly verdict: Verdict
  /** 0 to 1. */
  readonly completeness: number
}

export interface ZoneStation {
  readonly station: string
  /**
   * In any order. A day may stand more than once, for example for each parameter that a limit is owed for: its worst verdict and its least
   * completeness hold. Parameters that no standard speaks of are left out by the caller.
   */
  readonly days: readonly DailyVerdict[]
}

export interface Zone {
  readonly zone: string
  readonly stations: readonly ZoneStation[]
}

/** `not-assessable` is a state of its own: what could not be judged never met the standard (design, invariant 7). */
export type ZoneState = 'met' | 'not-met' | 'not-assessable'

/** Why a year could not be judged. */
export type ZoneGap =
  | 'no-station'
  | 'no-day-yet' // the year has not begun
  | 'no-limit' // days for which nobody loaded a limit
  | 'incomplete' // too few days that could be judged
  | 'exceeds-incomplete' // a day above the limit with too few readings to count: neither against the station nor to be passed over

export interface StationYear {
  readonly station: string
  readonly state: ZoneState
  readonly gap: ZoneGap | null
  /** Days of the year that are over. */
  readonly daysExpected: number
  /** Of those: judged, on enough readings. */
  readonly daysEvaluated: number
  readonly daysExceeding: number
  readonly daysWithoutLimit: number
  /** Above the limit, on too few readings to count. */
  readonly daysExceedingIncomplete: number
  /** daysEvaluated / daysExpected; 0 before the first day is over. */
  readonly completeness: number
}

export interface ZoneYear {
  readonly zone: string
  readonly state: ZoneState
  readonly gap: ZoneGap | null
  readonly stations: readonly StationYear[]
}

export interface ZoneIndicator {
  readonly year: number
  readonly zones: readonly ZoneYear[]
  readonly met: number
  readonly notMet: number
  readonly notAssessable: number
  /** Of the zones that could be judged, those that met the standard, 0 to 1; null where none could be. */
  readonly share: number | null
  /** Zones that could be judged, of all: what the share rests on. Null without zones. */
  readonly completeness: number | null
  /** Of all zones those that met the standard: what the share is at least, whatever the others come to. Null without zones. */
  readonly atLeast: number | null
}

export interface YearQuestion {
  readonly year: number
  /** Days that are not over by now are not owed. */
  readonly now: Millis
}

/**
 * The share of industrial zones whose effluent met the standard in a year: the provincial plan's indicator, annex I B15. A zone met it when
 * every station of it did, a station when no more days exceeded than the setting allows (none unless set), enough days could be judged, and
 * none was without a limit. An indicator for review, never a finding. A function of the sets of zones, stations and days.
 */
export function zoneIndicator({ year, now }: YearQuestion, zones: readonly Zone[], settings: ZoneSettings): ZoneIndicator {
  const span = daysOver(year, now)
  const years = zones.map(zone => zoneYear(zone, span, settings)).sort((a, b) => byText(a.zone, b.zone))
  const count = (state: ZoneState): number => years.filter(zone => zone.state === state).length
  const [met, notMet, notAssessable] = [count('met'), count('not-met'), count('not-assessable')]
  const judged = met + notMet
  return {
    ...{ year, zones: years, met, notMet, notAssessable },
    share: judged === 0 ? null : met / judged,
    completeness: years.length === 0 ? null : judged / years.length,
    atLeast: years.length === 0 ? null : met / years.length
  }
}

interface DaySpan {
  readonly first: number
  readonly expected: number
}

/** Days are numbered in UTC+7. */
const dayNumber = (at: Millis): number => Math.floor((at + VIETNAM_OFFSET) / DAY)

function daysOver(year: number, now: Millis): DaySpan {
  const first = Date.UTC(year, 0, 1) / DAY
  const end = Math.min(Date.UTC(year + 1, 0, 1) / DAY, dayNumber(now))
  return { first, expected: Math.max(0, end - first) }
}

function zoneYear({ zone, stations }: Zone, span: DaySpan, settings: ZoneSettings): ZoneYear {
  const years = stations.map(station => stationYear(station, span, settings)).sort((a, b) => byText(a.station, b.station))
  if (years.length === 0) return { zone, state: 'not-assessable', gap: 'no-station', stations: years }
  if (years.some(({ state }) => state === 'not-met')) return { zone, state: 'not-met', gap: null, stations: years }
  const open = years.find(({ state }) => state === 'not-assessable')
  return { zone, state: open ? 'not-assessable' : 'met', gap: open?.gap ?? null, stations: years }
}

function stationYear({ station, days }: ZoneStation, { first, expected }: DaySpan, settings: ZoneSettings): StationYear {
  const counts = { daysEvaluated: 0, daysExceeding: 0, daysWithoutLimit: 0, daysExceedingIncomplete: 0 }
  for (const { verdict, completeness } of dayByDay(days, { first, expected }).values()) {
    const isWhole = completeness >= settings.dayCompleteness
    if (verdict === 'no-limit') counts.daysWithoutLimit++
    else if (verdict !== 'not-evaluated' && isWhole) {
      counts.daysEvaluated++
      if (verdict === 'exceeds') counts.daysExceeding++
    } else if (verdict === 'exceeds') counts.daysExceedingIncomplete++
  }
  const year = { daysExpected: expected, ...counts, completeness: expected === 0 ? 0 : counts.daysEvaluated / expected }
  const isOver = counts.daysExceeding > settings.exceedingDays
  const gap = isOver ? null : gapOf(year, settings)
  return { station, state: isOver ? 'not-met' : gap === null ? 'met' : 'not-assessable', gap, ...year }
}

function gapOf(year: Omit<StationYear, 'station' | 'state' | 'gap'>, settings: ZoneSettings): ZoneGap | null {
  if (year.daysExpected === 0) return 'no-day-yet'
  if (year.daysWithoutLimit > 0) return 'no-limit'
  if (year.completeness < settings.yearCompleteness || year.daysEvaluated === 0) return 'incomplete'
  return year.daysExceedingIncomplete > 0 ? 'exceeds-incomplete' : null
}

/** From what excuses least to what excuses most. */
const WORST_FIRST: readonly Verdict[] = ['exceeds', 'no-limit', 'not-evaluated', 'preparing', 'tendency', 'within']

function dayByDay(days: readonly DailyVerdict[], { first, expected }: DaySpan): Map<number, DailyVerdict> {
  const found = new Map<number, DailyVerdict>()
  for (const one of days) {
    const day = dayNumber(one.day)
    if (day < first || day >= first + expected) continue
    const other = found.get(day)
    found.set(day, other ? worseOf(one, other) : one)
  }
  return found
}

/** An exceedance on enough readings stands, whatever was incomplete beside it. */
function worseOf(one: DailyVerdict, other: DailyVerdict): DailyVerdict {
  const [a, b] = [WORST_FIRST.indexOf(one.verdict), WORST_FIRST.indexOf(other.verdict)]
  const worst = a < b ? one : other
  if (a === b && one.verdict === 'exceeds') return { ...worst, completeness: Math.max(one.completeness, other.completeness) }
  if (worst.verdict === 'exceeds') return worst
  return { ...worst, completeness: Math.min(one.completeness, other.completeness) }
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
