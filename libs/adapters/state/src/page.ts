import { StateError } from './errors.js'

/** A piece of a list; `next` is opaque and asks for what follows. */
export interface Page<T> {
  readonly items: T[]
  readonly next: string | null
}

const MAX_LIMIT = 1_000

export const pageSize = (limit: number): number => Math.min(Math.max(Math.trunc(limit), 1), MAX_LIMIT)

/** Cuts `limit + 1` rows to a page whose cursor is the key of its last item. */
export function toPage<R, T>(rows: readonly R[], limit: number, key: (row: R) => Key, item: (row: R) => T): Page<T> {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return { items: shown.map(item), next: rows.length > limit && last !== undefined ? encodeKey(key(last)) : null }
}

/** The place of a row in its order: a number, then a tie-breaker. */
export type Key = readonly [number, number | string]

const encodeKey = (key: Key): string => Buffer.from(JSON.stringify(key)).toString('base64url')

/** @throws StateError QT_CURSOR_INVALID for a text that `next` never was. */
export function decodeKey<T extends 'number' | 'string'>(
  cursor: string,
  second: T
): readonly [number, T extends 'number' ? number : string] {
  const [major, minor, ...rest] = parse(cursor)
  const isKey = typeof minor === second && (typeof minor === 'string' || Number.isSafeInteger(minor))
  if (!Number.isSafeInteger(major) || !isKey || rest.length > 0) throw invalid()
  return [major, minor] as never
}

function parse(cursor: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    if (Array.isArray(parsed)) return parsed
  } catch {
    // Falls through: not what we gave out.
  }
  throw invalid()
}

const invalid = (): StateError => new StateError('QT_CURSOR_INVALID', 'after: not a cursor that this list has given out')
