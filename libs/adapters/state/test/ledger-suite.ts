import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { DAY } from '#libs/model'
import type { OutcomeDay, ReceiptDay, SeriesDay } from '#libs/pipeline'
import { dayOf } from '#libs/pipeline'
import type { State, StatePlace } from '../src/state.js'
import { type Bench, NOON } from './fixtures.js'

const TODAY = dayOf(NOON)

const receipts = (station: string, more: Partial<ReceiptDay> = {}): ReceiptDay => ({
  station,
  day: TODAY,
  messages: { mqtt: 2, http: 1, file: 0 },
  received: { mqtt: 5, http: 4, file: 0 },
  refusedMessages: 1,
  repeatedMessages: 0,
  repeated: 0,
  refused: { 'not-json': 1, 'unknown-unit': 2 },
  came: [TODAY + 5, TODAY + 900],
  clock: [],
  refusedSpans: { '': [TODAY, TODAY], COD: [TODAY + 7, TODAY + 8] },
  ...more
})

const outcomes = (station: string, stored: number): OutcomeDay => ({
  station,
  day: TODAY,
  stored,
  replaced: 1,
  repeated: 2,
  conflicts: 0,
  setAside: 0,
  late: 1,
  clockAhead: 0
})

const series = (station: string, parameter: string, more: Partial<SeriesDay> = {}): SeriesDay => ({
  station,
  parameter,
  day: TODAY,
  stored: 3,
  calibrating: 1,
  fault: 0,
  otherStatus: 0,
  late: 1,
  newest: NOON,
  covered: [TODAY, TODAY, TODAY + 60_000, NOON],
  ...more
})

export function ledgerSuite(bench: Bench): void {
  let place: StatePlace
  let state: State
  beforeEach(async () => {
    place = await bench.place()
    state = await bench.open(place)
  })
  afterEach(() => bench.clear())

  describe('ledger', () => {
    it('gives back what was written, and writes it anew in its place', async () => {
      const rows = Array.from({ length: 150 }, (_, n) => receipts(`AG-${n}`))
      await state.ledgerBook.saveReceipts(rows, [], 10)
      await state.ledgerBook.saveReceipts([receipts('AG-7', { repeated: 9 })], [], 12)
      const found = await state.ledgerBook.receipts(rows)
      expect(found).toHaveLength(150)
      expect(found.find(({ station }) => station === 'AG-7')).toEqual(receipts('AG-7', { repeated: 9 }))
      expect(found.find(({ station }) => station === 'AG-8')).toEqual(receipts('AG-8'))
      expect(await state.ledgerBook.cursor('ledger-receipts')).toBe(12)
    })

    it('keeps outcomes and series with their cursor, and knows the newest of each series', async () => {
      const days = [
        series('AG-A', 'COD'),
        series('AG-A', 'COD', { day: TODAY - DAY, newest: NOON - DAY }),
        series('AG-A', 'pH', { newest: -1 })
      ]
      await state.ledgerBook.saveOutcomes([outcomes('AG-A', 3)], days, 20)
      expect(await state.ledgerBook.outcomes([{ station: 'AG-A', day: TODAY }])).toEqual([outcomes('AG-A', 3)])
      expect(await state.ledgerBook.seriesDays([days[1]!])).toEqual([days[1]])
      const newest = (await state.ledgerBook.newest()).sort((a, b) => (a.parameter < b.parameter ? -1 : 1))
      expect(newest.map(({ parameter, newest: at }) => [parameter, at])).toEqual([
        ['COD', NOON],
        ['pH', -1]
      ])
      expect(await state.ledgerBook.cursor('ledger-outcomes')).toBe(20)
      await state.ledgerBook.reset('ledger-outcomes')
      expect([await state.ledgerBook.cursor('ledger-outcomes'), await state.ledgerBook.newest()]).toEqual([0, []])
    })

    it('is read by day, with both accounts in one line, and sums by day of measurement', async () => {
      await state.ledgerBook.saveReceipts([receipts('AG-A'), receipts('AG-B'), receipts('AG-A', { day: TODAY - DAY, came: [] })], [], 1)
      await state.ledgerBook.saveOutcomes([outcomes('AG-A', 3)], [series('AG-A', 'COD'), series('AG-A', 'pH')], 1)
      const [a, b] = (await state.ledger.day(TODAY)).sort((x, y) => (x.receipts.station < y.receipts.station ? -1 : 1))
      expect(a).toMatchObject({ receipts: receipts('AG-A'), outcomes: { stored: 3, repeated: 2 } })
      expect(b).toMatchObject({ receipts: receipts('AG-B'), outcomes: { stored: 0, repeated: 0 } })
      expect(await state.ledger.day(TODAY, 'AG-B')).toHaveLength(1)
      expect(await state.ledger.measured(TODAY)).toEqual([
        { station: 'AG-A', stored: 6, calibrating: 2, fault: 0, otherStatus: 0, late: 2 }
      ])
      expect(await state.ledger.firstDay()).toBe(TODAY) // the day before only explains a gap
    })

    it('knows who is offline, and who was', async () => {
      await state.ledgerBook.saveReceipts([], [{ station: 'AG-A', since: NOON, until: null }], 1)
      expect(await state.ledgerBook.offlineNow()).toEqual([{ station: 'AG-A', since: NOON, until: null }])
      const spans = [
        { station: 'AG-A', since: NOON, until: NOON + 5 },
        { station: 'AG-A', since: NOON + 9, until: null },
        { station: 'AG-A', since: NOON + 9, until: NOON + 10 }
      ]
      await state.ledgerBook.saveReceipts([], spans, 2)
      expect(await state.ledgerBook.offlineNow()).toEqual([])
      expect(await state.ledger.offline(['AG-A'], { from: NOON + 6, to: NOON + 20 })).toEqual([spans[2]])
    })

    it('records runs of the server as one row each', async () => {
      expect(await state.uptime.first()).toBeNull()
      for (const [since, until] of [
        [100, 100],
        [100, 200],
        [300, 300],
        [900, 950]
      ] as const)
        await state.uptime.beat(since, until)
      expect(await state.uptime.first()).toBe(100)
      expect(await state.uptime.runs({ from: 400, to: 800 })).toEqual([300, 300])
      expect(await state.uptime.runs({ from: 0, to: 1_000 })).toEqual([100, 200, 300, 300, 900, 950])
    })
  })
}
