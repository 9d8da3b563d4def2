import { createHash } from 'node:crypto'
import { z } from 'zod'
import { parseInstant } from '#libs/model'

/**
 * The contract as the warehouse's staff would read it out of `apps/telemetry/docs/warehouse.md`: what an item looks like, and
 * how its checksum is computed. Written from that page alone; nothing here is shared with the sender.
 */

const Instant = z.string().transform((text, context) => {
  const at = parseInstant(text)
  if (at !== undefined) return at
  context.addIssue({ code: 'custom', message: 'not an RFC 3339 instant' })
  return z.NEVER
})
const Whole = z.number().int().min(0)
const Figure = z.number().nullable()
const Name = z.string().min(1).max(64)

const Item = z.strictObject({
  key: z.string().min(1).max(200),
  station: Name,
  parameter: Name,
  period: z.enum(['hour', 'day', 'month']),
  start: Instant,
  end: Instant,
  revision: Whole,
  algorithm: Whole,
  unit: Name,
  received: Whole,
  count: Whole,
  expected: Whole,
  completeness: z.number().min(0).max(1),
  validShare: z.number().min(0).max(1).nullable(),
  sufficient: z.boolean(),
  mean: Figure,
  min: Figure,
  minAt: Instant.nullable(),
  max: Figure,
  maxAt: Instant.nullable(),
  sum: Figure,
  p95: Figure,
  stddev: Figure,
  worstFlag: Whole.nullable(),
  exceedanceMinutes: z.number().min(0),
  checksum: z.string().regex(/^[0-9a-f]{16}$/)
})
/** Instants as epoch milliseconds. */
export type Item = z.infer<typeof Item>

/** The envelope; items are looked at one by one, so that a bad one does not cost the others. */
export const Batch = z.object({ items: z.array(z.custom<{ readonly key: string }>(hasKey)).min(1) })

function hasKey(raw: unknown): boolean {
  return typeof raw === 'object' && raw !== null && 'key' in raw && typeof raw.key === 'string' && raw.key.length <= 200
}

/** An item that may be stored, or the reason why not. */
export function readItem(raw: unknown): Item | string {
  const { success, data, error } = Item.safeParse(raw)
  if (!success) return error.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`).join('; ')
  if (data.key !== `${data.station}/${data.parameter}/${data.period}/${data.end}/${data.revision}`) return 'the key is not that of the item'
  if (data.start >= data.end) return 'the window ends before it begins'
  return data.checksum === checksumOf(data) ? data : 'the checksum is not that of the item'
}

/** IEEE 754 binary64, big-endian, in hexadecimal. */
function bits(figure: number | null): string {
  if (figure === null) return ''
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(figure)
  return bytes.toString('hex')
}

export function checksumOf(item: Omit<Item, 'checksum' | 'key'>): string {
  const columns = [
    'v1',
    item.station,
    item.parameter,
    item.period,
    item.start,
    item.end,
    item.revision,
    item.algorithm,
    item.unit,
    item.received,
    item.count,
    item.expected,
    bits(item.completeness),
    bits(item.validShare),
    item.sufficient ? 1 : 0,
    bits(item.mean),
    bits(item.min),
    item.minAt ?? '',
    bits(item.max),
    item.maxAt ?? '',
    bits(item.sum),
    bits(item.p95),
    bits(item.stddev),
    item.worstFlag ?? '',
    bits(item.exceedanceMinutes)
  ]
  return createHash('sha256').update(columns.join('|')).digest('hex').slice(0, 16)
}
