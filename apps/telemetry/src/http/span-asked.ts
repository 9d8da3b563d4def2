import type { Millis } from '#libs/model'
import { tooLong } from './problem.js'

interface Bounds {
  /** The end unless the query says to when. */
  readonly now: Millis
  /** What is looked at unless the query says from when, and at most. */
  readonly usual: Millis
  readonly longest: Millis
}

/** The span that an answer is about. @throws HttpProblem 400 for one longer than `longest` */
export function spanAsked(
  query: { readonly from?: Millis | undefined; readonly to?: Millis | undefined },
  { now, usual, longest }: Bounds
): { readonly from: Millis; readonly to: Millis } {
  const to = query.to ?? now
  const from = query.from ?? to - usual
  if (to - from > longest) throw tooLong(longest)
  return { from, to }
}
