import type { Millis } from '#libs/model'

/** One stretch of alarm as the readings tell it: a function of their set. */
export interface Span {
  raisedAt: Millis
  /** null while it lasts. */
  clearedAt: Millis | null
  /** Band now (0 once cleared) and highest band, 0 to 3. */
  level: number
  top: number
  worst: number
}

/** A span under the name by which it was published. */
export interface Episode extends Span {
  readonly id: string
  /** The instant in the id. */
  readonly born: Millis
}

export type Pair =
  | { readonly old: Episode; readonly fresh: Span }
  | { readonly old: Episode; readonly fresh: null }
  | { readonly old: null; readonly fresh: Span }

const endOf = (span: Span): Millis => span.clearedAt ?? Infinity

/**
 * Which published episode each span goes on, both in ascending time: the first that overlaps it. Of two that grew together the
 * earlier goes on and the later vanishes; of one that fell apart the earlier part goes on and the later is new.
 */
export function pair(old: readonly Episode[], fresh: readonly Span[]): Pair[] {
  const pairs: Pair[] = []
  let next = 0
  for (const span of fresh) {
    let candidate = old[next]
    while (candidate && endOf(candidate) < span.raisedAt) {
      pairs.push({ old: candidate, fresh: null })
      candidate = old[++next]
    }
    if (candidate && candidate.raisedAt <= endOf(span)) {
      pairs.push({ old: candidate, fresh: span })
      next++
    } else pairs.push({ old: null, fresh: span })
  }
  for (const rest of old.slice(next)) pairs.push({ old: rest, fresh: null })
  return pairs
}
