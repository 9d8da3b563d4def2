import type { Limit } from './limit.js'
import { bandOf, isValidAt, valueIn } from './limit.js'
import type { Reading } from './reading.js'
import { isUsable } from './reading.js'

/**
 * A value against its limit. The pre-limit bands are Envisoft's names (regulations.md 9): the provincial plan asks for
 * warning when there is a *risk*. An indicator for review, never a violation. `no-limit` is a state of its own: a limit
 * that nobody loaded is never "compliant".
 */
export type Verdict = 'within' | 'tendency' | 'preparing' | 'exceeds' | 'no-limit' | 'not-evaluated'

/** Verdicts by band: 0 within, 1 tendency, 2 preparing, 3 exceeds. */
const BY_BAND: readonly Verdict[] = ['within', 'tendency', 'preparing', 'exceeds']

const EXCEEDS = 3

export const verdictOfBand = (band: number): Verdict => BY_BAND[band] ?? 'not-evaluated'

/** A verdict with the limit that decided it, so that it can name its source; null without one. */
export interface Judgement<L extends Limit = Limit> {
  readonly verdict: Verdict
  readonly limit: L | null
}

/**
 * The worst band of a value under the limits of its series, in their unit. An indicator for review, never a violation.
 * `no-limit` when there are none: never "compliant" (design, invariant 7).
 */
export function verdictOf(value: number, limits: readonly Limit[]): Verdict {
  return worst(value, limits).verdict
}

/** What of a reading decides its verdict. */
export type Judged = Pick<Reading, 'value' | 'unit' | 'at' | 'status' | 'flag' | 'flags'>

/** Judges one reading by the limits in force at its time. A reading that is not usable is `not-evaluated`, whatever its value. */
export function judge<L extends Limit>(reading: Judged, limits: readonly L[]): Judgement<L> {
  const inForce = limits.filter(limit => isValidAt(limit, reading.at))
  const [first] = inForce
  if (!first) return { verdict: 'no-limit', limit: null }
  const value = isUsable(reading) ? valueIn(reading.value, reading.unit, first.unit) : undefined
  return value === undefined ? { verdict: 'not-evaluated', limit: null } : worst(value, inForce)
}

function worst<L extends Limit>(value: number, limits: readonly L[]): Judgement<L> {
  let limit: L | null = null
  let band = -1
  for (const candidate of limits) {
    const reached = bandOf(candidate, value)
    const isFurther = reached === EXCEEDS && band === EXCEEDS && limit !== null && isBeyond(candidate, limit)
    if (reached <= band && !isFurther) continue
    limit = candidate
    band = reached
  }
  return { verdict: limit ? verdictOfBand(band) : 'no-limit', limit }
}

/** Of several levels that are exceeded the furthest is named: at 4.1 m it is flood alarm II, not I. */
const isBeyond = (one: Limit, other: Limit): boolean =>
  one.high !== null && other.high !== null ? one.high > other.high : one.low !== null && other.low !== null && one.low < other.low
