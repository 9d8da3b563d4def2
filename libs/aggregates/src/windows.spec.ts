import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { DAY, formatInstant, HOUR, LATEST, parseInstant } from '#libs/model'
import type { DayRule, Period, Window } from './windows.js'
import { labelOf, PERIODS, partsOf, windowAt, windowsBetween } from './windows.js'

const at = (text: string): number => parseInstant(`${text}+07:00`) ?? Number.NaN
const shown = ({ start, end }: Window): string => `${formatInstant(start).slice(0, 16)} ${formatInstant(end).slice(0, 16)}`

const instant = fc.integer({ min: DAY * 40, max: LATEST - DAY * 40 })
const period = fc.constantFrom<Period[]>(...PERIODS)
const rule = fc.constantFrom<DayRule[]>('hours-01-24', 'hours-00-23')

describe('windows', () => {
  it.each<[Period, string, string]>([
    ['hour', '2026-11-24T10:00:00', '2026-11-24T09:00 2026-11-24T10:00'],
    ['hour', '2026-11-24T10:00:00.001', '2026-11-24T10:00 2026-11-24T11:00'],
    ['day', '2026-11-24T00:00:00', '2026-11-23T00:00 2026-11-24T00:00'],
    ['day', '2026-11-24T00:00:00.001', '2026-11-24T00:00 2026-11-25T00:00'],
    ['month', '2026-12-01T00:00:00', '2026-11-01T00:00 2026-12-01T00:00'],
    ['month', '2024-02-29T12:00:00', '2024-02-01T00:00 2024-03-01T00:00']
  ])('hours 01 to 24: the %s of %s', (of, instantText, window) => {
    expect(shown(windowAt(of, at(instantText), 'hours-01-24'))).toBe(window)
  })

  it.each<[Period, string, string]>([
    ['day', '2026-11-24T00:00:00', '2026-11-23T23:00 2026-11-24T23:00'],
    ['day', '2026-11-23T23:00:00', '2026-11-22T23:00 2026-11-23T23:00'],
    ['month', '2026-12-01T00:00:00', '2026-11-30T23:00 2026-12-31T23:00'],
    ['month', '2026-11-30T23:00:00', '2026-10-31T23:00 2026-11-30T23:00']
  ])('hours 00 to 23: the %s of %s', (of, instantText, window) => {
    expect(shown(windowAt(of, at(instantText), 'hours-00-23'))).toBe(window)
  })

  it('holds its instant, and each instant is in one window only', () =>
    fc.assert(
      fc.property(period, instant, rule, (of, when, days) => {
        const window = windowAt(of, when, days)
        expect(window.start < when && when <= window.end).toBe(true)
        expect(windowAt(of, window.end, days)).toEqual(window)
        expect(windowAt(of, window.start, days).end).toBe(window.start)
        expect(windowAt(of, window.start + 1, days)).toEqual(window)
      })
    ))

  it('is made of its parts without a gap', () =>
    fc.assert(
      fc.property(fc.constantFrom<Period[]>('day', 'month'), instant, rule, (of, when, days) => {
        const window = windowAt(of, when, days)
        const parts = partsOf(window)
        expect([parts[0]?.start, parts.at(-1)?.end]).toEqual([window.start, window.end])
        for (const [n, part] of parts.entries()) {
          expect(windowAt(part.period, part.end, days)).toEqual(part)
          expect(windowAt(of, part.end, days)).toEqual(window)
          if (n > 0) expect(part.start).toBe(parts[n - 1]?.end)
        }
        expect(parts.length).toBe(of === 'day' ? 24 : Math.round((window.end - window.start) / DAY))
      })
    ))

  it('lists the windows that a span touches', () => {
    const span = { from: at('2026-11-24T09:30:00'), to: at('2026-11-24T12:00:00') }
    expect(windowsBetween('hour', span, 'hours-01-24').map(w => formatInstant(w.end).slice(11, 16))).toEqual(['10:00', '11:00', '12:00'])
    expect(windowsBetween('hour', { from: span.to, to: span.to }, 'hours-01-24')).toEqual([])
  })

  it('is named by its date', () => {
    const midnight = at('2026-11-24T00:00:00')
    expect(labelOf(windowAt('day', midnight, 'hours-01-24'), 'hours-01-24')).toBe('2026-11-23')
    expect(labelOf(windowAt('day', midnight, 'hours-00-23'), 'hours-00-23')).toBe('2026-11-24')
    expect(labelOf(windowAt('month', midnight + HOUR, 'hours-01-24'), 'hours-01-24')).toBe('2026-11')
  })
})
