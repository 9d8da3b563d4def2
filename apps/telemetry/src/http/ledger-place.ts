import type { Millis } from '#libs/model'
import { DAY } from '#libs/model'
import { dayOf } from '#libs/pipeline'
import { notACursor } from './problem.js'
import { fromCursor, toCursor } from './schemas.js'

/** A station's day: how far a reader of the ledger has come. */
export interface LedgerPlace {
  readonly day: Millis
  readonly station: string
}

/** Without `from`, this many days up to `to`. */
const DEFAULT_DAYS = 7

/** The days of UTC+7 that a question is about: none before the first that anything came in, none that has not begun. */
export function ledgerDays(
  { from, to }: { readonly from?: Millis | undefined; readonly to?: Millis | undefined },
  { now, first }: { readonly now: Millis; readonly first: Millis | null }
): { readonly begin: Millis; readonly last: Millis } {
  const last = dayOf(Math.min(to === undefined ? now : to - 1, now))
  return { begin: Math.max(first ?? last + DAY, from === undefined ? last - (DEFAULT_DAYS - 1) * DAY : dayOf(from)), last }
}

export const placeAfter = ({ day, station }: LedgerPlace): string => toCursor(`${day}/${station}`)

/** @throws HttpProblem for a text that no list has given out. */
export function placeOf(cursor: string): LedgerPlace {
  const [, day, station] = /^(\d{1,15})\/([A-Z0-9_-]{0,48})$/.exec(fromCursor(cursor)) ?? []
  if (day !== undefined && station !== undefined && dayOf(Number(day)) === Number(day)) return { day: Number(day), station }
  throw notACursor()
}
