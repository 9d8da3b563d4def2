import { crc32 } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import type { Reading } from '#libs/model'
import { FLAG_REASONS, HOUR } from '#libs/model'
import type { StoredReading } from '#libs/pipeline'
import { BEGIN, plainReading } from '#libs/testkit'
import { MAX_POINTS, Part } from './part.js'
import { checkStorable } from './record.js'

const SERIES = { id: 1, station: 'AG-017', parameter: 'COD', unit: 'mg/L' }
const emptyPart = (): Part => Part.empty(SERIES, BEGIN, BEGIN + HOUR)
const reloaded = (part: Part): Part => Part.load(SERIES, Buffer.from(part.blob()), part.start, part.end)
const readingsOf = (part: Part): Reading[] => Array.from({ length: part.count }, (_, index) => part.stored(index))

function put(part: Part, reading: StoredReading): void {
  const index = part.find(reading.at)
  if (index < 0) part.insert(-1 - index, reading)
  else part.replace(index, reading)
}

/** Every kind of extra, in every mixture. */
const reading = fc
  .record({
    at: fc.integer({ min: 0, max: HOUR - 1 }).map(delta => BEGIN + delta),
    value: fc.double({ noNaN: true, noDefaultInfinity: true }),
    unit: fc.constantFrom('mg/L', 'mg/L', 'g/L', 'µg/L'),
    status: fc.constantFrom('00', '99', '7', 'fault', ''),
    sequence: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
    reported: fc.option(fc.record({ value: fc.double({ noNaN: true, noDefaultInfinity: true }), unit: fc.constantFrom('K', '‰') }))
  })
  .map(({ reported, ...fields }) => plainReading({ ...fields, ...(reported ? { reported } : {}) }))
const readings = fc.array(reading, { minLength: 1, maxLength: MAX_POINTS })

describe('the packed form', () => {
  it('is format 1, byte for byte: files of today are read by the versions of tomorrow', () => {
    const part = emptyPart()
    const late = {
      at: BEGIN + 258,
      value: 1,
      status: '02',
      flag: 4,
      receivedAt: 2 ** 40 + 1,
      revision: 513,
      sequence: 2 ** 32 + 3
    } as const
    put(part, plainReading({ ...late, flags: ['device-fault'], road: 'file' }))
    const odd = { at: BEGIN + 1, value: -2, unit: 'g/L', status: 'x', receivedAt: 5, sequence: 6 } as const
    put(part, plainReading({ ...odd, reported: { value: 0.5, unit: 'K' } }))
    const expected = [
      ['01', '01', '0200', '00000000'], // version, extras, points, checksum
      ['01000000', '00000000000000c0', '050000000000', '060000000000', '0000', '01', 'ff', '000000', '01'],
      ['02010000', '000000000000f03f', '010000000001', '030000000100', '0102', '24', '02', '080000', '00'],
      ['07', '03672f4c', '0178', '000000000000e03f', '014b'] // g/L, x, 0.5, K
    ]
    const bytes = Buffer.from(expected.flat().join(''), 'hex')
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 4), crc32(bytes.subarray(8))), 4)
    expect(part.blob().toString('hex')).toBe(bytes.toString('hex'))
    expect(reloaded(part).stored(0)).toMatchObject({ unit: 'g/L', status: 'x', reported: { value: 0.5, unit: 'K' } })
  })

  it('numbers the reasons as the model does: new ones are added at the end', () => {
    expect(FLAG_REASONS.slice(0, 7)).toEqual([
      'clock-ahead',
      'out-of-range',
      'calibration',
      'device-fault',
      'status-other',
      'status-assumed',
      'unit-converted'
    ])
    expect(FLAG_REASONS.length).toBeLessThanOrEqual(24)
  })

  it('keeps what is put in, across being written and read at any time', () =>
    fc.assert(
      fc.property(readings, fc.array(fc.boolean()), (all, reloads) => {
        const expected = new Map<number, StoredReading>()
        let part = emptyPart()
        for (const [n, one] of all.entries()) {
          put(part, one)
          expected.set(one.at, one)
          if (reloads[n]) part = reloaded(part)
        }
        const inOrder = [...expected.values()].sort((a, b) => a.at - b.at)
        expect(readingsOf(part)).toEqual(inOrder)
        expect(readingsOf(reloaded(part))).toEqual(inOrder)
      })
    ))

  it('is cut in two without losing a point or an extra', () =>
    fc.assert(
      fc.property(readings, fc.nat(), (all, place) => {
        const part = emptyPart()
        for (const one of all) put(part, one)
        const before = readingsOf(part)
        fc.pre(before.length > 1)
        const index = 1 + (place % (before.length - 1))
        part.blob()
        const right = part.splitAt(index)
        expect(readingsOf(reloaded(part))).toEqual(before.slice(0, index))
        expect(readingsOf(reloaded(right))).toEqual(before.slice(index))
        expect([part.start, part.end, right.end]).toEqual([BEGIN, before[index]?.at, BEGIN + HOUR])
        expect(right.start).toBe(part.end)
      })
    ))

  it('notices any byte that changed, and any that is missing or too many', () =>
    fc.assert(
      fc.property(readings, fc.nat(), fc.integer({ min: 1, max: 255 }), (all, place, change) => {
        const part = emptyPart()
        for (const one of all) put(part, one)
        const bytes = Buffer.from(part.blob())
        const load = (damaged: Buffer) => () => Part.load(SERIES, damaged, BEGIN)
        const flipped = Buffer.from(bytes)
        flipped[place % bytes.length] = (bytes[place % bytes.length] ?? 0) ^ change
        expect(load(flipped)).toThrow(RangeError)
        expect(load(bytes.subarray(0, place % bytes.length))).toThrow(RangeError)
        expect(load(Buffer.concat([bytes, Buffer.of(change)]))).toThrow(RangeError)
      })
    ))
})

describe('a reading that cannot be stored', () => {
  const wrong: Readonly<Record<string, Partial<StoredReading>>> = {
    'no value': { value: Number.NaN },
    'endless value': { value: Number.POSITIVE_INFINITY },
    'half a millisecond': { at: BEGIN + 0.5 },
    'before 1970': { at: -1 },
    'after 2200': { at: Date.UTC(2200, 0, 1) },
    'revision too high': { revision: 65_536 },
    'no sequence': { sequence: -1 },
    'reception before 1970': { receivedAt: -1 },
    'no reported value': { reported: { value: Number.NaN, unit: 'K' } },
    'unknown road': { road: 'pigeon' as never },
    'unknown flag': { flag: 16 as never }
  }
  it.each(Object.entries(wrong))('%s', (_, fields) => {
    expect(() => checkStorable(plainReading(fields))).toThrow(expect.objectContaining({ code: 'QT_STORE_MISUSE', retry: false }))
  })

  it('unknown reason, endless unit', () => {
    expect(() => put(emptyPart(), plainReading({ flags: ['boredom' as never] }))).toThrow(/boredom/)
    expect(() => put(emptyPart(), plainReading({ unit: 'x'.repeat(256) }))).toThrow(/longer than 255/)
  })
})
