import { describe, expect, it } from '@jest/globals'
import { DAY, LATEST } from '#libs/model'
import type { Change } from './correction.js'
import { MAX_VALUES, problemOfProposal, spanOf, touches } from './correction.js'

const AT = Date.UTC(2026, 10, 24)
const span = { from: AT, to: AT + DAY }
const values = (count: number, value = 1) => [...Array(count).keys()].map(n => ({ at: AT + n, value }))
const problem = (change: Change, reason = 'drift seen at calibration'): string | null => problemOfProposal({ change, reason })

describe('a proposal', () => {
  it.each<Change>([
    { kind: 'replace', values: values(1) },
    { kind: 'replace', values: values(MAX_VALUES) },
    { kind: 'remove', ...span },
    { kind: 'remove', from: AT, to: AT },
    { kind: 'remove', from: AT, to: AT + 366 * DAY },
    { kind: 'scale', factor: 1.1, offset: 0, ...span },
    { kind: 'scale', factor: -1, offset: 0, ...span },
    { kind: 'scale', factor: 1, offset: -2.5, ...span },
    { kind: 'set-flag', flag: 1, ...span }
  ])('may say $kind', change => expect(problem(change)).toBeNull())

  it.each<[string, Change]>([
    ['no value', { kind: 'replace', values: [] }],
    ['too many', { kind: 'replace', values: values(MAX_VALUES + 1) }],
    ['an instant twice', { kind: 'replace', values: [...values(2), ...values(1)] }],
    ['NaN', { kind: 'replace', values: values(1, Number.NaN) }],
    ['infinity', { kind: 'replace', values: values(1, Number.NEGATIVE_INFINITY) }],
    ['no instant', { kind: 'replace', values: [{ at: Number.NaN, value: 1 }] }],
    ['an instant beyond all', { kind: 'replace', values: [{ at: LATEST, value: 1 }] }],
    ['half a millisecond', { kind: 'replace', values: [{ at: 0.5, value: 1 }] }],
    ['backwards', { kind: 'remove', from: AT + 1, to: AT }],
    ['before 1970', { kind: 'remove', from: -1, to: AT }],
    ['too long', { kind: 'remove', from: AT, to: AT + 366 * DAY + 1 }],
    ['too long a flag', { kind: 'set-flag', flag: 4, from: AT, to: AT + 366 * DAY + 1 }],
    ['nothing', { kind: 'scale', factor: 1, offset: 0, ...span }],
    ['one value for all', { kind: 'scale', factor: 0, offset: 1, ...span }],
    ['NaN as factor', { kind: 'scale', factor: Number.NaN, offset: 0, ...span }],
    ['another unit', { kind: 'scale', factor: 1_001, offset: 0, ...span }],
    ['no offset', { kind: 'scale', factor: 2, offset: Number.NaN, ...span }]
  ])('may not say %s', (_, change) => expect(problem(change)).toEqual(expect.any(String)))

  it('says why', () => {
    for (const reason of ['', ' \n', 'x'.repeat(2_001)]) expect(problem({ kind: 'remove', ...span }, reason)).toMatch(/^reason/)
  })
})

describe('what a change is about', () => {
  const replace: Change = { kind: 'replace', values: [{ at: AT + 50, value: 1 }, ...values(2)] }

  it('goes from its first to its last instant', () => {
    expect(spanOf(replace)).toEqual({ from: AT, to: AT + 50 })
    expect(spanOf({ kind: 'remove', ...span })).toEqual(span)
  })

  it('is each instant of a span, both ends with it', () => {
    const remove: Change = { kind: 'remove', from: AT, to: AT + 10 }
    const seen = [-2, -1, 0, 10, 11].map(n => touches(remove, { from: AT + n, to: AT + n }))
    expect(seen).toEqual([false, false, true, true, false])
    expect(touches(remove, { from: AT - 5, to: AT + 50 })).toBe(true)
  })

  it('is the instants of replacements alone, not what lies between them', () => {
    expect(touches(replace, { from: AT + 2, to: AT + 49 })).toBe(false)
    expect(touches(replace, { from: AT + 2, to: AT + 50 })).toBe(true)
  })
})
