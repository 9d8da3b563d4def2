import * as fc from 'fast-check'
import type { Flag, FlagReason, Road } from '#libs/model'
import { FLAG_REASONS, HOUR, LATEST, MINUTE } from '#libs/model'
import type { StoredReading } from '#libs/pipeline'

/** 2026-11-24T00:00+07:00. */
export const BEGIN = Date.UTC(2026, 10, 23, 17)

/** A reading as a well-behaved station sends it. */
export function plainReading(differences: Partial<StoredReading> = {}): StoredReading {
  const at = differences.at ?? BEGIN
  return {
    station: 'AG-017',
    parameter: 'COD',
    at,
    value: 82.5,
    unit: 'mg/L',
    status: '00',
    flag: 1,
    flags: [],
    revision: 0,
    receivedAt: at + 700,
    road: 'mqtt',
    sequence: 1,
    ...differences
  }
}

const flag = fc.constantFrom<Flag[]>(1, 2, 3, 4, 9)
const road = fc.constantFrom<Road[]>('mqtt', 'http', 'file')
const reasons: fc.Arbitrary<FlagReason[]> = fc.subarray([...FLAG_REASONS])
/** Any finite number but negative zero, which JSON does not tell from zero. */
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map(value => (value === 0 ? 0 : value))

/** Few instants, values, units and revisions, so that identities meet all the time. Sequences rise along the history. */
export function histories(station: string): fc.Arbitrary<StoredReading[]> {
  const delivery = fc.record({
    parameter: fc.constantFrom('COD', 'TSS'),
    at: fc.integer({ min: 0, max: 11 }).map(slot => BEGIN + slot * 20 * MINUTE),
    value: fc.constantFrom(1, 2, 3.5),
    unit: fc.constantFrom('mg/L', 'mg/L', 'mg/L', 'g/L'),
    status: fc.constantFrom('00', '00', '00', '02'),
    revision: fc.constantFrom(0, 0, 0, 1, 2),
    flag,
    flags: reasons,
    road,
    receivedAt: fc.integer({ min: 0, max: 1_000 }).map(ms => BEGIN + 4 * HOUR + ms)
  })
  return fc
    .array(delivery, { minLength: 1, maxLength: 60 })
    .map(deliveries => deliveries.map((fields, n) => ({ station, sequence: n + 1, ...fields })))
}

/** One reading with any field at its strangest, within what the types allow. */
export function strangeReadings(station: string): fc.Arbitrary<StoredReading> {
  const known = fc.record({
    station: fc.constant(station),
    parameter: fc.constantFrom('COD', 'pH'),
    at: fc.integer({ min: 0, max: LATEST - 1 }),
    value: finite,
    unit: fc.constantFrom('mg/L', '-', 'g/L', 'ug/L'),
    status: fc.integer({ min: 0, max: 99 }).map(code => String(code).padStart(2, '0')),
    flag,
    flags: reasons,
    revision: fc.integer({ min: 0, max: 65_535 }),
    receivedAt: fc.integer({ min: 0, max: LATEST - 1 }),
    road,
    sequence: fc.integer({ min: 1, max: 2 ** 45 })
  })
  const reported = fc.option(fc.record({ value: finite, unit: fc.constantFrom('ug/L', 'K') }))
  return fc.tuple(known, reported).map(([reading, sent]) => (sent ? { ...reading, reported: sent } : reading))
}

/** The same readings in another order, some of them several times, cut into batches. */
export function deliveries(readings: readonly StoredReading[]): fc.Arbitrary<StoredReading[][]> {
  const repeats = fc.subarray([...readings])
  const shuffled = repeats.chain(again => fc.shuffledSubarray([...readings, ...again], { minLength: readings.length + again.length }))
  return fc.tuple(shuffled, fc.integer({ min: 1, max: 20 })).map(([all, size]) => batchesOf(all, size))
}

export function batchesOf<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, n) => all.slice(n * size, (n + 1) * size))
}
