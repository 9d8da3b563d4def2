import type { Millis } from './instant.js'
import { convert } from './unit.js'

/** What is demanded of one parameter, in its canonical unit. Plain data. */
export interface LimitTerms {
  readonly parameter: string
  readonly unit: string
  readonly high: number | null
  readonly low: number | null
  /** True: reaching the limit counts (`>=`); false: only passing it (`>`). */
  readonly reached: boolean
  /** Shares of the limit at which warning begins; null where only the limit itself counts. */
  readonly bands: { readonly tendency: number; readonly preparing: number } | null
  /** Share of the way to the limit by which a value must fall back before it is past it again. */
  readonly deadband: number
  /** Where the limit comes from, in words. */
  readonly source: string
  readonly severity: string | null
  /** Short name of the level among several on one quantity, such as `bd1`; missing where there is one limit alone. */
  readonly level?: string
  /** `validFrom <= at < validTo`. */
  readonly validFrom: Millis | null
  readonly validTo: Millis | null
}

/** A value for each band, in the parameter's unit. */
interface Steps {
  readonly tendency: number
  readonly preparing: number
  readonly exceeds: number
}

/** Thresholds of a limit, worked out once. Bands are counted 0 within, 1 tendency, 2 preparing, 3 exceeds. */
interface Thresholds {
  /** At or beyond these a value is in the band … */
  readonly enterHigh: Steps
  readonly enterLow: Steps
  /** … and at or beyond these it still holds an alarm of that band. */
  readonly holdHigh: Steps
  readonly holdLow: Steps
  /** Strictly between the two a value is in no band and holds none. */
  readonly calmAbove: number
  readonly calmBelow: number
}

/** Terms with their thresholds. */
export type Limit = LimitTerms & Thresholds

/** Values that differ by less than this share are equal: 350 cm x 0.01 or 0.8 x 3.5 m must not miss a level by a rounding of binary fractions. */
const TOLERANCE = 1e-9

const NEVER_HIGH: Steps = { tendency: Infinity, preparing: Infinity, exceeds: Infinity }
const NEVER_LOW: Steps = { tendency: -Infinity, preparing: -Infinity, exceeds: -Infinity }

/** How far the value is on its way to the limit, as a value: `share` 1 is the limit itself, and `1 - deadband` the way back. */
type Scale = (share: number) => number

/**
 * The thresholds of a limit. Shares are shares of the limit; with two limits, of the way from their middle to the limit (pH 6–9:
 * tendency from 8.7, preparing from 8.85), because a share of pH 9 would lie inside the permitted span and 80 % of pH 6 outside.
 * A limit of zero or below has no meaningful share: only the limit itself counts there.
 */
export function limitOf<T extends LimitTerms>(terms: T): T & Thresholds {
  const { high, low } = terms
  const enterHigh = high === null ? NEVER_HIGH : enter(terms, highScale(terms, high), isBanded(terms, high), 1)
  const enterLow = low === null ? NEVER_LOW : enter(terms, lowScale(terms, low), isBanded(terms, low), -1)
  const holdHigh = high === null ? NEVER_HIGH : hold(terms, highScale(terms, high), isBanded(terms, high), 1)
  const holdLow = low === null ? NEVER_LOW : hold(terms, lowScale(terms, low), isBanded(terms, low), -1)
  return {
    ...terms,
    enterHigh,
    enterLow,
    holdHigh,
    holdLow,
    calmBelow: Math.min(enterHigh.tendency, holdHigh.tendency),
    calmAbove: Math.max(enterLow.tendency, holdLow.tendency)
  }
}

const middleOf = ({ high, low }: LimitTerms): number | undefined => (high !== null && low !== null ? (high + low) / 2 : undefined)

const isBanded = (terms: LimitTerms, limit: number): boolean => terms.bands !== null && (middleOf(terms) !== undefined || limit > 0)

function highScale(terms: LimitTerms, limit: number): Scale {
  const middle = middleOf(terms)
  if (middle !== undefined) return share => middle + (limit - middle) * share
  return limit > 0 ? share => limit * share : share => limit - Math.abs(limit) * (1 - share)
}

function lowScale(terms: LimitTerms, limit: number): Scale {
  const middle = middleOf(terms)
  if (middle !== undefined) return share => middle - (middle - limit) * share
  return limit > 0 ? share => limit / share : share => limit + Math.abs(limit) * (1 - share)
}

function enter({ bands, reached }: LimitTerms, scale: Scale, banded: boolean, side: 1 | -1): Steps {
  const limit = scale(1)
  const exceeds = reached ? include(limit, side) : exclude(limit, side)
  if (!banded || !bands) return { tendency: exceeds, preparing: exceeds, exceeds }
  return { tendency: include(scale(bands.tendency), side), preparing: include(scale(bands.preparing), side), exceeds }
}

function hold({ bands, deadband }: LimitTerms, scale: Scale, banded: boolean, side: 1 | -1): Steps {
  const back = (share: number) => exclude(scale(share * (1 - deadband)), side)
  const exceeds = back(1)
  if (!banded || !bands) return { tendency: exceeds, preparing: exceeds, exceeds }
  return { tendency: back(bands.tendency), preparing: back(bands.preparing), exceeds }
}

/** The threshold at which `value` itself still counts … */
const include = (value: number, side: 1 | -1): number => value - side * Math.abs(value) * TOLERANCE

/** … and the one at which it does not. Next to zero the tolerance is nothing, hence the smallest number there is. */
const exclude = (value: number, side: 1 | -1): number => value + side * Math.max(Math.abs(value) * TOLERANCE, Number.MIN_VALUE)

/** Highest band that the value is in, 0 to 3. */
export function bandOf(limit: Limit, value: number): number {
  if (value < limit.calmBelow && value > limit.calmAbove) return 0
  return bandAt(limit.enterHigh, limit.enterLow, value)
}

/** Highest band whose alarm the value still holds, 0 to 3: never below its own band. */
export function heldBy(limit: Limit, value: number): number {
  if (value < limit.calmBelow && value > limit.calmAbove) return 0
  return Math.max(bandOf(limit, value), bandAt(limit.holdHigh, limit.holdLow, value))
}

function bandAt(high: Steps, low: Steps, value: number): number {
  if (value >= high.exceeds || value <= low.exceeds) return 3
  if (value >= high.preparing || value <= low.preparing) return 2
  return value >= high.tendency || value <= low.tendency ? 1 : 0
}

/** True when `value` lies further on the bad side than `other`. With two limits: further from their middle. */
export function isWorse(limit: Limit, value: number, other: number): boolean {
  const middle = middleOf(limit)
  if (middle !== undefined) return Math.abs(value - middle) > Math.abs(other - middle)
  return limit.high === null ? value < other : value > other
}

/** The limit that a value is held against: with two, the one on its side of their middle. */
export function nearestLimit(limit: Limit, value: number): number | null {
  const middle = middleOf(limit)
  if (middle === undefined) return limit.high ?? limit.low
  return value >= middle ? limit.high : limit.low
}

export const isValidAt = (limit: Pick<LimitTerms, 'validFrom' | 'validTo'>, at: Millis): boolean =>
  (limit.validFrom === null || at >= limit.validFrom) && (limit.validTo === null || at < limit.validTo)

/** `value` in another unit, to 12 digits so that 410 cm are 4.1 m; undefined where the two do not fit. */
export function valueIn(value: number, from: string, to: string): number | undefined {
  if (from === to) return value
  const converted = convert(value, from, to)
  return converted === undefined ? undefined : Number(converted.toPrecision(12))
}
