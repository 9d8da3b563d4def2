import type { Millis } from '#libs/model'

/**
 * Spans of time in which something was there: begin and end by turns, ascending, both ends included. Instants that lie no further
 * apart than a tolerance are one span, so that a series without a gap is one span however many readings it has. What stands in it
 * depends on the set of instants alone, never on their order.
 */
export type Spans = Millis[]

/** Takes an instant in. Cheap for what comes in order. */
export function cover(spans: Spans, at: Millis, tolerance: Millis): void {
  const last = spans.length - 1
  const end = spans[last]
  if (end === undefined || at > end + tolerance) spans.push(at, at)
  else if (at > end) spans[last] = at
  else if (at < (spans[last - 1] ?? at)) coverEarlier(spans, at, tolerance)
}

/** `at` lies before the last span. */
function coverEarlier(spans: Spans, at: Millis, tolerance: Millis): void {
  let index = 0 // of the first span that ends at or after `at`
  while ((spans[index + 1] ?? at) < at) index += 2
  if ((spans[index] ?? at) <= at) return
  const before = spans[index - 1]
  const joinsBefore = before !== undefined && at - before <= tolerance
  const joinsAfter = (spans[index] ?? at) - at <= tolerance
  if (joinsBefore && joinsAfter) spans.splice(index - 1, 2)
  else if (joinsBefore) spans[index - 1] = at
  else if (joinsAfter) spans[index] = at
  else spans.splice(index, 0, at, at)
}

/** Joins what overlaps, or lies no further apart than the tolerance. */
export function unite(all: readonly (readonly Millis[])[], tolerance: Millis): Spans {
  const pairs = all.flatMap(pairsOf).sort((a, b) => a[0] - b[0])
  const united: Spans = []
  for (const [begin, end] of pairs) {
    const last = united.at(-1)
    if (last === undefined || begin - last > tolerance) united.push(begin, end)
    else if (end > last) united[united.length - 1] = end
  }
  return united
}

export function pairsOf(spans: readonly Millis[]): [Millis, Millis][] {
  const pairs: [Millis, Millis][] = []
  for (let i = 0; i + 1 < spans.length; i += 2) pairs.push([spans[i] ?? 0, spans[i + 1] ?? 0])
  return pairs
}

const RADIX = 36

/** As text, relative to `origin`: `a-b c d-e`; an instant alone has no end. */
export function spansText(spans: readonly Millis[], origin: Millis): string {
  return pairsOf(spans)
    .map(([begin, end]) => {
      const from = (begin - origin).toString(RADIX)
      return begin === end ? from : `${from}:${(end - origin).toString(RADIX)}`
    })
    .join(' ')
}

/** Undoes `spansText`. */
export function parseSpans(text: string, origin: Millis): Spans {
  if (text === '') return []
  return text.split(' ').flatMap(part => {
    const [begin, end] = part.split(':')
    const from = Number.parseInt(begin ?? '', RADIX) + origin
    return [from, end === undefined ? from : Number.parseInt(end, RADIX) + origin]
  })
}
