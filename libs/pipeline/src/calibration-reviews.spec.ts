import { beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Reading } from '#libs/model'
import { CALIBRATION_TERMS, DAY, HOUR, MINUTE } from '#libs/model'
import { loadRegistry } from '#libs/platform'
import type { Standards } from './index.js'
import { CalibrationReviews, readStandards, StatusIntervals } from './index.js'

const series = { station: 'AG-KCN-BINHLONG-01', parameter: 'COD' }
const START = Date.UTC(2026, 10, 24, 1)
const slot = (n: number): number => START + n * 5 * MINUTE

const reading = (n: number, value: number, status = '00'): Reading => ({
  ...{ ...series, at: slot(n), value, unit: 'mg/L', status, revision: 0, receivedAt: 0, road: 'mqtt' as const },
  ...(status === '00' ? { flag: 1 as const, flags: [] } : { flag: 4 as const, flags: ['calibration' as const] })
})

/** A value per five minutes; `c` before it: sent under status 01. */
const day = (...values: string[]): Reading[] =>
  values.map((text, n) => reading(n, Number(text.replace('c', '')), text.startsWith('c') ? '01' : '00'))

const terms = { terms: { every: 5 * MINUTE } } as unknown as ReturnType<ConstructorParameters<typeof StatusIntervals>[0]['termsOf']>

describe('a calibration', () => {
  let standards: Standards
  beforeAll(async () => {
    const { rules, law, stations } = await loadRegistry('devices/registry', 'devices')
    const read = readStandards({ rules, law }, stations)
    if (!read.ok) throw new Error(read.problems.join('\n'))
    standards = read.standards
  })

  /** What a store does: the set, in time, each instant once. */
  const review = (readings: readonly Reading[], more: Partial<typeof CALIBRATION_TERMS> = {}) => {
    const set = [...new Map(readings.map(one => [one.at, one])).values()].sort((a, b) => a.at - b.at)
    const store = {
      range: async ({ from, to, limit }: { from: number; to: number; limit: number }) =>
        set.filter(one => one.at >= from && one.at < to).slice(0, limit)
    }
    const reviews = new CalibrationReviews({ intervals: new StatusIntervals({ store, termsOf: () => terms }), store, standards })
    return reviews.find(series, { from: START, to: START + 2 * DAY }, { ...CALIBRATION_TERMS, ...more })
  }

  it('of low values, far from anything, is an ordinary one', async () => {
    expect(await review(day('30', '31', 'c30', 'c29', '30'))).toMatchObject([{ start: slot(2), end: slot(4), readings: 2, reasons: [] }])
  })

  it('that begins within minutes of an exceedance is to be reviewed; later it is not', async () => {
    expect(await review(day('30', '95', 'c30', '30'))).toMatchObject([{ reasons: ['after-exceedance'], exceededAt: slot(1) }])
    const later = day('95', ...Array<string>(7).fill('30'), 'c30', '30')
    expect(await review(later)).toMatchObject([{ reasons: [] }])
    expect(await review(later, { near: HOUR })).toMatchObject([{ reasons: ['after-exceedance'] }])
  })

  it('under which the outlet exceeds its limit is to be reviewed: status 01 keeps it out of statistics and alarms', async () => {
    expect(await review(day('40', 'c60', 'c200', 'c210', '40'))).toMatchObject([{ reasons: ['exceeds-meanwhile'], exceedingMeanwhile: 2 }])
  })

  it('that lasts longer or comes more often than the setting is to be reviewed', async () => {
    expect(await review(day('30', 'c30', 'c30', 'c30', '30'), { longest: 10 * MINUTE })).toMatchObject([{ reasons: ['too-long'] }])
    const often = await review(day('c30', '30', 'c30', '30', 'c30', '30'), { perDay: 2 })
    expect(often.map(({ reasons, inDay }) => [reasons, inDay])).toEqual([
      [[], 1],
      [[], 2],
      [['too-often'], 3]
    ])
  })

  it('is reviewed by the set of its readings: order and repeats change nothing', async () => {
    const whole = day('30', '95', 'c30', 'c120', '30', '30', 'c40', '30')
    const expected = await review(whole)
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([...whole, ...whole], { minLength: 2 * whole.length }), async readings => {
        expect(await review(readings)).toEqual(expected)
      }),
      { numRuns: 20 }
    )
  })
})
