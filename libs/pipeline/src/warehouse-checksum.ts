import { hash } from 'node:crypto'
import type { Aggregate, Extreme } from '#libs/aggregates'
import type { Millis } from '#libs/model'
import { VIETNAM_OFFSET } from '#libs/model'
import type { WarehouseDigest } from './warehouse.js'

/**
 * Checksums with which two sides compare what they hold (`apps/telemetry/docs/warehouse.md`).
 *
 * - A row's text holds every column. Whole numbers are decimal, and a figure is the 16 hexadecimal digits of its IEEE 754 binary64:
 *   languages and databases agree on the bits of a number and not on its decimal spelling (`1e-7`, `1e-07`, `0.0000001`), and
 *   PostgreSQL's `float8send` gives them. So the far side can compute the text from its own columns and keeps no text of ours.
 * - A row's checksum is the first 64 bits of the SHA-256 of that text in UTF-8. Rows are summed modulo 2^64, so that
 *   order does not count and a row that stands twice is seen.
 */

const VERSION = 'v1'
const CHECKSUM_DIGITS = 16
const NOTHING = ''

const view = new DataView(new ArrayBuffer(8))

/** Big-endian binary64. Minus zero, which JSON does not tell from zero, is zero. */
function bits(figure: number | null): string {
  if (figure === null) return NOTHING
  view.setFloat64(0, figure === 0 ? 0 : figure)
  return view.getBigUint64(0).toString(16).padStart(CHECKSUM_DIGITS, '0')
}

const extreme = (of: Extreme | null): string => (of === null ? '|' : `${bits(of.value)}|${of.at}`)

/** The text of which `warehouseChecksum` is taken: the columns in the order of the document, with `|` between them. */
export function warehouseText(row: Aggregate): string {
  const key = `${VERSION}|${row.station}|${row.parameter}|${row.period}|${row.start}|${row.end}|${row.revision}`
  const counts = `${row.algorithm}|${row.unit}|${row.received}|${row.count}|${row.expected}`
  const shares = `${bits(row.completeness)}|${bits(row.validShare)}|${row.sufficient ? 1 : 0}`
  const figures = `${bits(row.mean)}|${extreme(row.min)}|${extreme(row.max)}|${bits(row.sum)}|${bits(row.p95)}|${bits(row.stddev)}`
  return `${key}|${counts}|${shares}|${figures}|${row.worstFlag ?? NOTHING}|${bits(row.exceedanceMinutes)}`
}

/** 64 bits as 16 hexadecimal digits: of one revision with all its figures. */
export const warehouseChecksum = (row: Aggregate): string => hash('sha256', warehouseText(row), 'hex').slice(0, CHECKSUM_DIGITS)

/** `2026-11-24`: the day of UTC+7 under which an aggregate is counted, by its end. */
export const warehouseDate = (end: Millis): string => new Date(end - 1 + VIETNAM_OFFSET).toISOString().slice(0, 10)

interface Tally {
  count: number
  sum: bigint
}

/** Counts and sums rows by station, period and day. Give it the newest revision of each aggregate, in any order, a page at a time. */
export class WarehouseDigests {
  readonly #tallies = new Map<string, Tally>()

  add(row: Aggregate): void {
    const name = `${row.station}|${row.period}|${warehouseDate(row.end)}`
    const tally = this.#tallies.get(name) ?? { count: 0, sum: 0n }
    tally.count += 1
    tally.sum = BigInt.asUintN(64, tally.sum + BigInt(`0x${warehouseChecksum(row)}`))
    this.#tallies.set(name, tally)
  }

  /** Ordered by station, period and date. */
  list(): WarehouseDigest[] {
    return [...this.#tallies]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { count, sum }]) => {
        const [station = '', period, date = ''] = name.split('|')
        return {
          station,
          period: period as WarehouseDigest['period'],
          date,
          count,
          checksum: sum.toString(16).padStart(CHECKSUM_DIGITS, '0')
        }
      })
  }
}

export interface DigestDifference extends Pick<WarehouseDigest, 'station' | 'period' | 'date'> {
  /** Null where one side has nothing. */
  readonly ours: WarehouseDigest | null
  readonly theirs: WarehouseDigest | null
}

/** Where two sides do not hold the same, ordered by station, period and date. */
export function digestDifferences(ours: readonly WarehouseDigest[], theirs: readonly WarehouseDigest[]): DigestDifference[] {
  const nameOf = ({ station, period, date }: WarehouseDigest): string => `${station}|${period}|${date}`
  const byName = (side: readonly WarehouseDigest[]) => new Map(side.map(digest => [nameOf(digest), digest]))
  const [here, there] = [byName(ours), byName(theirs)]
  const names = [...new Set([...here.keys(), ...there.keys()])].sort()
  return names.flatMap(name => {
    const [mine, other] = [here.get(name) ?? null, there.get(name) ?? null]
    const { station, period, date } = (mine ?? other) as WarehouseDigest
    const same = mine !== null && other !== null && mine.count === other.count && mine.checksum === other.checksum
    return same ? [] : [{ station, period, date, ours: mine, theirs: other }]
  })
}
