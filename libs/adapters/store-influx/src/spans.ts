import type { Millis, SeriesKey } from '#libs/model'
import { HOUR, seriesId } from '#libs/model'

/** A stretch of time and the series of which it is wanted. Both ends included. */
export interface Span {
  from: Millis
  to: Millis
  readonly series: Map<string, SeriesKey>
}

/** Instants of one series that lie further apart than this are not read in one stretch. */
const GAP = 6 * HOUR

/**
 * Stretches that hold all the wanted instants: per series without long gaps, then those of several series joined where they cover
 * much the same time. A back-fill of one station is one stretch; so is an hour of all stations that is replayed.
 */
export function spansOf(wanted: Iterable<SeriesKey & { readonly at: Millis }>): Span[] {
  const instants = new Map<string, { key: SeriesKey; at: Millis[] }>()
  for (const { station, parameter, at } of wanted) {
    const id = seriesId({ station, parameter })
    const entry = instants.get(id)
    if (entry) entry.at.push(at)
    else instants.set(id, { key: { station, parameter }, at: [at] })
  }
  const single = [...instants].flatMap(([id, { key, at }]) =>
    stretches(at).map(({ from, to }) => ({ from, to, series: new Map([[id, key]]) }))
  )
  return joined(single)
}

function stretches(instants: Millis[]): { from: Millis; to: Millis }[] {
  const found: { from: Millis; to: Millis }[] = []
  for (const at of instants.sort((a, b) => a - b)) {
    const last = found.at(-1)
    if (last && at - last.to <= GAP) last.to = at
    else found.push({ from: at, to: at })
  }
  return found
}

/** Joins stretches that together cover little more than each of them: at most a gap, or twice the shorter one. */
function joined(single: Span[]): Span[] {
  const spans: Span[] = []
  for (const next of single.sort((a, b) => a.from - b.from || a.to - b.to)) {
    const last = spans.at(-1)
    if (!last || !isAlike(last, next)) {
      spans.push(next)
      continue
    }
    last.to = Math.max(last.to, next.to)
    for (const [id, key] of next.series) last.series.set(id, key)
  }
  return spans
}

function isAlike(a: Span, b: Span): boolean {
  const cover = Math.max(a.to, b.to) - Math.min(a.from, b.from)
  const shorter = Math.min(a.to - a.from, b.to - b.from)
  return cover <= GAP || cover <= 2 * shorter
}
