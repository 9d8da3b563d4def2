import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Verdict } from '#libs/model'
import { parseDayOrInstant } from '#libs/model'
import { AIR, EFFLUENT, GAUGE, lawOf, permit, shipped, sources } from '../test/fixtures.js'
import type { JudgedWindow, Law, LegalVerdict } from './index.js'
import { compareLaw, explain, readLaw, waterClass } from './index.js'

const at = (text: string): number => parseDayOrInstant(text) ?? Number.NaN

interface Asked {
  readonly parameter?: string
  readonly when?: string
  readonly value?: number | null
  readonly unit?: string
  readonly window?: JudgedWindow
  readonly station?: string
}

const question = ({ parameter = 'COD', when = '2024-05-05', value = 1, unit = 'mg/L', window = 'reading', station = 'AG-X' }: Asked) => ({
  station,
  parameter,
  at: at(when),
  value,
  unit,
  window
})

const ask = (law: Law, asked: Asked): LegalVerdict => law.judge(question(asked))
const verdict = (law: Law, asked: Asked): Verdict => ask(law, asked).verdict

const limitAt = (law: Law, parameter: string, when = '2024-05-05') => {
  const [limit] = law.spanAt('AG-X', parameter, at(when)).limits
  return limit ? [limit.low, limit.high] : null
}

describe('regulations.md 3.1, QCVN 40:2011: Cmax = C x Kq x Kf', () => {
  it.each<[string, number, number, number]>([
    ['A', 1.2, 1, 90],
    ['A', 0.9, 1.2, 81],
    ['B', 1.1, 0.9, 148.5]
  ])('COD column %s, Kq %d, Kf %d is %d', (column, kq, kf, cmax) => {
    expect(limitAt(lawOf([permit({ column, kq, kf })]), 'COD')).toEqual([null, cmax])
  })

  it('leaves pH, colour and temperature alone, whatever Kq and Kf', () => {
    for (const [kq, kf] of [
      [0.6, 0.9],
      [1.3, 1.2]
    ]) {
      const law = lawOf([permit({ column: 'B', kq, kf })])
      expect(limitAt(law, 'pH')).toEqual([5.5, 9])
      expect(limitAt(law, 'Color')).toEqual([null, 150])
      expect(limitAt(law, 'Temp')).toEqual([null, 40])
      expect(law.spanAt('AG-X', 'pH', at('2024-05-05')).limits[0]?.basis).toMatchObject({ kq: null, kf: null })
    }
  })

  it('holds pH on both sides', () => {
    const law = lawOf([permit({ column: 'B' })])
    const found = [5.49, 5.5, 7, 9, 9.01].map(value => verdict(law, { parameter: 'pH', unit: '-', value }))
    expect(found).toEqual(['exceeds', 'preparing', 'within', 'preparing', 'exceeds'])
  })

  it.each<[number, number]>([
    [50, 1.2],
    [50.1, 1.1],
    [500, 1.1],
    [501, 1],
    [5_000, 1],
    [5_001, 0.9]
  ])('Kf of %d m3/day is %d', (discharge, kf) => {
    const law = lawOf([permit({ kq: 1, kf: undefined, discharge })])
    expect(law.permits[0]?.kf).toBe(kf)
  })

  it.each<[object, number]>([
    [{ river: 50 }, 0.9],
    [{ river: 51 }, 1],
    [{ river: 200 }, 1],
    [{ river: 201 }, 1.1],
    [{ river: 500 }, 1.1],
    [{ river: 501 }, 1.2],
    [{ river: 'unknown' }, 0.9],
    [{ lake: 10 }, 0.6],
    [{ lake: 11 }, 0.8],
    [{ lake: 100 }, 0.8],
    [{ lake: 101 }, 1],
    [{ lake: 'unknown' }, 0.6],
    [{ canal: true }, 0.9],
    [{ sea: 'protected' }, 1],
    [{ sea: 'other' }, 1.3]
  ])('Kq of %j is %d', (receiving, kq) => {
    expect(lawOf([permit({ kq: undefined, receiving })]).permits[0]?.kq).toBe(kq)
  })

  it('has neither NO3 nor PO4, and says that it does not regulate what is not in its table', () => {
    const table = lawOf([]).regulations.get('qcvn-40-2011')
    expect(table?.limits.map(({ parameter }) => parameter).filter(code => /NO3|PO4/.test(code))).toEqual([])
    expect(ask(lawOf([permit()]), { parameter: 'Flow' })).toMatchObject({ verdict: 'no-limit', reason: 'not-regulated' })
  })

  it('names column, coefficients, permit and version', () => {
    expect(ask(lawOf([permit()]), { value: 95 })).toMatchObject({
      verdict: 'exceeds',
      reason: null,
      basis: {
        title: 'QCVN 40:2011/BTNMT',
        column: 'A',
        kq: 1.2,
        kf: 1,
        base: { max: 75 },
        permit: 'P-1',
        own: false,
        version: expect.stringMatching(/^qcvn-40-2011@1\/[0-9a-f]{8}\+[0-9a-f]{8}$/)
      }
    })
  })
})

describe('regulations.md 3.2, QCVN 40:2025 beside the old text', () => {
  const stays = lawOf([permit()])
  const changes = lawOf([
    permit(),
    permit({ id: 'P-2', regulation: 'qcvn-40-2025', flowClass: 'F1', kq: undefined, kf: undefined, validFrom: '2025-09-01' })
  ])

  it('judges two facilities with one value by two texts', () => {
    const asked = { value: 95, when: '2025-09-01' }
    expect(ask(stays, asked)).toMatchObject({ verdict: 'exceeds', basis: { regulation: 'qcvn-40-2011' } })
    expect(ask(changes, asked)).toMatchObject({ verdict: 'no-limit', reason: 'no-limit-loaded', limit: null })
    expect(ask(changes, { value: 95, when: '2025-08-31T23:59:59+07:00' })).toMatchObject({ verdict: 'exceeds' })
  })

  it('lets who was there before stay until 2031-12-31, and nobody else', () => {
    expect(verdict(stays, { value: 95, when: '2031-12-31T23:59:59+07:00' })).toBe('exceeds')
    expect(ask(stays, { value: 95, when: '2032-01-01' })).toMatchObject({ verdict: 'no-limit', reason: 'replaced' })
    const late = lawOf([permit({ operatingSince: '2025-09-01' })])
    expect(ask(late, { when: '2025-09-01' })).toMatchObject({ verdict: 'no-limit', reason: 'replaced' })
    const unknown = lawOf([permit({ operatingSince: undefined })])
    expect(ask(unknown, { when: '2025-09-01' })).toMatchObject({ verdict: 'no-limit', reason: 'replaced' })
  })

  it('ships empty: no number of it is in the product', () => {
    expect(lawOf([]).regulations.get('qcvn-40-2025')?.limits).toEqual([])
  })

  it('takes flow classes and columns once a table is loaded (made-up numbers)', () => {
    const table = {
      name: 'loaded',
      content: {
        ...(shipped.find(({ name }) => name === 'qcvn-40-2025.yaml')?.content as object),
        limits: [
          { parameter: 'COD', unit: 'mg/L', flowClass: 'F1', max: { A: 11111, B: 22222 } },
          { parameter: 'COD', unit: 'mg/L', flowClass: 'F2', max: { A: 11110, B: 22220 } },
          { parameter: 'NH4', unit: 'mg/L', max: { A: 3333 } }
        ]
      }
    }
    const others = shipped.filter(({ name }) => name !== 'qcvn-40-2025.yaml')
    const under = (other: object) =>
      lawOf([permit({ regulation: 'qcvn-40-2025', kq: undefined, kf: undefined, ...other })], [...others, table])
    expect(limitAt(under({ column: 'B', flowClass: 'F2' }), 'COD', '2026-02-02')).toEqual([null, 22220])
    expect(limitAt(under({ flowClass: 'F1' }), 'NH4', '2026-02-02')).toEqual([null, 3333])
    expect(ask(under({ column: 'C', flowClass: 'F1' }), { when: '2026-02-02' }).reason).toBe('not-regulated')
    expect(ask(under({ flowClass: 'F1' }), { when: '2025-08-31' }).reason).toBe('not-in-force')
  })
})

describe('regulations.md 4.2, QCVN 05:2023', () => {
  const law = lawOf([{ id: 'AIR', station: 'AG-AIR', document: 'network', regulation: 'qcvn-05-2023', validFrom: '2023-09-12' }])
  const pm = (value: number, when: string, window: JudgedWindow = 'day') =>
    ask(law, { station: 'AG-AIR', parameter: 'PM2,5', unit: 'ug/m3', value, when, window })

  it('lowers PM2.5 from 50 to 45 at 2026-01-01 in UTC+7', () => {
    expect(pm(48, '2025-12-31T23:59:59+07:00')).toMatchObject({ verdict: 'preparing', limit: { high: 50 } })
    expect(pm(48, '2026-01-01T00:00:00+07:00')).toMatchObject({ verdict: 'exceeds', limit: { high: 45 } })
    expect(pm(48, '2025-12-31T17:00:00Z').verdict).toBe('exceeds')
  })

  it('holds a mean against the limit of its own window', () => {
    expect(pm(300, '2026-02-02', 'reading')).toMatchObject({ verdict: 'not-evaluated', reason: 'other-window' })
    expect(pm(26, '2026-02-02', 'year')).toMatchObject({ verdict: 'exceeds', limit: { high: 25 } })
    const so2 = (window: JudgedWindow) => ask(law, { station: 'AG-AIR', parameter: 'SO2', unit: 'ug/m3', value: 200, window }).limit?.high
    expect([so2('hour'), so2('day'), so2('year'), so2('8-hours')]).toEqual([350, 125, 50, undefined])
  })

  it('says nothing before the regulation', () => {
    expect(pm(300, '2023-09-11').verdict).toBe('no-limit')
  })
})

describe('regulations.md 4.1, QCVN 08:2023', () => {
  const table = lawOf([]).regulations.get('qcvn-08-2023')
  if (!table) throw new Error('it is not shipped')
  const classify = (values: Readonly<Record<string, number>>) => waterClass(table, new Map(Object.entries(values)))

  it('gives a site the worst class of its parameters and says which decided', () => {
    expect(classify({ pH: 7, BOD5: 5, DO: 6.5, COD: 9 })).toMatchObject({ class: 'B', deciding: ['BOD5'] })
    expect(classify({ pH: 7, BOD5: 3, DO: 3.9 })).toMatchObject({ class: 'D', deciding: ['DO'] })
    expect(classify({})).toMatchObject({ class: null, deciding: [] })
  })

  it.each<[string, number[], string]>([
    ['pH', [6.5, 8.5, 6.4, 6, 5.9, 8.6], 'AABBDD'],
    ['BOD5', [4, 4.1, 6, 10, 10.1], 'ABBCD'],
    ['COD', [10, 15, 20, 20.1], 'ABCD'],
    ['TSS', [25, 100, 101, 5_000], 'ABCC'],
    ['DO', [6, 5.9, 5, 4, 3.9], 'ABBCD'],
    ['TP', [0.1, 0.3, 0.5, 0.51], 'ABCD'],
    ['TN', [0.6, 1.5, 2, 2.1], 'ABCD'],
    ['Coliform', [1_000, 5_000, 7_500, 7_501], 'ABCD']
  ])('has the edges of %s where the table has them', (parameter, values, classes) => {
    expect(values.map(value => classify({ [parameter]: value })?.class).join('')).toBe(classes)
  })
})

describe('regulations.md 5.1, flood alarm levels', () => {
  const law = lawOf([
    { id: 'G', station: 'AG-GAUGE', document: 'Tân Châu', regulation: 'qd-05-2020', column: 'tan-chau', validFrom: '2020-02-01' }
  ])
  const level = (value: number, unit = 'm') => {
    const { limit, verdict: found } = ask(law, { station: 'AG-GAUGE', parameter: 'WaterLevel', unit, value })
    return found === 'exceeds' ? limit?.severity : found
  }

  it('are reached at H >= value', () => {
    expect([3.49, 3.5, 3.99, 4].map(value => level(value))).toEqual(['within', 'Báo động I', 'Báo động I', 'Báo động II'])
    expect([4.49, 4.5, 6].map(value => level(value))).toEqual(['Báo động II', 'Báo động III', 'Báo động III'])
  })

  it('take centimetres for what they are', () => {
    expect(level(349, 'cm')).toBe('within')
    expect(level(350, 'cm')).toBe('Báo động I')
  })

  it('mark what is not verified', () => {
    const table = law.regulations.get('qd-05-2020')
    const unverified = table?.limits.filter(({ confidence }) => confidence === 'unverified')
    expect(unverified).toMatchObject([{ column: 'long-xuyen', max: 2.2 }])
    for (const column of table?.columns ?? []) {
      const levels = table?.limits.filter(limit => limit.column === column).map(({ max }) => max ?? 0) ?? []
      expect(levels).toEqual([...levels].sort((a, b) => a - b))
      expect(new Set(levels).size).toBe(3)
    }
  })
})

describe('a permit', () => {
  it('that begins later counts from its first instant on', () => {
    const law = lawOf([permit(), permit({ id: 'P-2', kf: 1.1, validFrom: '2024-07-01' })])
    expect(limitAt(law, 'COD', '2024-06-30T23:59:59+07:00')).toEqual([null, 90])
    expect(limitAt(law, 'COD', '2024-07-01')).toEqual([null, 99])
    expect(law.spansOf('AG-X', 'COD').map(({ gap }) => gap)).toEqual(['no-permit', null, null, 'replaced'])
  })

  it('may have limits of its own, which win over the table even where the text has ended', () => {
    const law = lawOf([permit({ own: [{ parameter: 'COD', unit: 'g/L', max: 0.07 }], parameters: ['COD', 'pH'] })])
    expect(ask(law, { value: 71 })).toMatchObject({ verdict: 'exceeds', limit: { high: 70 }, basis: { own: true, kq: null } })
    expect(verdict(law, { value: 71, when: '2032-05-05' })).toBe('exceeds')
    expect(ask(law, { parameter: 'TSS' })).toMatchObject({ verdict: 'no-limit', reason: 'no-permit' })
  })

  it('that nobody loaded is no compliance', () => {
    expect(ask(lawOf([]), { value: 0 })).toMatchObject({ verdict: 'no-limit', reason: 'no-permit', limit: null })
  })

  it('judges no value that may not be used', () => {
    expect(ask(lawOf([permit()]), { value: null })).toMatchObject({ verdict: 'not-evaluated', reason: 'no-value', basis: { column: 'A' } })
    expect(verdict(lawOf([permit()]), { value: 5, unit: 'm' })).toBe('not-evaluated')
  })

  it.each<[string, object, string]>([
    ['an unknown station', { station: 'AG-NO' }, "unknown station 'AG-NO'"],
    ['an unknown regulation', { regulation: 'qcvn-1' }, "unknown regulation 'qcvn-1'"],
    ['a column that there is not', { column: 'Z' }, "'Z' is none"],
    ['no column', { column: undefined }, 'it is missing'],
    ['no Kq', { kq: undefined }, 'it is missing, and so is the receiving water'],
    ['no Kf', { kf: undefined }, 'it is missing, and so is the discharge'],
    ['a Kq that the river contradicts', { receiving: { river: 100 } }, '1.2 is not the 1 that'],
    ['a Kf that the discharge contradicts', { discharge: 10 }, '1 is not the 1.2 that'],
    ['coefficients where there are none', { regulation: 'qcvn-40-2025', flowClass: 'F1' }, 'knows no Kq and Kf'],
    ['a flow class that there is not', { flowClass: 'F9' }, "'F9' is none"],
    ['a parameter that the station lacks', { parameters: ['EC'] }, "does not measure 'EC'"],
    ['a limit without a number', { own: [{ parameter: 'COD', unit: 'mg/L' }] }, 'neither min nor max'],
    ['a limit in another dimension', { own: [{ parameter: 'COD', unit: 'm', max: 1 }] }, 'cannot be converted'],
    ['a day that is none', { validFrom: '2024-02-30' }, 'neither a day'],
    ['an end before its beginning', { validTo: '2018-01-01' }, 'ends before it begins'],
    ['an unknown key', { columm: 'A' }, 'columm']
  ])('with %s is refused', (_what, other, message) => {
    const read = readLaw(sources([permit(other)]), [EFFLUENT])
    expect(read).toMatchObject({ ok: false, problems: expect.arrayContaining([expect.objectContaining({ document: 'permits.0' })]) })
    expect(read.ok ? '' : read.problems.map(problem => problem.message).join('\n')).toContain(message)
  })

  it('may not begin on the day of another of its station', () => {
    const read = readLaw(sources([permit(), permit({ id: 'P-2' }), permit({ validFrom: '2020-01-01' })]), [EFFLUENT])
    expect(read.ok ? [] : read.problems.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      "validFrom: permit 'P-1' of AG-X begins at the same time: which of them binds?",
      "id: 'P-1' stands twice: also permits.0"
    ])
  })
})

describe('a regulation', () => {
  const base = {
    ...{ id: 'r', title: 'R', name: 'r', nameEn: 'r', issued: 'x', validFrom: '2020-01-01', columns: ['A'], source: 's' },
    ...{ confidence: 'high', limits: [{ parameter: 'COD', unit: 'mg/L', max: { A: 1 } }] }
  }

  it.each<[string, object, string]>([
    ['an unknown parameter', { limits: [{ parameter: 'Gold', unit: 'mg/L', max: 1 }] }, "no parameter 'Gold'"],
    ['an unknown column', { limits: [{ parameter: 'COD', unit: 'mg/L', max: { B: 1 } }] }, "no column 'B'"],
    ['an unknown flow class', { limits: [{ parameter: 'COD', unit: 'mg/L', max: 1, flowClass: 'F1' }] }, "no flow class 'F1'"],
    [
      'a limit without numbers',
      {
        limits: [
          { parameter: 'COD', unit: 'mg/L', max: {} },
          { parameter: 'pH', unit: '-' }
        ]
      },
      ''
    ],
    ['two limits for one time', { limits: [1, 2].map(max => ({ parameter: 'COD', unit: 'mg/L', max })) }, 'two limits for the same time'],
    ['an unknown successor', { successor: 'r-2' }, "unknown regulation 'r-2'"],
    ['an unknown class', { classes: { order: ['A', 'B'], rows: [{ parameter: 'COD', unit: 'mg/L', within: { C: {} } }] } }, "no class 'C'"]
  ])('with %s is refused', (what, other, message) => {
    const read = readLaw({ regulations: [{ name: 'r.yaml', content: { ...base, ...other } }], permits: [] }, [])
    if (what === 'a limit without numbers')
      expect(read.ok).toBe(true) // a line that binds no column binds nobody
    else expect(read.ok ? '' : read.problems.map(problem => problem.message).join('\n')).toContain(message)
  })
})

describe('a change of a permit', () => {
  it('is told as the stretches in which other limits hold', () => {
    const before = lawOf([permit()])
    const after = lawOf([permit(), permit({ id: 'P-2', kf: 1.1, validFrom: '2024-07-01', validTo: '2025-01-01' })])
    expect(compareLaw(before, before, 'AG-X', 'COD')).toEqual([])
    expect(compareLaw(before, after, 'AG-X', 'COD')).toMatchObject([
      { from: at('2024-07-01'), to: at('2025-01-01'), before: { limits: [{ high: 90 }] }, after: { limits: [{ high: 99 }] } }
    ])
  })

  it('concerns exactly the instants whose verdict rests on something else', () => {
    const day = fc.integer({ min: 0, max: 400 }).map(n => new Date(Date.UTC(2024, 0, 1 + n)).toISOString().slice(0, 10))
    const other = fc.record({ validFrom: day, kf: fc.constantFrom(0.9, 1, 1.1) }).map(one => permit({ id: 'P-2', ...one }))
    fc.assert(
      fc.property(other, day, (added, when) => {
        const [before, after] = [lawOf([permit()]), lawOf([permit(), added])]
        const isIn = compareLaw(before, after, 'AG-X', 'COD').some(
          ({ from, to }) => (from ?? -Infinity) <= at(when) && at(when) < (to ?? Infinity)
        )
        const [old, now] = [before, after].map(law => ask(law, { when, value: 91 }).basis)
        expect(isIn).toBe(JSON.stringify(old) !== JSON.stringify(now))
      })
    )
  })

  it('gives a permit that is loaded in another order the same spans', () => {
    const permits = [permit(), permit({ id: 'P-2', kf: 1.1, validFrom: '2021-01-01' }), permit({ id: 'P-3', validFrom: '2023-01-01' })]
    fc.assert(
      fc.property(fc.shuffledSubarray(permits, { minLength: 3 }), order => {
        expect(lawOf(order).spansOf('AG-X', 'COD')).toEqual(lawOf(permits).spansOf('AG-X', 'COD'))
      })
    )
  })
})

describe('an explanation', () => {
  it('names value, window, rows, limit, law, permit and version in both languages', () => {
    const law = lawOf([permit()])
    const asked = question({ value: 95, window: 'day' })
    const rows = { count: 288, start: at('2024-05-04'), end: at('2024-05-05') }
    const [vi, en] = (['vi', 'en'] as const).map(language => explain(asked, law.judge(asked), rows, language).join('\n'))
    expect(vi).toContain('95 mg/L, trung bình 24 giờ 2024-05-04T00:00:00+07:00 → 2024-05-05T00:00:00+07:00, 288 số đo')
    expect(vi).toContain('QCVN 40:2011/BTNMT, cột A, Cmax = C × Kq × Kf = 75 mg/L × 1,2 × 1')
    expect(en).toContain('exceeds = exceeds the limit (an indicator for review, not a finding of violation)')
    expect(en).toContain('P-1: test permit')
    expect(en).toMatch(/version +qcvn-40-2011@1\//)
  })

  it('says why there is no limit', () => {
    const asked = question({ when: '2033-01-01', value: 95 })
    const text = explain(asked, lawOf([permit()]).judge(asked), null, 'en').join('\n')
    expect(text).toContain('the regulation has been replaced and the facility may not stay with it')
    expect(text).not.toContain('≤')
  })
})

describe('the registry that ships', () => {
  it('is sound', () => {
    expect(readLaw(sources([]), [EFFLUENT, AIR, GAUGE])).toMatchObject({ ok: true })
  })
})
