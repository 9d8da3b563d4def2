import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Dialect } from './dialect.js'
import { loggerJson } from './logger-json.js'
import { quantracJson } from './quantrac-json.js'

/** Objects as JSON.parse makes them: any key may stand there, `__proto__` too. */
const object = (keys: readonly string[], value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc
    .array(fc.tuple(fc.constantFrom(...keys, '__proto__', 'constructor', 'x'), value), { maxLength: 6 })
    .map(pairs =>
      pairs.reduce(
        (made, [key, v]) => Object.defineProperty(made, key, { value: v, enumerable: true, configurable: true, writable: true }),
        {}
      )
    )

const scalar = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    undefined,
    true,
    '',
    '00',
    '7',
    '007',
    '٠٠',
    '0\n',
    'mg/L',
    ' 7.1 ',
    'NaN',
    '1e999',
    -0,
    Number.NaN,
    Infinity,
    65_535,
    65_536,
    1.5
  ),
  fc.double(),
  fc.integer(),
  fc.string()
)

describe.each<[string, Dialect, readonly string[], readonly string[]]>([
  ['quantrac-json', quantracJson, ['at', 'readings', 'revision', 'seq'], ['value', 'unit', 'status']],
  ['logger-json', loggerJson, ['station', 'time', 'params', 'fw'], ['v', 'u', 'st']]
])('the fast look of %s', (_name, dialect, itemKeys, readingKeys) => {
  const reading = fc.oneof(scalar, object(readingKeys, scalar), fc.array(scalar, { maxLength: 2 }))
  const readings = object(['COD', 'pH'], reading)
  // Nearly half of the items have the keys that an item has, with values that may fit.
  const loose = fc.oneof(fc.constant(undefined), fc.string(), fc.nat(100_000), scalar)
  const valueFor = (key: string): fc.Arbitrary<unknown> =>
    key === 'readings' || key === 'params' ? fc.oneof(readings, readings, loose) : loose
  const fitting = fc.tuple(...itemKeys.map(key => fc.tuple(fc.constant(key), valueFor(key)))).map(Object.fromEntries)
  const item = fc.oneof(scalar, fc.array(scalar, { maxLength: 2 }), object(itemKeys, fc.oneof(scalar, readings)), fitting, fitting)

  // expect() in so many runs would take longer than everything else: properties answer with true or false.
  it('answers for an item exactly where the schema accepts it, and the same', () => {
    let answered = 0
    const agrees = (raw: unknown): boolean => {
      const plain = dialect.plainItem(raw)
      if (plain) answered++
      const checked = dialect.checkItem(raw)
      return isDeepStrictEqual('reason' in checked ? undefined : checked, plain)
    }
    fc.assert(fc.property(item, agrees), { numRuns: 2_000 })
    expect(answered).toBeGreaterThan(20)
  })

  it('answers for a reading exactly where the schema accepts it, and the same', () => {
    let answered = 0
    const agrees = (raw: unknown): boolean => {
      const plain = dialect.plainReading(raw)
      if (plain) answered++
      const checked = dialect.checkReading(raw, false)
      // Where texts may be numbers, what needs no such grace comes out the same.
      const graced = plain === undefined || isDeepStrictEqual(dialect.checkReading(raw, true), plain)
      return graced && isDeepStrictEqual('reason' in checked ? undefined : checked, plain)
    }
    fc.assert(fc.property(reading, agrees), { numRuns: 2_000 })
    expect(answered).toBeGreaterThan(20)
  })
})
