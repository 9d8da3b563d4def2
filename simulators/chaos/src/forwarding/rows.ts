import { z } from 'zod'
import { parseInstant } from '#libs/model'

/** As JSON text in UTC+7, as PostgreSQL's client gives it, or in epoch milliseconds. */
const Instant = z.union([
  z.number().int(),
  z.date().transform(date => date.getTime()),
  z.string().transform((text, context) => {
    const at = parseInstant(text)
    if (at === undefined) context.addIssue({ code: 'custom', message: 'no instant' })
    return at ?? z.NEVER
  })
])
const Figure = z.number().nullable()

/** An aggregate as either side tells it: everything that crosses the wire (apps/telemetry/docs/warehouse.md), instants in epoch milliseconds. */
export const Row = z.object({
  station: z.string(),
  parameter: z.string(),
  period: z.enum(['hour', 'day', 'month']),
  start: Instant,
  end: Instant,
  revision: z.number().int(),
  algorithm: z.number().int(),
  unit: z.string(),
  received: z.number().int(),
  count: z.number().int(),
  expected: z.number().int(),
  completeness: z.number(),
  validShare: Figure,
  sufficient: z.boolean(),
  mean: Figure,
  min: Figure,
  minAt: Instant.nullable(),
  max: Figure,
  maxAt: Instant.nullable(),
  sum: Figure,
  p95: Figure,
  stddev: Figure,
  worstFlag: Figure,
  exceedanceMinutes: z.number()
})
export type Row = z.infer<typeof Row>

const FIELDS = Object.keys(Row.shape) as (keyof Row)[]
const EXAMPLES = 10

export const keyOf = ({ station, parameter, period, end }: Pick<Row, 'station' | 'parameter' | 'period' | 'end'>): string =>
  `${station}/${parameter}/${period}/${new Date(end).toISOString()}`

export interface Differences {
  /** Aggregates that are published here. */
  readonly rows: number
  /** Here and not there. */
  readonly missing: number
  /** There twice, or there and not here. */
  readonly doubled: number
  /** There with another revision or other figures. */
  readonly stale: number
  /** The first of each kind, in words. */
  readonly examples: readonly string[]
}

/** Compares what is published here with what the warehouse holds, every field of every row. */
export function compareRows(here: readonly Row[], there: readonly Row[]): Differences {
  const examples: string[] = []
  const note = (what: string): void => {
    if (examples.length < EXAMPLES) examples.push(what)
  }
  const left = new Map(here.map(row => [keyOf(row), row]))
  if (left.size < here.length) note(`${here.length - left.size} rows stand twice here`)
  const total = { rows: left.size, missing: 0, doubled: here.length - left.size, stale: 0 }
  for (const row of there) {
    const key = keyOf(row)
    const ours = left.get(key)
    if (!ours) {
      total.doubled++
      note(`doubled ${key}: revision ${row.revision} there, nothing more here`)
      continue
    }
    left.delete(key)
    const differing = FIELDS.filter(field => ours[field] !== row[field])
    if (differing.length === 0) continue
    total.stale++
    note(`stale ${key}: ${differing.map(field => `${field} ${row[field]} there, ${ours[field]} here`).join('; ')}`)
  }
  total.missing = left.size
  for (const [key, { revision }] of left) note(`missing ${key}: revision ${revision} here`)
  return { ...total, examples }
}

/** The proof's last line. */
export const formatDifferences = ({ rows, missing, doubled, stale }: Differences): string =>
  `rows ${rows} missing ${missing} doubled ${doubled} stale ${stale}`

export const agree = ({ rows, missing, doubled, stale }: Differences): boolean => rows > 0 && missing + doubled + stale === 0
