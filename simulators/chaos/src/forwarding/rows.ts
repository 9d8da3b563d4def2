import { parseInstant } from '#libs/model'

/** One aggregate as either side tells it: names of the wire, instants as epoch milliseconds. */
export type Row = Readonly<Record<string, unknown>>

const FIELDS = [
  ...['station', 'parameter', 'period', 'start', 'end', 'revision', 'algorithm', 'unit', 'received', 'count', 'expected', 'completeness'],
  ...['validShare', 'sufficient', 'mean', 'min', 'minAt', 'max', 'maxAt', 'sum', 'p95', 'stddev', 'worstFlag', 'exceedanceMinutes']
]
const INSTANTS = new Set(['start', 'end', 'minAt', 'maxAt'])

/** As the API tells an aggregate: instants are text there. */
export const rowOf = (told: Row): Row =>
  Object.fromEntries(FIELDS.map(name => [name, INSTANTS.has(name) ? instantOf(told[name]) : (told[name] ?? null)]))

function instantOf(told: unknown): unknown {
  return typeof told === 'string' ? (parseInstant(told) ?? told) : (told ?? null)
}

const keyOf = (row: Row): string => `${String(row['station'])}/${String(row['parameter'])}/${String(row['period'])}/${String(row['end'])}`
const revisionOf = (row: Row): number => Number(row['revision'])

/** Every field, figures by their value: both sides hold binary64. */
const sameRow = (one: Row, other: Row): boolean => FIELDS.every(name => one[name] === other[name] || (one[name] === 0 && other[name] === 0))

export interface RowAudit {
  readonly rows: number
  /** Here and not there. */
  readonly missing: number
  /** There twice, or there and not here. */
  readonly doubled: number
  /** There with a lower revision or other figures. */
  readonly stale: number
}

/** Holds what the far side has against what we have. */
export function auditRows(ours: readonly Row[], theirs: readonly Row[]): RowAudit {
  const left = new Map(ours.map(row => [keyOf(row), row]))
  const seen = new Set<string>()
  const audit = { rows: ours.length, missing: 0, doubled: 0, stale: 0 }
  for (const row of theirs) {
    const key = keyOf(row)
    const mine = left.get(key)
    if (seen.has(key) || !mine) audit.doubled++
    else if (!sameRow(mine, row)) audit.stale++
    seen.add(key)
  }
  audit.missing = ours.filter(row => !seen.has(keyOf(row))).length
  return audit
}

export const isClean = ({ rows, missing, doubled, stale }: RowAudit): boolean => rows > 0 && missing + doubled + stale === 0
export const formatAudit = ({ rows, missing, doubled, stale }: RowAudit): string =>
  `rows ${rows} missing ${missing} doubled ${doubled} stale ${stale}`

/** Remembers the revisions of the far side, which may never fall, and no row may go. */
export class Revisions {
  #known = new Map<string, number>()
  #highest = 0

  /** How many fell or went since the last look. */
  look(rows: readonly Row[]): number {
    const now = new Map(rows.map(row => [keyOf(row), revisionOf(row)]))
    this.#highest = Math.max(this.#highest, ...now.values())
    const fallen = [...this.#known].filter(([key, revision]) => (now.get(key) ?? -1) < revision).length
    this.#known = now
    return fallen
  }

  get highest(): number {
    return this.#highest
  }
}
