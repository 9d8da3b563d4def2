import * as fc from 'fast-check'
import type { Aggregate, Period } from '#libs/aggregates'
import type { Flag } from '#libs/model'
import { DAY, HOUR, LATEST, MINUTE } from '#libs/model'

/** 2026-11-24T10:00+07:00, the end of an hour. */
const END = Date.UTC(2026, 10, 24, 3)

/** An hour of COD without a gap. */
export function plainAggregate(differences: Partial<Aggregate> = {}): Aggregate {
  const end = differences.end ?? END
  return {
    station: 'AG-017',
    parameter: 'COD',
    unit: 'mg/L',
    period: 'hour',
    start: end - HOUR,
    end,
    received: 12,
    count: 12,
    expected: 12,
    completeness: 1,
    validShare: 1,
    sufficient: true,
    mean: 82.5,
    min: { value: 80, at: end - 50 * MINUTE },
    max: { value: 85, at: end },
    sum: null,
    p95: 84,
    stddev: 1.5,
    worstFlag: 1,
    exceedanceMinutes: 0,
    revision: 0,
    algorithm: 1,
    ...differences
  }
}

/** Any finite number but negative zero, which JSON does not tell from zero. */
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map(value => (value === 0 ? 0 : value))
const share = fc.double({ min: 0, max: 1, noNaN: true }).map(value => (value === 0 ? 0 : value))
const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null })
const instant = fc.integer({ min: DAY, max: LATEST - 1 })
const extreme = orNull(fc.record({ value: finite, at: instant }))
const tally = fc.integer({ min: 0, max: 10_000 })

/** One aggregate with any field at its strangest, within what the types allow. */
export const strangeAggregates = (station = 'AG-017'): fc.Arbitrary<Aggregate> =>
  fc
    .record({
      parameter: fc.constantFrom('COD', 'PM2,5'),
      unit: fc.constantFrom('mg/L', '-', 'ug/m3', 'Pt-Co'),
      period: fc.constantFrom<Period[]>('hour', 'day', 'month'),
      end: instant,
      tallies: fc.tuple(tally, tally, tally),
      completeness: share,
      validShare: orNull(share),
      sufficient: fc.boolean(),
      mean: orNull(finite),
      min: extreme,
      max: extreme,
      sum: orNull(finite),
      p95: orNull(finite),
      stddev: orNull(finite.map(Math.abs)),
      worstFlag: orNull(fc.constantFrom<Flag[]>(1, 2, 3, 4, 9)),
      exceedanceMinutes: fc.double({ min: 0, max: 44_640, noNaN: true }).map(value => (value === 0 ? 0 : value)),
      revision: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      algorithm: fc.integer({ min: 1, max: 100 })
    })
    .map(({ tallies: [received, other, expected], end, ...rest }) => ({
      station,
      ...rest,
      start: end - HOUR,
      end,
      received,
      count: Math.min(received, other),
      expected
    }))

/** Few windows and revisions of one station, so that they meet all the time. What is the same revision has the same figures. */
export const aggregateHistories = (station: string): fc.Arbitrary<Aggregate[]> =>
  fc.array(
    fc
      .record({
        parameter: fc.constantFrom('COD', 'TSS'),
        period: fc.constantFrom<Period[]>('hour', 'hour', 'day'),
        slot: fc.integer({ min: 0, max: 4 }),
        revision: fc.integer({ min: 0, max: 3 })
      })
      .map(({ slot, revision, ...series }) =>
        plainAggregate({ station, ...series, end: END + slot * 12 * HOUR, revision, mean: 50 + slot + revision / 8 })
      ),
    { minLength: 1, maxLength: 40 }
  )
