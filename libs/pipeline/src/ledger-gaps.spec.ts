import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { HOUR, MINUTE } from '#libs/model'
import type { Evidence, Gap, GapQuestion } from './ledger-gaps.js'
import { downtimes, GAP_CAUSES, gapsOf } from './ledger-gaps.js'

const INTERVAL = 5 * MINUTE
const NOTHING: Evidence = { server: [], offline: [], clock: [], refused: [], absent: [] }
const at = (...minutes: readonly number[]): number[] => minutes.map(minute => minute * MINUTE)

const ask = (covered: readonly number[], more: Partial<GapQuestion> = {}): Gap[] =>
  gapsOf({
    covered,
    evidence: NOTHING,
    interval: INTERVAL,
    tolerance: 3 * INTERVAL,
    window: { from: 0, to: 24 * HOUR },
    begin: 0,
    now: 6 * HOUR,
    ...more
  })
const spans = (gaps: readonly Gap[]): [number, number][] => gaps.map(({ from, to }) => [from / MINUTE, to / MINUTE])
const causes = (gaps: readonly Gap[]) =>
  gaps.flatMap(({ parts }) => parts.map(({ cause, from, to }) => [cause, from / MINUTE, to / MINUTE]))

describe('gaps', () => {
  it('are where there is nothing for longer than three intervals, from the first run until now', () => {
    expect(spans(ask(at(20, 100, 115, 115, 131, 200)))).toEqual([
      [0, 20],
      [115, 131],
      [200, 360]
    ])
    expect(ask(at(0, 350))).toEqual([])
    expect(ask(at(0, 200)).at(-1)).toMatchObject({ open: true, cause: 'silent' })
  })

  it('begin before the first run only between two readings', () => {
    expect(spans(ask(at(10, 20, 90, 100), { begin: 300 * MINUTE }))).toEqual([
      [20, 90],
      [100, 360]
    ])
    expect(spans(ask([], { begin: 300 * MINUTE }))).toEqual([[300, 360]])
  })

  it('are cut to the window, and none by the window', () => {
    const window = { from: 60 * MINUTE, to: 120 * MINUTE }
    expect(spans(ask(at(0, 50, 110, 360), { window }))).toEqual([[60, 110]])
    expect(spans(ask(at(0, 100, 130, 360), { window }))).toEqual([[100, 120]])
    expect(ask(at(0, 100, 112, 130), { window })).toEqual([])
  })

  it('have the causes that the evidence tells, the surest first', () => {
    const covered = at(0, 10, 100, 360)
    const evidence = { ...NOTHING, server: at(12, 40), offline: at(30, 60), absent: at(0, 10, 75, 360) }
    expect(causes(ask(covered, { evidence }).slice(0, 1))).toEqual([
      ['server', 10, 45],
      ['offline', 45, 65],
      ['silent', 65, 75],
      ['absent', 75, 100]
    ])
    expect(ask(covered, { evidence })[0]?.cause).toBe('server')
  })

  it('of a clock and of refusals are told from messages that came as well', () => {
    const came = at(0, 360)
    expect(causes(ask(at(0, 30, 90, 360), { evidence: { ...NOTHING, absent: came, clock: at(35, 85) } }))).toEqual([['clock', 30, 90]])
    expect(ask(at(0, 30, 90, 360), { evidence: { ...NOTHING, absent: came, refused: at(40, 80) } })[0]).toMatchObject({ cause: 'refused' })
  })

  it('have parts that follow each other without a hole, whatever the evidence', () => {
    const some = fc
      .uniqueArray(fc.integer({ min: 0, max: 360 }), { maxLength: 8 })
      .map(all => at(...all.sort((a, b) => a - b)).slice(0, all.length & ~1))
    const evidence = fc.record({ server: some, offline: some, clock: some, refused: some, absent: some })
    fc.assert(
      fc.property(some, evidence, (covered, known) => {
        for (const gap of ask(covered, { evidence: known })) {
          expect([gap.parts[0]?.from, gap.parts.at(-1)?.to]).toEqual([gap.from, gap.to])
          for (const [n, part] of gap.parts.entries()) {
            expect(part.to).toBeGreaterThan(part.from)
            if (n > 0) expect(part.from).toBe(gap.parts[n - 1]?.to)
            expect(GAP_CAUSES).toContain(part.cause)
          }
          expect(gap.parts.map(({ cause }) => cause)).toContain(gap.cause)
        }
      })
    )
  })

  it('of ours lie between two runs, never before the first', () => {
    expect(downtimes(at(100, 200, 230, 300, 340, 350), { from: 0, to: 345 * MINUTE })).toEqual(at(200, 230, 300, 340))
    expect(downtimes(at(100, 200), { from: 0, to: HOUR * 24 })).toEqual([])
    expect(downtimes(at(0, 200, 400, 500), { from: 250 * MINUTE, to: 300 * MINUTE })).toEqual(at(250, 300))
  })
})
