import { createHash } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { HOUR } from '#libs/model'
import { plainAggregate, strangeAggregates } from '#libs/testkit'
import type { Aggregate } from './warehouse.js'
import { digestDifferences, WarehouseDigests, warehouseChecksum, warehouseDate, warehouseText } from './warehouse-checksum.js'

const digestsOf = (rows: readonly Aggregate[]) => {
  const digests = new WarehouseDigests()
  for (const row of rows) digests.add(row)
  return digests.list()
}
const rows = fc.array(strangeAggregates(), { maxLength: 12 })

describe('the text of a row', () => {
  it('holds every field, and figures by their bits', () => {
    expect(warehouseText(plainAggregate())).toBe(
      'v1|AG-017|COD|hour|1795485600000|1795489200000|0|1|mg/L|12|12|12|3ff0000000000000|3ff0000000000000|1|' +
        '4054a00000000000|4054000000000000|1795486200000|4055400000000000|1795489200000||4055000000000000|3ff8000000000000|1|0000000000000000'
    )
  })

  it('has nothing where there is no figure, and no minus zero', () => {
    const none = plainAggregate({ mean: null, min: null, max: null, p95: null, stddev: null, worstFlag: null, validShare: null })
    expect(warehouseText(none)).toMatch(/\|3ff0000000000000\|\|1\|{10}0000000000000000$/)
    expect(warehouseText(plainAggregate({ mean: -0 }))).toBe(warehouseText(plainAggregate({ mean: 0 })))
  })

  it('differs when one field does, whichever', () => {
    const plain = plainAggregate({ sum: 3 })
    const others: { readonly [K in keyof Aggregate]: Aggregate[K] } = {
      ...{ station: 'AG-018', parameter: 'TSS', unit: 'g/L', period: 'day', start: plain.start - 1, end: plain.end + 1 },
      ...{ received: 13, count: 11, expected: 13, completeness: 0.5, validShare: null, sufficient: false, mean: null },
      ...{ min: { value: 80, at: plain.start + 1 }, max: { value: 85.5, at: plain.end }, sum: null, p95: 84.5, stddev: null },
      ...{ worstFlag: null, exceedanceMinutes: 5, revision: 1, algorithm: 2 }
    }
    expect(Object.keys(others).sort()).toEqual(Object.keys(plain).sort())
    const texts = Object.entries(others).map(([field, value]) => warehouseText({ ...plain, [field]: value }))
    expect(new Set([warehouseText(plain), ...texts]).size).toBe(1 + texts.length)
  })

  it('differs when any field does, and does not when the row went through JSON', () =>
    fc.assert(
      fc.property(strangeAggregates(), strangeAggregates(), (one, other) => {
        const same = JSON.stringify(one) === JSON.stringify(other)
        expect(warehouseText(one) === warehouseText(other)).toBe(same)
        expect(warehouseText(JSON.parse(JSON.stringify(one)) as Aggregate)).toBe(warehouseText(one))
      })
    ))
})

it('a checksum is the first eight bytes of the SHA-256 of the text', () => {
  const row = plainAggregate()
  expect(warehouseChecksum(row)).toBe(
    createHash('sha256').update(warehouseText(row)).digest().readBigUInt64BE().toString(16).padStart(16, '0')
  )
})

it('an aggregate is counted on the day in which it ends, midnight still in it', () => {
  const midnight = Date.UTC(2026, 10, 24, 17)
  expect([midnight, midnight + 1, midnight - HOUR].map(warehouseDate)).toEqual(['2026-11-24', '2026-11-25', '2026-11-24'])
})

describe('digests', () => {
  it('do not depend on the order, and see a row that stands twice or is missing', () =>
    fc.assert(
      fc.property(
        rows.chain(all => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        ([all, shuffled]) => {
          expect(digestsOf(shuffled)).toEqual(digestsOf(all))
          const [first, ...rest] = all
          if (!first) return
          expect(digestsOf([...all, first])).not.toEqual(digestsOf(all))
          expect(digestsOf(rest)).not.toEqual(digestsOf(all))
        }
      )
    ))

  it('are sums modulo 2^64 by station, period and day', () => {
    const [a, b] = [plainAggregate(), plainAggregate({ parameter: 'TSS' })]
    const sum = BigInt.asUintN(64, BigInt(`0x${warehouseChecksum(a)}`) + BigInt(`0x${warehouseChecksum(b)}`))
    expect(digestsOf([a, b, plainAggregate({ period: 'day' })])).toEqual([
      expect.objectContaining({ station: 'AG-017', period: 'day', date: '2026-11-24', count: 1 }),
      { station: 'AG-017', period: 'hour', date: '2026-11-24', count: 2, checksum: sum.toString(16).padStart(16, '0') }
    ])
  })
})

describe('differences', () => {
  it('are none of the same rows, and name what one side has alone or otherwise', () => {
    const [kept, lost, stale] = ['A1', 'A2', 'A3'].map(station => plainAggregate({ station })) as [Aggregate, Aggregate, Aggregate]
    const ours = digestsOf([kept, lost, { ...stale, revision: 1 }])
    const theirs = digestsOf([kept, stale, plainAggregate({ station: 'A4' })])
    expect(digestDifferences(ours, ours)).toEqual([])
    expect(digestDifferences(ours, theirs).map(({ station, ours: here, theirs: there }) => [station, here?.count, there?.count])).toEqual([
      ['A2', 1, undefined],
      ['A3', 1, 1],
      ['A4', undefined, 1]
    ])
  })
})
