import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { EARLIEST, formatInstant, LATEST, MINUTE, parseInstant, VIETNAM_OFFSET } from './index.js'

const noon = Date.UTC(2026, 10, 24, 3, 5, 0)
const instant = fc.integer({ min: EARLIEST, max: LATEST - 1 })

describe('formatInstant', () => {
  it('writes RFC 3339 in UTC+7', () => expect(formatInstant(noon)).toBe('2026-11-24T10:05:00+07:00'))

  it('writes milliseconds only where there are any', () => expect(formatInstant(noon + 7)).toBe('2026-11-24T10:05:00.007+07:00'))

  it('turns the day at 17:00 UTC', () => {
    expect(formatInstant(Date.UTC(2026, 10, 24, 16, 59, 59))).toBe('2026-11-24T23:59:59+07:00')
    expect(formatInstant(Date.UTC(2026, 10, 24, 17))).toBe('2026-11-25T00:00:00+07:00')
  })

  it('is undone by parseInstant', () => {
    fc.assert(fc.property(instant, at => expect(parseInstant(formatInstant(at))).toBe(at)))
  })
})

describe('parseInstant', () => {
  it.each([
    ['2026-11-24T10:05:00+07:00', noon],
    ['2026-11-24t03:05:00z', noon],
    ['2026-11-24 03:05:00Z', noon],
    ['2026-11-23T20:35:00-06:30', noon],
    ['2026-11-24T10:05:00.5+07:00', noon + 500],
    ['2026-11-24T10:05:00.123456789+07:00', noon + 123],
    ['2026-11-24T10:05:00.9999Z', noon + VIETNAM_OFFSET + 999],
    ['2028-02-29T00:00:00Z', Date.UTC(2028, 1, 29)],
    ['1970-01-01T00:00:00Z', EARLIEST],
    ['1969-12-31T19:00:00-05:00', EARLIEST],
    ['2199-12-31T23:59:59.999Z', LATEST - 1]
  ])('reads %s', (text, at) => expect(parseInstant(text)).toBe(at))

  it.each([
    ['no zone', '2026-11-24T10:05:00'],
    ['no seconds', '2026-11-24T10:05+07:00'],
    ['date only', '2026-11-24'],
    ['no such day', '2026-02-30T00:00:00Z'],
    ['no leap year', '2026-02-29T00:00:00Z'],
    ['century without a leap day', '2100-02-29T00:00:00Z'],
    ['month 13', '2026-13-01T00:00:00Z'],
    ['month 00', '2026-00-10T00:00:00Z'],
    ['day 00', '2026-01-00T00:00:00Z'],
    ['hour 24', '2026-11-24T24:00:00Z'],
    ['minute 60', '2026-11-24T10:60:00Z'],
    ['a leap second', '2026-06-30T23:59:60Z'],
    ['zone of 24 hours', '2026-11-24T10:05:00+24:00'],
    ['zone without colon', '2026-11-24T10:05:00+0700'],
    ['a fraction without digits', '2026-11-24T10:05:00.Z'],
    ['ten digits of a fraction', '2026-11-24T10:05:00.0123456789Z'],
    ['a comma for the point', '2026-11-24T10:05:00,5Z'],
    ['something behind', '2026-11-24T10:05:00Z '],
    ['something before', ' 2026-11-24T10:05:00Z'],
    ['a year of two digits in disguise', '0070-01-01T00:00:00Z'],
    ['before 1970', '1969-12-31T23:59:59Z'],
    ['the year 2200', '2200-01-01T00:00:00Z'],
    ['full-width digits', '２０２６-11-24T10:05:00Z'],
    ['nothing', '']
  ])('refuses %s', (_why, text) => expect(parseInstant(text)).toBeUndefined())

  // The plain reading of RFC 3339, slow and independent: an oracle for texts that are nearly right.
  const oracle = (text: string): number | undefined => {
    const match = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$/.exec(text)
    if (!match) return undefined
    const utc = Date.parse(`${match[1]}T${match[2]}.${(match[3] ?? '').padEnd(3, '0').slice(0, 3)}Z`)
    if (Number.isNaN(utc) || new Date(utc).toISOString().slice(0, 19) !== `${match[1]}T${match[2]}`) return undefined
    const zone = match[4] as string
    const minutes = zone.length === 1 ? 0 : Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4))
    const at = utc - (zone.startsWith('-') ? -minutes : minutes) * MINUTE
    return at >= EARLIEST && at < LATEST ? at : undefined
  }

  it('agrees with an independent reading on texts that are nearly right', () => {
    const pair = fc.integer({ min: 0, max: 99 }).map(n => String(n).padStart(2, '0'))
    const mostly = (usual: string): fc.Arbitrary<string> =>
      fc.oneof({ weight: 30, arbitrary: fc.constant(usual) }, fc.constantFrom('', ' ', ':', '.', '-', 'x'))
    const text = fc
      .tuple(
        fc.oneof(
          fc.constantFrom('2026', '2024', '2000', '1970', '1969', '2199'),
          fc.tuple(pair, pair).map(([a, b]) => a + b)
        ),
        mostly('-'),
        fc.oneof(pair, fc.constantFrom('02', '04', '12')),
        mostly('-'),
        fc.oneof(pair, fc.constantFrom('28', '29', '30', '31')),
        mostly('T'),
        fc.oneof(pair, fc.constant('23')),
        mostly(':'),
        fc.oneof(pair, fc.constant('59')),
        mostly(':'),
        fc.oneof(pair, fc.constant('00')),
        fc.oneof(
          fc.constant(''),
          fc.string({ minLength: 0, maxLength: 11, unit: fc.constantFrom(...'0123456789') }).map(d => `.${d}`)
        ),
        fc.oneof(
          fc.constantFrom('Z', 'z', '+07:00', '-11:30', '', '+7', '+07:0'),
          fc.tuple(pair, pair).map(([a, b]) => `+${a}:${b}`)
        )
      )
      .map(parts => parts.join(''))
    fc.assert(
      fc.property(text, value => expect(parseInstant(value)).toBe(oracle(value))),
      { numRuns: 3_000 }
    )
  })
})
