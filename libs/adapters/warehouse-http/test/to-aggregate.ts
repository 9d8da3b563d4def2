import type { Aggregate } from '#libs/pipeline'

/** An aggregate out of what the receiver tells of its rows. */
export function toAggregate(row: Record<string, unknown>): Aggregate {
  const { key: _key, checksum: _checksum, min, minAt, max, maxAt, ...rest } = row
  const extreme = (value: unknown, at: unknown) => (value === null ? null : { value, at })
  return { ...rest, min: extreme(min, minAt), max: extreme(max, maxAt) } as Aggregate
}
