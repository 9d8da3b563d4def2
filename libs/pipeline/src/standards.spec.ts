import { beforeAll, describe, expect, it } from '@jest/globals'
import type { Reading, Verdict } from '#libs/model'
import { parseDayOrInstant } from '#libs/model'
import type { Registry } from '#libs/platform'
import { loadRegistry } from '#libs/platform'
import type { Standards } from './index.js'
import { readStandards } from './index.js'

const at = (text: string): number => parseDayOrInstant(text) ?? Number.NaN

const reading = (station: string, parameter: string, value: number, other: Partial<Reading> = {}): Reading => ({
  ...{ station, parameter, at: at('2026-11-24'), value, unit: 'mg/L', status: '00', flag: 1, flags: [] },
  ...{ revision: 0, receivedAt: 0, road: 'mqtt' },
  ...other
})

function standardsOf({ rules, law, stations }: Pick<Registry, 'rules' | 'law' | 'stations'>): Standards {
  const read = readStandards({ rules, law }, stations)
  if (!read.ok) throw new Error(read.problems.join('\n'))
  return read.standards
}

let registry: Registry
let standards: Standards
beforeAll(async () => {
  registry = await loadRegistry('devices/registry', 'devices')
  standards = standardsOf(registry)
})

describe('the example province', () => {
  it.each<[string, number]>([
    ['AG-KCN-BINHHOA-01', 90],
    ['AG-KCN-BINHLONG-01', 90],
    ['AG-KCN-THANHLOC-01', 67.5],
    ['AG-KCN-THUANYEN-01', 67.5],
    ['AG-KCN-XUANTO-01', 148.5]
  ])('holds COD of %s against %d mg/L: C x Kq x Kf of its permit', (station, high) => {
    const judged = standards.judgeReading(reading(station, 'COD', high + 0.1))
    expect(judged).toMatchObject({ verdict: 'exceeds', limit: { high }, legal: { basis: { regulation: 'qcvn-40-2011' } } })
  })

  it('alarms by the limits of the law, each with its dates and its source in words', () => {
    const limits = standards.rules.limitsOf('AG-KCN-BINHHOA-01', 'COD')
    expect(limits.map(({ rule, high, validFrom }) => [rule, high, validFrom])).toEqual([
      ['effluent-cod', 99, at('2019-01-01')],
      ['effluent-cod', 90, at('2024-07-01')]
    ])
    expect(limits.at(-1)?.source).toBe('QCVN 40:2011/BTNMT cột A, C = 75 mg/L, Kq 1,2, Kf 1, Ví dụ: giấy phép môi trường KCN Bình Hòa 2024')
    expect(limits.at(-1)?.validTo).toBe(at('2032-01-01'))
    const levels = standards.rules.limitsOf('AG-TV-TANCHAU-01', 'WaterLevel').map(({ rule, high, severity }) => [rule, high, severity])
    expect(levels).toEqual([
      ['flood-bd1', 3.5, 'Báo động I'],
      ['flood-bd2', 4, 'Báo động II'],
      ['flood-bd3', 4.5, 'Báo động III']
    ])
  })

  it('has a station under QCVN 40:2025, whose table nobody loaded: no limit, and no rule takes its place', () => {
    const before = reading('AG-CCN-MYQUY-01', 'COD', 500, { at: at('2025-08-31') })
    const after = { ...before, at: at('2025-09-01') }
    expect(standards.judgeReading(before).verdict).toBe('exceeds')
    expect(standards.judgeReading(after)).toMatchObject({ verdict: 'no-limit', legal: { reason: 'no-limit-loaded' } })
  })

  it('judges by the advice of a rule only what no permit speaks of', () => {
    const pond = standards.judgeReading(reading('AG-CA-CHAUPHU-01', 'DO', 1.5))
    expect(pond).toMatchObject({ verdict: 'exceeds', legal: null, limit: { low: 2 } })
    expect(standards.verdictOf(reading('AG-TV-VAMNAO-01', 'WaterLevel', 9, { unit: 'm' }))).toBe('no-limit')
  })

  it.each<[string, Partial<Reading>, Verdict]>([
    ['calibration', { status: '01', flag: 4, flags: ['calibration'] }, 'not-evaluated'],
    ['a fault', { status: '02', flag: 4, flags: ['device-fault'] }, 'not-evaluated'],
    ['a clock ahead', { flag: 3, flags: ['clock-ahead'] }, 'not-evaluated'],
    ['a sound value', {}, 'exceeds']
  ])('gives %s its verdict', (_what, other, verdict) => {
    expect(standards.verdictOf(reading('AG-KCN-BINHHOA-01', 'COD', 500, other))).toBe(verdict)
    expect(standards.verdictOf(reading('AG-CA-CHAUPHU-01', 'DO', 0.1, other))).toBe(verdict)
  })
})

describe('standards', () => {
  it('are refused with every problem of law and rules', () => {
    const law = { ...registry.law, permits: [{ name: 'permits.yaml: permits.0', content: { id: 'X' } }] }
    const read = readStandards({ rules: registry.rules, law }, registry.stations)
    expect(read.ok ? [] : read.problems).toContainEqual(expect.stringContaining('permits.yaml: permits.0: station:'))
    const rules = { rules: [{ id: 'r', parameter: 'COD', kinds: ['wastewater'], limit: 'permit', high: 3, source: 'x' }] }
    const wrong = readStandards({ rules, law: registry.law }, registry.stations)
    expect(wrong.ok ? [] : wrong.problems).toEqual(["rule 'r': limit: permit takes its limits from the law; leave out high, source"])
  })

  it('that are adopted answer every question, about the past too', () => {
    const mine = standardsOf(registry)
    const asked = reading('AG-KCN-BINHHOA-01', 'COD', 80)
    expect(mine.verdictOf(asked)).toBe('tendency')
    const own = { id: 'NEW', station: 'AG-KCN-BINHHOA-01', document: 'new', regulation: 'qcvn-40-2011', column: 'A', kq: 0.9, kf: 1 }
    const permits = [
      ...registry.law.permits,
      { name: 'loaded', content: { ...own, operatingSince: '2015-01-01', validFrom: '2025-01-01' } }
    ]
    mine.adopt(standardsOf({ ...registry, law: { ...registry.law, permits } }))
    expect(mine.verdictOf(asked)).toBe('exceeds')
    expect(mine.rules.limitsOf('AG-KCN-BINHHOA-01', 'COD').map(({ high }) => high)).toEqual([99, 90, 67.5])
    expect(mine.verdictOf({ ...asked, at: at('2024-12-31') })).toBe('tendency')
  })
})
