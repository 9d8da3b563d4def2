import { describe, expect, it } from '@jest/globals'
import { auditRows, formatAudit, isClean, Revisions, type Row, rowOf } from './rows.js'

const told = {
  ...{ station: 'A1', parameter: 'COD', period: 'hour', start: '2026-11-24T10:00:00+07:00', end: '2026-11-24T11:00:00+07:00' },
  ...{ received: 12, count: 12, expected: 12, completeness: 1, validShare: 1, sufficient: true, mean: 8.25, min: 8, sum: null },
  ...{ minAt: '2026-11-24T10:20:00.000+07:00', max: 9, maxAt: '2026-11-24T10:30:00+07:00', p95: 9, stddev: 0, worstFlag: 1 },
  ...{ exceedanceMinutes: 0, unit: 'mg/L', revision: 1, algorithm: 1, provisional: false, verdict: 'within' }
}
const row = (more: object = {}): Row => ({ ...rowOf(told), ...more })
const all = [row(), row({ parameter: 'pH' }), row({ period: 'day' })]

describe('rows of both sides', () => {
  it('are told in the same words', () => {
    expect(row()).toMatchObject({ start: 1_795_489_200_000, end: 1_795_492_800_000, minAt: 1_795_490_400_000, sum: null, mean: 8.25 })
    expect(row()).not.toHaveProperty('verdict')
  })

  it('are clean where they are the same, in any order, minus zero as zero', () => {
    const audit = auditRows(all, [row({ period: 'day', stddev: -0 }), row({ parameter: 'pH' }), row()])
    expect(formatAudit(audit)).toBe('rows 3 missing 0 doubled 0 stale 0')
    expect(isClean(audit)).toBe(true)
    expect(isClean(auditRows([], []))).toBe(false)
  })

  it.each([
    ['one that is missing', all.slice(1), 'rows 3 missing 1 doubled 0 stale 0'],
    ['one that stands twice', [...all, row()], 'rows 3 missing 0 doubled 1 stale 0'],
    ['one that we do not have', [...all, row({ station: 'A2' })], 'rows 3 missing 0 doubled 1 stale 0'],
    ['a lower revision', [row({ revision: 0 }), ...all.slice(1)], 'rows 3 missing 0 doubled 0 stale 1'],
    ['another figure', [row({ p95: 9.000_000_000_000_002 }), ...all.slice(1)], 'rows 3 missing 0 doubled 0 stale 1']
  ])('count %s', (_, theirs, line) => {
    const audit = auditRows(all, theirs)
    expect(formatAudit(audit)).toBe(line)
    expect(isClean(audit)).toBe(false)
  })

  it('never fall and never go', () => {
    const revisions = new Revisions()
    expect(revisions.look([row({ revision: 2 })])).toBe(0)
    expect(revisions.look([row({ revision: 3 }), row({ period: 'day' })])).toBe(0)
    expect(revisions.look([row({ revision: 2 }), row({ period: 'day' })])).toBe(1)
    expect(revisions.look([row({ revision: 2 })])).toBe(1)
    expect(revisions.highest).toBe(3)
  })
})
