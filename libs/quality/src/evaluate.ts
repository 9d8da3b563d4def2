import type { Flag, Reading } from '#libs/model'
import { isUsable, VIETNAM_OFFSET } from '#libs/model'
import { attenuatedSignal } from './attenuated.js'
import { QualityError } from './error.js'
import { stronger } from './flags.js'
import { flatLineBySteps } from './flat-line.js'
import { lessThan, stillFlowAt } from './multivariate.js'
import type { Plan, Rule } from './plan.js'
import { climatology, grossRange } from './range.js'
import { rateOfChange, rateOfChangeSigmas } from './rate.js'
import { spike } from './spike.js'

/** A reading as far as the tests need it. */
export type QualityReading = Pick<Reading, 'at' | 'value' | 'status' | 'flag' | 'flags'>

export interface Evaluated {
  /** The reading's own flag and those of the tests, by QARTOD precedence. */
  readonly flag: Flag
  /** By `TestName`, and by the id of a rule. 2 where a test had too little to go by. Nothing of a reading that was not measured. */
  readonly tests: Readonly<Record<string, Flag>>
}

/** Readings of other parameters of the station, by parameter. */
export type Companions = ReadonlyMap<string, readonly QualityReading[]>

/**
 * Flags of the readings of one series, which ascend in time, one for each instant (else throws QualityError QT_QUALITY_ORDER).
 *
 * Only measured readings (status 00, own flag 1, 2 or 3, not of a clock ahead) are tested and are anybody's neighbour; the others keep their flag. Where
 * two measured readings lie further apart than `plan.maxStep` a new run begins, and no test that counts in neighbours looks across.
 * So the flags of a stretch of time follow from the readings within `reach(plan)` of it, wherever the series is cut.
 */
export function evaluate(plan: Plan, readings: readonly QualityReading[], companions: Companions = NO_COMPANIONS): Evaluated[] {
  checkOrder(readings)
  const measured = readings.filter(isUsable)
  const outcomes = [...ownOutcomes(plan, measured), ...ruleOutcomes(plan, measured, companions)]
  const testsAt = sharedTests(outcomes)
  let n = 0
  return readings.map(reading => {
    if (!isUsable(reading)) return { flag: reading.flag, tests: NO_TESTS }
    const flag = outcomes.reduce<Flag>((strongest, { flags }) => stronger(strongest, flags[n] ?? 2), reading.flag)
    return { flag, tests: testsAt(n++) }
  })
}

const NO_COMPANIONS: Companions = new Map()
const NO_TESTS: Evaluated['tests'] = Object.freeze({})

function checkOrder(readings: readonly QualityReading[]): void {
  let last = Number.NEGATIVE_INFINITY
  for (const { at } of readings) {
    if (at <= last) throw new QualityError('QT_QUALITY_ORDER', `a reading of ${at} comes after one of ${last}`)
    last = at
  }
}

interface Outcome {
  readonly name: string
  readonly flags: readonly Flag[]
}

type Measured = readonly QualityReading[]

/** Least values that a spread can be taken of. */
const TWO = 2

function ownOutcomes(plan: Plan, measured: Measured): Outcome[] {
  const { flatLine, attenuated } = plan
  const runs = runsOf(measured, plan.maxStep)
  const outcome = <T>(name: string, settings: T | undefined, test: (settings: T) => Flag[]): Outcome[] =>
    settings === undefined ? [] : [{ name, flags: test(settings) }]
  return [
    ...outcome('gross-range', plan.grossRange, settings => grossRange(measured, settings)),
    ...outcome('climatology', plan.climatology, seasons => climatology(measured, seasons, VIETNAM_OFFSET)),
    ...outcome('spike', plan.spike, settings => runs.flatMap(run => spike(run, settings))),
    ...outcome('rate-of-change', plan.rateOfChange, settings => runs.flatMap(run => blind(rateOfChange(run, settings), 1))),
    ...outcome('rate-of-change-sigmas', plan.rateOfChangeSigmas, settings => {
      const flags = rateOfChangeSigmas(measured, settings)
      return cut(flags, runs).flatMap(run => blind(run, 1))
    }),
    ...outcome('flat-line', flatLine, settings => {
      const fewest = Math.min(settings.suspect, settings.fail)
      return runs.flatMap(run => blind(flatLineBySteps(run, settings), fewest))
    }),
    ...outcome('attenuated-signal', attenuated, ({ window, minPoints, ...settings }) =>
      attenuatedSignal(measured, { ...settings, periodSeconds: window / 1_000, minPoints: Math.max(TWO, minPoints) })
    )
  ]
}

/** Stretches of readings in each of which a neighbour is no further away than `maxStep`. */
function runsOf(measured: Measured, maxStep: number): Measured[] {
  const runs: Measured[] = []
  let start = 0
  measured.forEach(({ at }, n) => {
    if (n === 0 || at - (measured[n - 1]?.at ?? at) <= maxStep) return
    runs.push(measured.slice(start, n))
    start = n
  })
  return measured.length === 0 ? [] : [...runs, measured.slice(start)]
}

function cut(flags: readonly Flag[], runs: readonly Measured[]): Flag[][] {
  let start = 0
  return runs.map(run => flags.slice(start, (start += run.length)))
}

/** The first of a run have too few neighbours before them: the tests of ioos_qc pass them, here they are not evaluated. */
const blind = (flags: readonly Flag[], first: number): Flag[] => flags.map((flag, n) => (n < first ? 2 : flag))

function ruleOutcomes(plan: Plan, measured: Measured, companions: Companions): Outcome[] {
  const of = (parameter: string): Measured => (parameter === plan.parameter ? measured : (companions.get(parameter) ?? []).filter(isUsable))
  return plan.rules.map(rule => ({ name: rule.id, flags: flagsOfRule(rule, measured, of) }))
}

function flagsOfRule(rule: Rule, measured: Measured, of: (parameter: string) => Measured): Flag[] {
  if (rule.kind === 'still-flow') return stillFlowAt(measured, { flow: of(rule.flow), other: of(rule.parameter) }, rule)
  const lesser = of(rule.lesser)
  const { first, second } = lessThan(lesser, of(rule.greater), rule.margin)
  return lesser === measured ? first : second
}

/** What the tests said of the n-th measured reading. Readings of which they said the same share one object. */
function sharedTests(outcomes: readonly Outcome[]): (n: number) => Evaluated['tests'] {
  const known = new Map<number, Evaluated['tests']>()
  return n => {
    // One digit for each: at most 7 tests and MOST_RULES rules, so 15 digits, which a number holds.
    const key = outcomes.reduce((digits, { flags }) => digits * 10 + (flags[n] ?? 2), 0)
    const tests = known.get(key) ?? Object.freeze(Object.fromEntries(outcomes.map(({ name, flags }) => [name, flags[n] ?? 2])))
    known.set(key, tests)
    return tests
  }
}
