import type { Millis } from '#libs/model'
import { DAY, HOUR, VIETNAM_OFFSET } from '#libs/model'

export type Period = 'hour' | 'day' | 'month'
export const PERIODS: readonly Period[] = ['hour', 'day', 'month']

/**
 * Which hours make a day. Hours are stamped at their end, so the last hour of a day ends at 24:00, which is 00:00 of the next date.
 * - `hours-01-24`: hours 01:00 to 24:00 of the date (Decision 1459/QĐ-TCMT for air; regulations.md 1.6).
 * - `hours-00-23`: hours 00:00 to 23:00, as the ministry's software takes them: the first is the hour that ends at midnight.
 */
export type DayRule = 'hours-01-24' | 'hours-00-23'

/** A span of time without its begin and with its end: `start < at <= end` (regulations.md 1.6), in UTC+7 without daylight saving. */
export interface Window {
  readonly period: Period
  readonly start: Millis
  readonly end: Millis
}

/** By how much a day of the rule begins before midnight. */
const LEAD: Readonly<Record<DayRule, Millis>> = { 'hours-01-24': 0, 'hours-00-23': HOUR }

/** The window of a period that an instant falls into. */
export function windowAt(period: Period, at: Millis, rule: DayRule): Window {
  if (period === 'month') return monthOf(dayEnd(at, rule), rule)
  const end = period === 'hour' ? Math.ceil(at / HOUR) * HOUR : dayEnd(at, rule)
  return { period, start: end - (period === 'hour' ? HOUR : DAY), end }
}

/** The hours of a day, the days of a month; none of an hour. */
export function partsOf({ period, start, end }: Window): Window[] {
  if (period === 'hour') return []
  const [length, part]: [Millis, Period] = period === 'day' ? [HOUR, 'hour'] : [DAY, 'day']
  return Array.from({ length: Math.round((end - start) / length) }, (_, n) => ({
    period: part,
    start: start + n * length,
    end: start + (n + 1) * length
  }))
}

/** The windows of a period that touch `from < at <= to`, in order. */
export function windowsBetween(period: Period, span: { readonly from: Millis; readonly to: Millis }, rule: DayRule): Window[] {
  const windows: Window[] = []
  for (let at = span.from + 1; at <= span.to; ) {
    const window = windowAt(period, at, rule)
    windows.push(window)
    at = window.end + 1
  }
  return windows
}

/** Calendar date of a day, year and month of a month, as people name it: `2026-11-24`, `2026-11`. */
export function labelOf({ period, end }: Window, rule: DayRule): string {
  const date = new Date(end + VIETNAM_OFFSET + LEAD[rule] - 1).toISOString()
  return period === 'month' ? date.slice(0, 7) : date.slice(0, 10)
}

function dayEnd(at: Millis, rule: DayRule): Millis {
  const shift = VIETNAM_OFFSET + LEAD[rule]
  return Math.ceil((at + shift) / DAY) * DAY - shift
}

/** The month whose days include the day that ends at `end`. */
function monthOf(end: Millis, rule: DayRule): Window {
  const shift = VIETNAM_OFFSET + LEAD[rule]
  const date = new Date(end + shift - 1)
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
  return { period: 'month', start: Date.UTC(year, month, 1) - shift, end: Date.UTC(year, month + 1, 1) - shift }
}
