import type { Reading, Verdict } from '#libs/model'
import { isUsable } from '#libs/model'
import type { Limit } from './limit.js'
import { bandOf, isValidAt, valueIn } from './limit.js'

/** Verdicts by band: 0 within, 1 tendency, 2 preparing, 3 exceeds. */
const BY_BAND: readonly Verdict[] = ['within', 'tendency', 'preparing', 'exceeds']

export const verdictOfBand = (band: number): Verdict => BY_BAND[band] ?? 'not-evaluated'

/** A verdict with the limit that decided it, so that it can name its source; null without one. */
export interface Judgement {
  readonly verdict: Verdict
  readonly limit: Limit | null
}

/**
 * The worst band of a value under the limits of its series, in their unit. An indicator for review, never a violation.
 * `no-limit` when there are none: never "compliant" (design, invariant 7).
 */
export function verdictOf(value: number, limits: readonly Limit[]): Verdict {
  return worst(value, limits).verdict
}

/** Judges one reading by the limits in force at its time. A reading that is not usable is `not-evaluated`, whatever its value. */
export function judge(reading: Pick<Reading, 'value' | 'unit' | 'at' | 'status' | 'flag' | 'flags'>, limits: readonly Limit[]): Judgement {
  const inForce = limits.filter(limit => isValidAt(limit, reading.at))
  const [first] = inForce
  if (!first) return { verdict: 'no-limit', limit: null }
  const value = isUsable(reading) ? valueIn(reading.value, reading.unit, first.unit) : undefined
  return value === undefined ? { verdict: 'not-evaluated', limit: null } : worst(value, inForce)
}

function worst(value: number, limits: readonly Limit[]): Judgement {
  let limit: Limit | null = null
  let band = -1
  for (const candidate of limits) {
    const reached = bandOf(candidate, value)
    if (reached <= band) continue
    limit = candidate
    band = reached
  }
  return { verdict: limit ? verdictOfBand(band) : 'no-limit', limit }
}
