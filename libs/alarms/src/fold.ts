import type { Millis } from '#libs/model'
import { bandOf, heldBy, isWorse } from '#libs/model'
import type { RuleLimit } from './limit.js'

/**
 * What a rule remembers of the readings before: a fold over the series in event time. Bands are counted 0 to 3.
 *
 * - A band is entered when at least k of the last n usable readings are in it or above. The alarm stands in the highest band so entered.
 * - It leaves a band when the last k usable readings are all past that band's dead-band (and it is not entered by the rule above);
 *   it is over when that holds for the lowest band.
 * - Readings that are not usable are not part of the series: they count neither for nor against.
 */
export interface Fold {
  /** Bands of the last n readings, two bits each, the newest lowest. */
  bands: number
  /** Bands held by the last k readings since the alarm was raised. */
  held: number
  /** Band in which the alarm stands; 0 without one. */
  level: number
  /** Highest band of the episode. */
  top: number
  raisedAt: Millis
  /** Worst value since the first reading of the approach, that is since some of the last n readings was in a band; NaN without one. */
  worst: number
}

export const emptyFold = (): Fold => ({ bands: 0, held: 0, level: 0, top: 0, raisedAt: 0, worst: NaN })

/** At rest all folds are equal, so one stands for all; nobody steps a kept fold. */
const REST: Readonly<Fold> = emptyFold()

/** A fold to keep: never to be stepped itself, only a `resumed` one. */
export const keptOf = (fold: Fold): Readonly<Fold> => (isSame(fold, REST) ? REST : { ...fold })

export const resumed = (kept: Readonly<Fold>): Fold => ({ ...kept })

export const isSame = (a: Readonly<Fold>, b: Readonly<Fold>): boolean =>
  a.bands === b.bands &&
  a.held === b.held &&
  a.level === b.level &&
  a.top === b.top &&
  a.raisedAt === b.raisedAt &&
  Object.is(a.worst, b.worst)

/** Nothing is remembered: a value in no band changes nothing. */
export const isAtRest = (fold: Fold): boolean => fold.bands === 0 && fold.level === 0

/**
 * Takes the next usable reading in event time. True when the level changed; then, at level 0, the fold still tells of the
 * episode that has just ended until `forget` is called, which must happen before the next step.
 */
export function step(fold: Fold, limit: RuleLimit, at: Millis, value: number): boolean {
  const band = bandOf(limit, value)
  if (band === 0 && isAtRest(fold)) return false
  fold.bands = ((fold.bands << 2) | band) & maskOf(limit.n)
  return fold.level === 0 ? approach(fold, limit, at, value) : stand(fold, limit, value)
}

/** The episode is over and told; what is left is the state of rest. */
export function forget(fold: Fold): void {
  fold.held = 0
  fold.top = 0
  fold.raisedAt = 0
  fold.worst = NaN
}

/** The limit has gone out of force: nothing of it is remembered. True when an episode ended with it, which the fold tells of until `forget`. */
export function lapse(fold: Fold): boolean {
  const stood = fold.level > 0
  fold.bands = 0
  fold.level = 0
  if (!stood) forget(fold)
  return stood
}

const maskOf = (readings: number): number => (1 << (2 * readings)) - 1

function approach(fold: Fold, limit: RuleLimit, at: Millis, value: number): boolean {
  if (fold.bands === 0) {
    fold.worst = NaN
    return false
  }
  keepWorst(fold, limit, value)
  const entered = enteredBand(fold.bands, limit)
  if (entered === 0) return false
  fold.level = entered
  fold.top = entered
  fold.raisedAt = at
  // Earlier readings need not be known: the one that raises holds its level until k more have come.
  fold.held = heldBy(limit, value)
  return true
}

function stand(fold: Fold, limit: RuleLimit, value: number): boolean {
  fold.held = ((fold.held << 2) | heldBy(limit, value)) & maskOf(limit.k)
  keepWorst(fold, limit, value)
  const entered = enteredBand(fold.bands, limit)
  const next = entered > fold.level ? entered : Math.min(fold.level, Math.max(entered, highest(fold.held)))
  if (next === fold.level) return false
  fold.level = next
  fold.top = Math.max(fold.top, next)
  return true
}

function keepWorst(fold: Fold, limit: RuleLimit, value: number): void {
  if (Number.isNaN(fold.worst) || isWorse(limit, value, fold.worst)) fold.worst = value
}

/** Highest band that at least k of the last n readings are in or above. */
function enteredBand(bands: number, { k }: RuleLimit): number {
  let tendency = 0
  let preparing = 0
  let exceeds = 0
  for (let rest = bands; rest !== 0; rest >>>= 2) {
    const band = rest & 3
    if (band >= 1) tendency++
    if (band >= 2) preparing++
    if (band === 3) exceeds++
  }
  if (exceeds >= k) return 3
  if (preparing >= k) return 2
  return tendency >= k ? 1 : 0
}

function highest(held: number): number {
  let band = 0
  for (let rest = held; rest !== 0; rest >>>= 2) band = Math.max(band, rest & 3)
  return band
}
