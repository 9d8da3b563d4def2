import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Part, Period, Window } from '#libs/aggregates'
import { DEFAULT_TERMS, partsOf, windowsBetween } from '#libs/aggregates'
import type { Change, Correction } from '#libs/corrections'
import { overlay, standingAt } from '#libs/corrections'
import type { Millis, Reading, SeriesKey } from '#libs/model'
import { DAY, HOUR, MINUTE, seriesId } from '#libs/model'
import { BEGIN, plainReading } from '#libs/testkit'
import { storeOf } from '../test/store-of.js'
import type { SeriesTerms, TermsOf } from './aggregate-ports.js'
import { Aggregator } from './aggregator.js'
import { AggregatesAsked } from './asked-aggregates.js'
import type { Asked, CorrectionSource } from './asked-readings.js'
import { ReadingsAsked } from './asked-readings.js'

const SERIES = { station: 'AG-017', parameter: 'COD' }
const NOW: Asked = { as: 'corrected', asOf: null }
const terms = { ...DEFAULT_TERMS, every: HOUR }
const flow: SeriesTerms = { unit: 'm3/h', terms, flow: null }
const load: SeriesTerms = { unit: 'mg/L', terms: { ...terms, sum: 'load' }, flow: { parameter: 'Flow', factor: 1 } }
const termsOf: TermsOf = ({ parameter }) => (parameter === 'Flow' ? flow : load)
const limits = { limitsOf: () => [] }

const sourceOf = (corrections: readonly Correction[]): CorrectionSource => ({
  accepted: async ({ limit, station, parameter }) =>
    corrections.filter(one => one.acceptedAt !== null && seriesId(one) === seriesId({ station, parameter })).slice(0, limit)
})

const correction = (id: number, change: Change, more: Partial<Correction> = {}): Correction => ({
  ...SERIES,
  id,
  state: 'accepted',
  version: 3,
  change,
  reason: 'drift',
  writers: [{ name: 'Lan', via: null }],
  createdAt: 0,
  changedAt: id,
  approver: { name: 'Minh', via: null },
  acceptedAt: id,
  withdrawnAt: null,
  ...more
})

/** Published days as the consumer of aggregates would have made them of these readings. */
function publishedOf(readings: readonly Reading[], marked: readonly Window[] = []) {
  const aggregator = new Aggregator({ store: storeOf(readings), aggregates: { days: async () => [] }, termsOf, limits })
  return {
    days: async (series: SeriesKey, { from, to }: { from: Millis; to: Millis }): Promise<Part[]> => {
      const { station, parameter } = series
      const days = partsOf({ period: 'month', start: from, end: to })
      const parts = await Promise.all(days.map(day => aggregator.sumUp({ station, parameter }, day, termsOf(series) ?? load)))
      return parts.filter(({ summary }) => summary.received > 0)
    },
    marked: async () => marked.map(window => ({ ...SERIES, ...window, dueAt: 0, sequence: 1 }))
  }
}

interface World {
  readonly stored: readonly Reading[]
  readonly corrections?: readonly Correction[]
  /** What the published days were summed up from; what is stored, unless told. */
  readonly published?: readonly Reading[]
  readonly marked?: readonly Window[]
}

function open({ stored, corrections = [], published = stored, marked = [] }: World): AggregatesAsked {
  const readings = new ReadingsAsked(storeOf(stored), sourceOf(corrections))
  return new AggregatesAsked({ readings, aggregates: publishedOf(published, marked), termsOf, limits })
}

const windowsOf = (period: Period): Window[] => windowsBetween(period, { from: BEGIN, to: BEGIN + 9 * DAY }, terms.dayRule)
const [DAY_ONE, DAY_TWO] = windowsOf('day') as [Window, Window]
const [MONTH] = windowsOf('month') as [Window]

describe('windows with corrections', () => {
  const reading = (hour: number, value: number, more: Partial<Reading> = {}) => plainReading({ at: BEGIN + hour * HOUR, value, ...more })

  it('are those that a correction is about, begin without and end with; the others are published as they are', async () => {
    const stored = [1, 2, 24, 25].map(hour => reading(hour, hour))
    const edges = [DAY_ONE.start, DAY_ONE.end].map((at, n) => correction(n + 1, { kind: 'remove', from: at, to: at }))
    const found = await open({ stored, corrections: edges }).sumUp(SERIES, windowsOf('day'), NOW)
    expect([...found].map(([end, { corrections, summary }]) => [end, corrections, summary?.count])).toEqual([[DAY_ONE.end, [2], 2]])
  })

  it('of a month rest on the published days that nobody corrected, also where their readings have gone', async () => {
    const all = [reading(1, 10), reading(30, 20)]
    const corrections = [correction(1, { kind: 'scale', from: DAY_ONE.start, to: DAY_ONE.end, factor: 2, offset: 0 })]
    const sum = async (stored: readonly Reading[], marked: readonly Window[] = []) =>
      (await open({ stored, corrections, published: all, marked }).sumUp(SERIES, [MONTH], NOW)).get(MONTH.end)?.summary
    expect(await sum(all)).toMatchObject({ mean: 20, received: 2 })
    expect(await sum(all.slice(0, 1))).toMatchObject({ mean: 20, received: 2 })
    // A published day that waits to be summed up again is not to be relied on.
    expect(await sum([reading(1, 10), reading(30, 40)], [DAY_TWO])).toMatchObject({ mean: 30, received: 2 })
    // Nobody can tell what the corrected day came to: better nothing than half of it.
    expect(await sum(all.slice(1))).toBeNull()
  })

  it('of an instant have nothing where nothing was received by then', async () => {
    const stored = [reading(1, 1, { receivedAt: 100 }), reading(2, 2, { receivedAt: 200, revision: 1 })]
    const asOf = async (instant: Millis) => (await open({ stored }).sumUp(SERIES, [DAY_ONE], { as: 'raw', asOf: instant })).get(DAY_ONE.end)
    expect(await asOf(99)).toMatchObject({ summary: null, replacedLater: 1 })
    expect(await asOf(100)).toMatchObject({ summary: { mean: 1, received: 1 }, replacedLater: 1 })
    expect(await asOf(200)).toMatchObject({ summary: { received: 2 }, replacedLater: 0 })
  })

  it('rest on corrections that were accepted by then and not taken back, of the flow of their load too', async () => {
    const stored = [reading(1, 10), reading(1, 100, { parameter: 'Flow' })]
    const half = { kind: 'scale', from: BEGIN, to: DAY_ONE.end, factor: 0.5, offset: 0 } as const
    const corrections = [
      correction(1, half, { acceptedAt: BEGIN + DAY, withdrawnAt: BEGIN + 3 * DAY }),
      correction(2, half, { acceptedAt: BEGIN + 2 * DAY, parameter: 'Flow' })
    ]
    const asOf = async (days: number) => {
      const one = (await open({ stored, corrections }).sumUp(SERIES, [DAY_ONE], { as: 'corrected', asOf: BEGIN + days * DAY })).get(
        DAY_ONE.end
      )
      return [one?.summary?.mean, one?.summary?.sum, one?.corrections]
    }
    expect(await asOf(0.5)).toEqual([10, 1, []])
    expect(await asOf(1)).toEqual([5, 0.5, [1]])
    expect(await asOf(2)).toEqual([5, 0.25, [1, 2]])
    expect(await asOf(3)).toEqual([10, 0.5, [2]])
  })

  it('cost what an answer may cost, and no more', async () => {
    const second = (n: number) => plainReading({ at: BEGIN + 1 + n * 100 })
    const stored = [...Array(250_001).keys()].map(second)
    const wanted = { as: 'raw' as const, asOf: BEGIN + 400 * DAY }
    await expect(open({ stored }).sumUp(SERIES, [DAY_ONE], wanted)).rejects.toMatchObject({ code: 'QT_CORRECTION_TOO_WIDE' })
    expect((await open({ stored: stored.slice(1) }).sumUp(SERIES, [DAY_ONE], wanted)).size).toBe(1)
    // Also what was not known by then was read.
    await expect(open({ stored }).sumUp(SERIES, [DAY_ONE], { as: 'raw', asOf: BEGIN })).rejects.toMatchObject({
      code: 'QT_CORRECTION_TOO_WIDE'
    })
    const many = [...Array(1_001).keys()].map(n => correction(n + 1, { kind: 'remove', from: BEGIN, to: BEGIN + DAY }))
    await expect(open({ stored: [reading(1, 1)], corrections: many }).sumUp(SERIES, [DAY_ONE], NOW)).rejects.toMatchObject({
      code: 'QT_CORRECTION_TOO_WIDE'
    })
  })
})

describe('any windows, with any corrections, as of any instant', () => {
  const slot = fc.integer({ min: 0, max: 120 }).map(n => BEGIN + n * 30 * MINUTE)
  const moment = fc.integer({ min: 1, max: 9 })
  const parameter = fc.constantFrom('COD', 'Flow')
  const value = fc.integer({ min: -50, max: 50 })
  const readings = fc
    .uniqueArray(fc.tuple(slot, value, parameter, moment, fc.integer({ min: 0, max: 1 })), {
      selector: ([at, , p]) => `${p}${at}`,
      minLength: 12,
      maxLength: 40
    })
    .map(list => list.map(([at, v, p, receivedAt, revision]) => plainReading({ at, value: v, parameter: p, receivedAt, revision })))
  const span = fc.tuple(slot, slot).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }))
  const change: fc.Arbitrary<Change> = fc.oneof(
    fc.record({ at: slot, value }).map(one => ({ kind: 'replace' as const, values: [one] })),
    span.map(s => ({ kind: 'remove' as const, ...s })),
    span.map(s => ({ kind: 'scale' as const, factor: 2, offset: 1, ...s }))
  )
  const corrections = fc
    .array(fc.tuple(change, parameter, fc.option(moment), fc.option(moment)), { minLength: 1, maxLength: 5 })
    .map(list =>
      list.map(([c, p, acceptedAt, withdrawnAt], n) =>
        correction(n + 1, c, { parameter: p, acceptedAt, withdrawnAt: acceptedAt === null ? null : withdrawnAt })
      )
    )
  const asked: fc.Arbitrary<Asked> = fc.record({ as: fc.constantFrom('raw', 'corrected'), asOf: fc.option(moment) })

  /** Everything from the readings, by the plain aggregator. */
  const plain = (seen: readonly Reading[]) => {
    const aggregator = new Aggregator({ store: storeOf(seen), aggregates: publishedOf(seen), termsOf, limits })
    return async (window: Window) => {
      const { summary } = await aggregator.sumUp(SERIES, window, load)
      return summary.received > 0 ? summary : null
    }
  }

  it('come to what the plain aggregator makes of the readings as they were asked for', async () => {
    const period = fc.constantFrom<Period[]>('hour', 'day', 'month')
    await fc.assert(
      fc.asyncProperty(readings, corrections, asked, period, async (stored, all, question, of) => {
        const { as, asOf } = question
        const known = stored.filter(({ receivedAt }) => asOf === null || receivedAt <= asOf)
        const seen = as === 'raw' ? known : overlay(known, standingAt(all, asOf)).map(({ reading }) => reading)
        const found = await open({ stored, corrections: all }).sumUp(SERIES, windowsOf(of), question)
        const [expected, published] = [plain(seen), plain(stored)]
        for (const window of windowsOf(of)) {
          const one = found.get(window.end)
          expect(one ? one.summary : await published(window)).toEqual(await expected(window))
        }
      }),
      { numRuns: 150 }
    )
  })
})
