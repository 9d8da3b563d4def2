import type { Period, WarehouseDigest } from '#libs/pipeline'
import { parse } from './answers.js'

export interface DigestPage {
  readonly digests: readonly WarehouseDigest[]
  readonly next: string | null
}

/** A page of `GET /v1/digests`, or null for what is none. */
export function readDigests(body: string, period: Period): DigestPage | null {
  const { items, next } = parse(body)
  if (!Array.isArray(items) || (next !== null && typeof next !== 'string')) return null
  const digests = items.map((item: unknown) => readDigest(item, period))
  return digests.every(digest => digest !== null) ? { digests, next } : null
}

function readDigest(item: unknown, period: Period): WarehouseDigest | null {
  const { station, date, count, checksum } = (item ?? {}) as Readonly<Record<string, unknown>>
  const sound = typeof station === 'string' && typeof date === 'string' && typeof checksum === 'string' && typeof count === 'number'
  return sound && /^\d{4}-\d\d-\d\d$/.test(date) && /^[0-9a-f]{16}$/.test(checksum) ? { station, period, date, count, checksum } : null
}
