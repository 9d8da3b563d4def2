import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Flag, Reading, Road } from '#libs/model'
import { FLAG_REASONS, PARAMETERS, UNITS } from '#libs/model'
import type { ItemRefusal, Qos, WireRecord } from './index.js'
import { decodeRecord, encodeRecord, REFUSAL_REASONS, recordKind, recordStation, WireError } from './index.js'
import { ROADS, WORDS } from './words.js'

const plain = { noNullPrototype: true } as const
const number = fc.double({ noNaN: true, noDefaultInfinity: true })
const instant = fc.integer({ min: 0, max: 7_258_118_400_000 })
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.constantFrom('', '\ufeffa', 'Tân Châu', 'x'.repeat(254), 'x'.repeat(255), 'ệ'.repeat(300))
)
const road = fc.constantFrom<Road>('mqtt', 'http', 'file')
const reason = fc.constantFrom(...REFUSAL_REASONS)
const payload = fc.uint8Array({ maxLength: 300 })
const common = { receivedAt: instant, qos: fc.constantFrom<Qos>(0, 1, 2), payload }

const reading = (station: string, receivedAt: number, by: Road): fc.Arbitrary<Reading> =>
  fc.record(
    {
      station: fc.oneof({ weight: 5, arbitrary: fc.constant(station) }, text),
      parameter: fc.oneof(fc.constantFrom(...PARAMETERS.map(p => p.code)), text),
      at: instant,
      value: number,
      unit: fc.oneof(fc.constantFrom(...Object.keys(UNITS)), text),
      status: fc.oneof(fc.constantFrom('00', '01', '02', '99'), text),
      flag: fc.constantFrom<Flag>(1, 2, 3, 4, 9),
      flags: fc.array(fc.constantFrom(...FLAG_REASONS), { maxLength: 7 }),
      revision: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 65_535 })),
      receivedAt: fc.oneof({ weight: 5, arbitrary: fc.constant(receivedAt) }, instant),
      road: fc.oneof({ weight: 5, arbitrary: fc.constant(by) }, road),
      reported: fc.record({ value: number, unit: text }, plain)
    },
    {
      noNullPrototype: true,
      requiredKeys: ['station', 'parameter', 'at', 'value', 'unit', 'status', 'flag', 'flags', 'revision', 'receivedAt', 'road']
    }
  )

const refusedItem: fc.Arbitrary<ItemRefusal> = fc.record(
  { parameter: fc.option(text), at: fc.option(instant), reason, detail: text },
  plain
)

const record: fc.Arbitrary<WireRecord> = fc.oneof(
  fc.tuple(text, instant, road).chain(([station, receivedAt, by]) =>
    fc.record(
      {
        kind: fc.constant('readings' as const),
        station: fc.constant(station),
        road: fc.constant(by),
        receivedAt: fc.constant(receivedAt),
        qos: common.qos,
        readings: fc.array(reading(station, receivedAt, by), { maxLength: 12 }),
        refused: fc.array(refusedItem, { maxLength: 4 }),
        payload
      },
      plain
    )
  ),
  fc.record({ kind: fc.constant('refusal' as const), station: fc.option(text), road, ...common, topic: text, reason, detail: text }, plain),
  fc.record({ kind: fc.constant('status' as const), station: text, ...common, online: fc.boolean() }, plain),
  fc.record({ kind: fc.constant('reply' as const), station: text, ...common }, plain),
  fc.record({ kind: fc.constant('repeat' as const), station: text, road, ...common, of: fc.nat(), readings: fc.nat() }, plain)
)

const sample: WireRecord = {
  kind: 'readings',
  station: 'AG-KCN-BINHHOA-01',
  road: 'mqtt',
  receivedAt: 1_795_489_502_000,
  qos: 1,
  readings: [
    {
      station: 'AG-KCN-BINHHOA-01',
      parameter: 'COD',
      at: 1_795_489_500_000,
      value: 82.1,
      unit: 'mg/L',
      status: '00',
      flag: 1,
      flags: ['unit-converted'],
      revision: 0,
      receivedAt: 1_795_489_502_000,
      road: 'mqtt',
      reported: { value: 0.0821, unit: 'g/L' }
    }
  ],
  refused: [{ parameter: 'XYZ', at: 1_795_489_500_000, reason: 'unknown-parameter', detail: '' }],
  payload: new TextEncoder().encode('{"at":1795489500000}')
}

describe('encodeRecord and decodeRecord', () => {
  it('give back every record as it was', () => {
    fc.assert(
      fc.property(record, value => {
        const { head, body } = encodeRecord(value)
        const cheap = recordKind(head) === value.kind && recordStation(head) === (value.station ?? '')
        return cheap && isDeepStrictEqual(decodeRecord(head, body), value)
      }),
      { numRuns: 500 }
    )
  })

  it('keep records apart that were encoded one after another', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 2, maxLength: 30 }), records => {
        const encoded = records.map(encodeRecord)
        return isDeepStrictEqual(
          encoded.map(({ head, body }) => decodeRecord(head, body)),
          records
        )
      }),
      { numRuns: 50 }
    )
  })

  it.each([65_000, 65_536, 1_000_000])('carry a payload of %d bytes', length => {
    const value: WireRecord = { ...sample, payload: Uint8Array.from({ length }, (_, i) => i * 31) }
    const { head, body } = encodeRecord(value)
    expect(isDeepStrictEqual(decodeRecord(head, body), value)).toBe(true)
  })

  it('carry a batch of 20,000 readings', () => {
    const readings = Array.from({ length: 20_000 }, (_, i) => ({ ...(sample.readings[0] as Reading), at: i * 1_000 }))
    const { head, body } = encodeRecord({ ...sample, readings })
    expect(isDeepStrictEqual(decodeRecord(head, body), { ...sample, readings })).toBe(true)
  })

  it('read views into larger buffers, as the journal hands them out', () => {
    const { head, body } = encodeRecord(sample)
    const packed = new Uint8Array(head.length + body.length + 20)
    packed.set(head, 7)
    packed.set(body, 7 + head.length)
    expect(
      decodeRecord(packed.subarray(7, 7 + head.length), packed.subarray(7 + head.length, 7 + head.length + body.length))
    ).toStrictEqual(sample)
  })

  it('make an equal body of a message that comes again, and another one of another message', () => {
    const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
    const again = { ...sample, receivedAt: sample.receivedAt + 60_000, readings: [], qos: 2 as const }
    expect(text(encodeRecord(sample).body)).toBe('AG-KCN-BINHHOA-01\0readings\0{"at":1795489500000}')
    expect(encodeRecord(again).body).toEqual(encodeRecord(sample).body)
    expect(encodeRecord({ ...sample, station: 'AG-KCN-BINHLONG-01' }).body).not.toEqual(encodeRecord(sample).body)
    const { receivedAt, qos, payload: bytes, station } = sample
    expect(text(encodeRecord({ kind: 'reply', station, receivedAt, qos, payload: bytes }).body)).toContain('\0reply\0')
    const refused = { kind: 'refusal', station: null, road: 'mqtt', topic: 'a/b/noise', reason: 'unknown-topic', detail: '' } as const
    expect(text(encodeRecord({ ...refused, receivedAt, qos, payload: bytes }).body)).toBe('\0noise\0{"at":1795489500000}')
  })
})

describe('a record that is not whole', () => {
  const { head, body } = encodeRecord(sample)

  it('is damaged, wherever its head is cut off', () => {
    for (let length = 0; length < head.length; length++) {
      expect(() => decodeRecord(head.subarray(0, length), body)).toThrow(expect.objectContaining({ code: 'QT_WIRE_DAMAGED' }))
    }
  })

  it('with something behind its head, or a body that is cut off, is damaged', () => {
    expect(() => decodeRecord(Uint8Array.from([...head, 0]), body)).toThrow(expect.objectContaining({ code: 'QT_WIRE_DAMAGED' }))
    expect(() => decodeRecord(head, body.subarray(0, 20))).toThrow(expect.objectContaining({ code: 'QT_WIRE_DAMAGED' }))
  })

  it('of another version is named as such', () => {
    const other = Uint8Array.from(head)
    other[0] = 2
    for (const read of [() => decodeRecord(other, body), () => recordKind(other), () => recordStation(other)]) {
      expect(read).toThrow(expect.objectContaining({ code: 'QT_WIRE_VERSION' }))
    }
  })

  it('never throws anything but a WireError, whichever byte is wrong', () => {
    fc.assert(
      fc.property(record, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, mask) => {
        const encoded = encodeRecord(value)
        const wrong = Uint8Array.from(encoded.head)
        wrong[at % wrong.length] = (wrong[at % wrong.length] as number) ^ mask
        try {
          decodeRecord(wrong, encoded.body)
          return true // a wrong digit of a number cannot be told here: that is the journal's checksum's business
        } catch (error) {
          return error instanceof WireError
        }
      }),
      { numRuns: 1_000 }
    )
  })
})

// Journals outlive programs: these bytes stand for records that are on disks already. Add lines, change none.
it.each([
  [
    '01000001427a20b8393300000000001b1141472d4b434e2d42494e48484f412d3031000000010a0006184054866666666666427a20b838b60000013c3fb504816f0068dc19000000012d00030358595a427a20b838b60000',
    '41472d4b434e2d42494e48484f412d30310072656164696e6773007b226174223a313739353438393530303030307d',
    sample
  ]
])('reads a record of version 1 as it was first written', (head, body, record) => {
  const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))
  expect(decodeRecord(bytes(head), bytes(body))).toStrictEqual(record)
})

it('writes the words of version 1 by the numbers that they have on disks already', () => {
  expect(WORDS.join(' ')).toBe(
    'Flow Temp Color pH TSS COD BOD5 NH4 TN TP TOC Cl DO NH3 WaterLevel Rain EC Salinity SoilMoisture WaterDepth PM2,5 PM10 ' +
      '- mg/L g/L ug/L mg/m3 ug/m3 kg/m3 m3/h m3/s m3/d L/s oC K Pt-Co m cm mm mS/cm uS/cm dS/m S/m % ' +
      'unknown-parameter unknown-unit not-a-number wrong-status bad-revision bad-instant no-zone wrong-shape wrong-station ' +
      'clock-ahead out-of-range calibration device-fault status-other status-assumed unit-converted'
  )
  expect(ROADS.join(' ')).toBe('mqtt http file')
})
