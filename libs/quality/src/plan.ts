import type { Millis } from '#libs/model'
import type { FlatLineBySteps } from './flat-line.js'
import type { StillFlow } from './multivariate.js'
import type { GrossRange, Season } from './range.js'
import type { RateOfChange } from './rate.js'
import type { Spike } from './spike.js'

/** Names of the tests that look at one series. A rule over two series goes by its own id. */
export const TESTS = [
  'gross-range',
  'climatology',
  'spike',
  'rate-of-change',
  'rate-of-change-sigmas',
  'flat-line',
  'attenuated-signal'
] as const
export type TestName = (typeof TESTS)[number]

/** Rules over two series that may concern one of them at most. */
export const MOST_RULES = 8

export type Rule =
  | { readonly id: string; readonly kind: 'less-than'; readonly lesser: string; readonly greater: string; readonly margin: number }
  | ({ readonly id: string; readonly kind: 'still-flow'; readonly flow: string; readonly parameter: string } & StillFlow)

/** What is tested of one series. A test that is not set does not run. */
export interface Plan {
  readonly parameter: string
  /** Of every number of the plan. */
  readonly unit: string
  /** Time between two readings, as the station should send them. */
  readonly every: Millis
  /** A measured reading further away than this is no neighbour. */
  readonly maxStep: Millis
  readonly grossRange?: GrossRange | undefined
  /** Calendar of UTC+7. */
  readonly climatology?: readonly Season[] | undefined
  readonly spike?: Spike | undefined
  readonly rateOfChange?: RateOfChange | undefined
  readonly rateOfChangeSigmas?: { readonly sigmas: number; readonly window: Millis; readonly minPoints: number } | undefined
  readonly flatLine?: FlatLineBySteps | undefined
  readonly attenuated?: Attenuated | undefined
  readonly rules: readonly Rule[]
}

export interface Attenuated {
  readonly window: Millis
  readonly suspect: number
  readonly fail: number
  readonly type: 'std' | 'range'
  readonly minPoints: number
}

export interface Reach {
  /** The flag of a reading at t follows from the readings in `t - before <= at <= t + after`, whatever there is beyond. */
  readonly before: Millis
  readonly after: Millis
}

/** How far the flags of a plan look. A reading that comes late, at t, can change those in `t - after <= at <= t + before`. */
export function reach(plan: Plan): Reach {
  const { maxStep, spike, rateOfChange, rateOfChangeSigmas, flatLine, attenuated, rules } = plan
  const steps = Math.max(spike || rateOfChange || rateOfChangeSigmas ? 1 : 0, ...stepsOf(flatLine))
  const windows = [rateOfChangeSigmas, attenuated, ...rules].map(test => (test && 'window' in test ? test.window : 0))
  return { before: Math.max(steps * maxStep, ...windows), after: spike ? maxStep : 0 }
}

const stepsOf = (flatLine: FlatLineBySteps | undefined): number[] =>
  flatLine ? [flatLine.suspect, flatLine.fail].filter(steps => Number.isFinite(steps)) : []

/** Other parameters of the station that the plan's rules look at: `evaluate` wants their readings too. */
export function companionsOf({ parameter, rules }: Plan): readonly string[] {
  const named = rules.flatMap(rule => (rule.kind === 'less-than' ? [rule.lesser, rule.greater] : [rule.flow, rule.parameter]))
  return [...new Set(named)].filter(code => code !== parameter)
}
