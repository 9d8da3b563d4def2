import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import type { FlagReason } from '#libs/model'
import { MINUTE } from '#libs/model'
import type { RunningInterval, StatusInterval } from './status-intervals.js'
import { endedAt, nextStatus } from './status-intervals.js'

const EVERY = 5 * MINUTE
type Sample = { readonly at: number; readonly status: string; readonly flags: readonly FlagReason[] }

/** Statuses at five-minute steps; a dot is a reading that is missing. */
const series = (text: string): Sample[] =>
  [...text].flatMap((digit, n) => (digit === '.' ? [] : [{ at: n * EVERY, status: `0${digit}`, flags: [] }]))

function intervals(samples: readonly Sample[]): StatusInterval[] {
  const found: StatusInterval[] = []
  let running: RunningInterval | null = null
  for (const sample of samples) {
    const next = nextStatus(running, sample, EVERY)
    if (next.ended) found.push(next.ended)
    running = next.running
  }
  return running ? [...found, endedAt(running, running.end)] : found
}
const brief = (text: string) =>
  intervals(series(text)).map(({ status, start, end, readings }) => [status, start / EVERY, end / EVERY, readings])

describe('nextStatus', () => {
  it.each([
    ['0000', []],
    ['0110', [['01', 1, 3, 2]]],
    [
      '0123',
      [
        ['01', 1, 2, 1],
        ['02', 2, 3, 1]
      ]
    ],
    ['011', [['01', 1, 5, 2]]],
    ['1..1..0', [['01', 0, 6, 2]]],
    [
      '1...1',
      [
        ['01', 0, 3, 1],
        ['01', 4, 7, 1]
      ]
    ],
    ['1....0', [['01', 0, 3, 1]]]
  ])('%s', (text, expected) => {
    expect(brief(text)).toEqual(expected)
  })

  it('takes no notice of a clock that ran ahead', () => {
    const [first, ahead, last] = series('101') as [Sample, Sample, Sample]
    expect(intervals([first, { ...ahead, flags: ['clock-ahead'] }, last])).toMatchObject([{ start: 0, readings: 2 }])
  })

  it('gives intervals that do not overlap and hold exactly the readings with 01 or 02', () =>
    fc.assert(
      fc.property(fc.array(fc.constantFrom('0', '1', '2', '3', '.'), { maxLength: 60 }), digits => {
        const samples = series(digits.join(''))
        const found = intervals(samples)
        for (const [n, interval] of found.entries()) expect(interval.start).toBeGreaterThanOrEqual(found[n - 1]?.end ?? 0)
        for (const { at, status } of samples) {
          const inside = found.find(interval => at >= interval.start && at < interval.end)
          expect(inside?.status).toBe(status === '01' || status === '02' ? status : undefined)
        }
        expect(found.reduce((sum, { readings }) => sum + readings, 0)).toBe(
          samples.filter(s => s.status === '01' || s.status === '02').length
        )
      })
    ))
})
