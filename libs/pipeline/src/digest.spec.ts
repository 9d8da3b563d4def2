import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { DAY, HOUR } from '#libs/model'
import { BEGIN, plainReading } from '#libs/testkit'
import { digestOf } from './digest.js'
import type { StoredReading } from './ports.js'

async function* cut(readings: readonly StoredReading[], size: number): AsyncGenerator<StoredReading[]> {
  for (let n = 0; n < readings.length; n += size) yield readings.slice(n, n + size)
}

const numbered = [...Array(200).keys()].map(n =>
  plainReading({ station: `AG-${n % 3}`, parameter: n % 2 ? 'pH' : 'COD', at: BEGIN + n * HOUR, value: n, sequence: n + 1 })
)

describe('the digest of a store', () => {
  it('does not depend on order or cut', () =>
    fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(numbered, { minLength: numbered.length }),
        fc.integer({ min: 1, max: 50 }),
        async (order, size) => {
          expect(await digestOf(cut(order, size))).toEqual(await digestOf(cut(numbered, 200)))
        }
      ),
      { numRuns: 10 }
    ))

  it('counts by station, parameter and day of UTC+7', async () => {
    const at = (n: number): StoredReading => plainReading({ at: n, sequence: 1 })
    const digest = await digestOf(cut([at(BEGIN - 1), at(BEGIN), at(BEGIN + DAY - 1), plainReading({ station: 'AG-001' })], 9))
    expect(digest.map(({ station, day, count }) => [station, day - BEGIN, count])).toEqual([
      ['AG-001', 0, 1],
      ['AG-017', -DAY, 1],
      ['AG-017', 0, 2]
    ])
  })

  it.each<Partial<StoredReading>>([
    { at: BEGIN + 1 },
    { value: 82.500_000_000_000_01 },
    { unit: 'g/L' },
    { status: '02' },
    { flag: 3 },
    { flags: ['clock-ahead'] },
    { revision: 1 },
    { receivedAt: 1 },
    { road: 'file' },
    { reported: { value: 1, unit: 'K' } },
    { sequence: 2 }
  ])('sees every field: %j', async difference => {
    const [plain, other] = await Promise.all([digestOf(cut([plainReading()], 1)), digestOf(cut([plainReading(difference)], 1))])
    expect(other[0]?.checksum).not.toBe(plain[0]?.checksum)
  })

  it('tells one reading from two of the same', async () => {
    const [once, thrice] = await Promise.all([1, 3].map(n => digestOf(cut(Array<StoredReading>(n).fill(plainReading()), 9))))
    expect(thrice?.[0]?.checksum).not.toBe(once?.[0]?.checksum)
    expect(once?.[0]?.checksum).toMatch(/^[0-9a-f]{16}$/)
  })
})
