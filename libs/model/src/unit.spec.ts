import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { canonicalUnit, convert, PARAMETERS, UNITS } from './index.js'

const names = Object.keys(UNITS)
const unit = fc.constantFrom(...names)

describe('canonicalUnit', () => {
  it.each([
    ['mg/l', 'mg/L'],
    ['°C', 'oC'],
    ['\u00b5S/cm', 'uS/cm'], // micro sign
    ['\u03bcS/cm', 'uS/cm'], // Greek mu
    ['‰', 'g/L'],
    ['', '-']
  ])('knows %s', (text, canonical) => expect(canonicalUnit(text)).toBe(canonical))

  it('keeps a canonical unit', () => {
    for (const name of names) expect(canonicalUnit(name)).toBe(name)
  })

  it.each(['furlong', 'MG/L', ' mg/L', '__proto__', 'constructor', 'toString'])('knows no %s', text => {
    expect(canonicalUnit(text)).toBeUndefined()
  })
})

describe('convert', () => {
  it.each([
    [0.0821, 'g/L', 'mg/L', 82.1],
    [1_200, 'uS/cm', 'mS/cm', 1.2],
    [0.12, 'S/m', 'mS/cm', 1.2],
    [2, 'dS/m', 'mS/cm', 2],
    [300, 'K', 'oC', 26.85],
    [26.85, 'oC', 'K', 300],
    [350, 'cm', 'm', 3.5],
    [1, 'm3/s', 'm3/h', 3_600],
    [240, 'm3/d', 'm3/h', 10],
    [10, 'L/s', 'm3/h', 36],
    [45, 'ug/m3', 'mg/m3', 0.045]
  ])('%d %s is in %s: %d', (value, from, to, expected) => expect(convert(value, from, to)).toBeCloseTo(expected, 9))

  it('refuses another dimension and unknown units', () => {
    expect(convert(1, 'mg/L', 'm')).toBeUndefined()
    expect(convert(1, 'mS/cm', 'g/L')).toBeUndefined() // depends on temperature and salts: never guessed
    expect(convert(1, 'furlong', 'm')).toBeUndefined()
    expect(convert(1, 'm', '__proto__')).toBeUndefined()
  })

  it('gives the value back by the way back', () => {
    fc.assert(
      fc.property(unit, unit, fc.double({ min: -1e6, max: 1e6, noNaN: true }), (from, to, value) => {
        const there = convert(value, from, to)
        if (there === undefined) return expect(convert(value, to, from)).toBeUndefined()
        expect(Math.abs((convert(there, to, from) as number) - value)).toBeLessThanOrEqual(1e-9 * Math.max(1_000, Math.abs(value)))
      })
    )
  })

  it('keeps order, so that a range can be converted end by end', () => {
    fc.assert(
      fc.property(unit, unit, fc.integer({ min: -1e6, max: 1e6 }), fc.integer({ min: 1, max: 1e6 }), (from, to, low, more) => {
        const [a, b] = [convert(low, from, to), convert(low + more, from, to)]
        expect(a === undefined || a < (b as number)).toBe(true)
      })
    )
  })
})

describe('the catalogue', () => {
  it('gives each parameter a canonical unit', () => {
    for (const parameter of PARAMETERS) expect(canonicalUnit(parameter.unit)).toBe(parameter.unit)
  })
})
