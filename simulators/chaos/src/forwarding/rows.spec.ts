import { describe, expect, it } from '@jest/globals'
import { agree, compareRows, formatDifferences, keyOf, Row } from './rows.js'

const HOUR = 3_600_000

const row = (n: number, changes: Partial<Row> = {}): Row => ({
  ...{ station: 'FWD-1', parameter: 'COD', period: 'hour' as const, start: (n - 1) * HOUR, end: n * HOUR },
  ...{ revision: 1, algorithm: 1, unit: 'mg/L', received: 12, count: 12, expected: 12, completeness: 1, validShare: 1, sufficient: true },
  ...{ mean: 82.5, min: 80, minAt: 1, max: 85, maxAt: 2, sum: null, p95: 84, stddev: 1.5, worstFlag: 1, exceedanceMinutes: 0 },
  ...changes
})
const three = [row(1), row(2), row(3)]

describe('compareRows', () => {
  it('finds nothing where both sides have the same, in whatever order', () => {
    const found = compareRows(three, [row(3), row(1), row(2)])
    expect(formatDifferences(found)).toBe('rows 3 missing 0 doubled 0 stale 0')
    expect(found.examples).toEqual([])
    expect(agree(found)).toBe(true)
  })

  it('never agrees on nothing', () => {
    expect(agree(compareRows([], []))).toBe(false)
  })

  it.each<[string, readonly Row[], string]>([
    ['what is here alone', [row(1), row(3)], 'rows 3 missing 1 doubled 0 stale 0'],
    ['what is there alone', [...three, row(4)], 'rows 3 missing 0 doubled 1 stale 0'],
    ['the same hour of another period', [...three, row(3, { period: 'day' })], 'rows 3 missing 0 doubled 1 stale 0'],
    ['what stands there twice', [...three, row(2)], 'rows 3 missing 0 doubled 1 stale 0'],
    ['a lower revision', [row(1), row(2, { revision: 0 }), row(3)], 'rows 3 missing 0 doubled 0 stale 1'],
    ['a higher revision', [row(1), row(2, { revision: 2 }), row(3)], 'rows 3 missing 0 doubled 0 stale 1'],
    ['every kind at once', [row(1, { mean: 82.50000000000001 }), row(3), row(3), row(9)], 'rows 3 missing 1 doubled 2 stale 1']
  ])('counts %s', (_, there, line) => {
    const found = compareRows(three, there)
    expect(formatDifferences(found)).toBe(line)
    expect(agree(found)).toBe(false)
    expect(found.examples).toHaveLength(found.missing + found.doubled + found.stale)
  })

  it('counts what this side lists twice', () => {
    expect(formatDifferences(compareRows([...three, row(1)], three))).toBe('rows 3 missing 0 doubled 1 stale 0')
  })

  it.each(Object.keys(Row.shape).filter(field => !['station', 'parameter', 'period', 'end'].includes(field)))(
    'sees a different %s',
    field => {
      const other = field === 'sum' ? 1 : null
      const found = compareRows(three, [row(1), { ...row(2), [field]: other }, row(3)])
      expect(found.stale).toBe(1)
      expect(found.examples[0]).toContain(`${field} ${other} there`)
    }
  )
})

describe('Row', () => {
  it('reads instants as each side writes them', () => {
    const at = Date.UTC(2026, 10, 24, 3)
    const written = [at, new Date(at), '2026-11-24T10:00:00+07:00'].map(end => Row.parse({ ...row(1), end }))
    expect(written.map(({ end }) => end)).toEqual([at, at, at])
    expect(keyOf(written[0] ?? row(1))).toBe('FWD-1/COD/hour/2026-11-24T03:00:00.000Z')
  })

  it('refuses what is none', () => {
    expect(() => Row.parse({ ...row(1), end: 'then' })).toThrow()
  })
})
