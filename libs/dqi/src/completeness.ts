import type { Millis } from '#libs/model'

/** The part of a day that is over: `expected` whole intervals from `from` on. */
export interface Grid {
  readonly from: Millis
  readonly interval: Millis
  readonly expected: number
}

/** A stretch in which readings are missing: between two of them, or a reading and an end of the day. */
export interface MissingStretch {
  readonly from: Millis
  readonly to: Millis
  readonly missing: number
}

/**
 * Where readings are missing. `instants`: ascending, each once. The phase of the station's clock does not matter, nor does a jitter of less
 * than half an interval, and readings that come faster in one hour make up for nothing in another.
 */
export function missingStretches(instants: readonly Millis[], { from, interval, expected }: Grid): MissingStretch[] {
  if (expected === 0) return []
  const to = from + expected * interval
  const inside = instants.filter(at => at >= from && at < to)
  const [first, last] = [inside[0], inside.at(-1)]
  if (first === undefined || last === undefined) return [{ from, to, missing: expected }]
  const found = [{ from, to: first, missing: Math.floor((first - from) / interval) }]
  for (const [n, at] of inside.slice(1).entries()) {
    const before = inside[n] ?? at
    found.push({ from: before, to: at, missing: Math.round((at - before) / interval) - 1 })
  }
  found.push({ from: last, to, missing: Math.ceil((to - last) / interval) - 1 })
  return found.filter(({ missing }) => missing > 0)
}

/** Of the expected readings those that are there: distinct instants, and no more than the gaps leave room for. */
export function presentOf(instants: readonly Millis[], grid: Grid): number {
  const missing = missingStretches(instants, grid).reduce((sum, stretch) => sum + stretch.missing, 0)
  return Math.max(0, Math.min(instants.length, grid.expected - missing))
}
