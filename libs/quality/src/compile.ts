import type { Millis, Station } from '#libs/model'
import type { Extent, Overrides, ProfileQuality, RuleSettings, StationQuality, Thresholds } from './config.js'
import { Quality } from './config.js'
import type { Attenuated, Plan, Rule } from './plan.js'
import { MOST_RULES, TESTS } from './plan.js'
import type { Season } from './range.js'
import type { Span } from './sample.js'

/** A device profile as far as the tests need it. */
export interface SensorProfile {
  readonly name: string
  /** Time between two readings. */
  readonly intervalMillis: Millis
  readonly parameters: readonly Sensor[]
}

export interface Sensor {
  readonly code: string
  readonly unit: string
  /** What the sensor can measure, in `unit`. */
  readonly span: { readonly min: number; readonly max: number }
}

/** The plan of a series; undefined where nothing is tested of it. */
export type Plans = (station: string, parameter: string) => Plan | undefined

export type CompileResult = { readonly ok: true; readonly planOf: Plans } | { readonly ok: false; readonly problems: readonly string[] }

type Registry = readonly Pick<Station, 'code' | 'profile'>[]

/** What the file of thresholds holds, checked in its shape and then in what it says. */
export function readQuality(raw: unknown, profiles: readonly SensorProfile[], stations: Registry): CompileResult {
  const parsed = Quality.safeParse(raw)
  if (parsed.success) return compileQuality(parsed.data, profiles, stations)
  return { ok: false, problems: parsed.error.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`) }
}

/** Holds the thresholds against profiles and registry, and reports everything that is wrong with them, one line each. */
export function compileQuality(config: Quality, profiles: readonly SensorProfile[], stations: Registry): CompileResult {
  const problems = new Set<string>()
  const byName = new Map(profiles.map(profile => [profile.name, profile]))
  const profileOf = new Map(stations.map(({ code, profile }) => [code, profile]))
  const ofProfiles = new Map<string, ReadonlyMap<string, Plan>>()
  for (const [name, quality] of Object.entries(config.profiles)) {
    const profile = byName.get(name)
    if (profile) ofProfiles.set(name, plansOf({ profile, quality, own: undefined }, about(problems, `profile '${name}'`)))
    else problems.add(`profile '${name}': there is no such device profile`)
  }
  const ofStations = new Map<string, ReadonlyMap<string, Plan>>()
  for (const [code, own] of Object.entries(config.stations)) {
    const profile = byName.get(profileOf.get(code) ?? '')
    const quality = profile && config.profiles[profile.name]
    if (profile) ofStations.set(code, plansOf({ profile, quality, own }, about(problems, `station '${code}'`)))
    else problems.add(`station '${code}': there is no such station`)
  }
  if (problems.size > 0) return { ok: false, problems: [...problems] }
  return {
    ok: true,
    planOf: (station, parameter) => (ofStations.get(station) ?? ofProfiles.get(profileOf.get(station) ?? '') ?? NO_PLANS).get(parameter)
  }
}

const NO_PLANS: ReadonlyMap<string, Plan> = new Map()

type Report = (problem: string) => void
const about =
  (problems: Set<string>, whom: string): Report =>
  problem =>
    problems.add(`${whom}: ${problem}`)

interface Source {
  readonly profile: SensorProfile
  readonly quality: ProfileQuality | undefined
  readonly own: StationQuality | undefined
}

/** By parameter; those of which nothing is tested are left out. */
function plansOf({ profile, quality, own }: Source, report: Report): ReadonlyMap<string, Plan> {
  const sensors = new Map(profile.parameters.map(sensor => [sensor.code, sensor]))
  for (const code of [...Object.keys(quality?.parameters ?? {}), ...Object.keys(own?.parameters ?? {})])
    if (!sensors.has(code)) report(`${code} is not measured by profile '${profile.name}'`)
  const rules = rulesOf(quality?.rules ?? [], own?.rules ?? [], report).map(rule => ruleOf(rule, sensors, report))
  const every = profile.intervalMillis
  const maxStep = millisOf(quality?.maxStep ?? DEFAULT_MAX_STEP, every)
  if (maxStep < every) report(`maxStep is shorter than the interval of profile '${profile.name}'`)
  const plans = profile.parameters.map((sensor): Plan => {
    const thresholds = merged(quality?.parameters[sensor.code] ?? {}, own?.parameters[sensor.code] ?? {})
    const concerning = rules.filter(rule => seriesOf(rule).includes(sensor.code))
    if (concerning.length > MOST_RULES) report(`${sensor.code}: more than ${MOST_RULES} rules`)
    const tests = testsOf(thresholds, { sensor, every, report: problem => report(`${sensor.code}: ${problem}`) })
    return { parameter: sensor.code, unit: sensor.unit, every, maxStep, ...tests, rules: concerning }
  })
  return new Map(plans.filter(plan => isTested(plan)).map(plan => [plan.parameter, plan]))
}

const DEFAULT_MAX_STEP: Extent = { times: 3 }
const millisOf = (extent: Extent, every: Millis): Millis => ('time' in extent ? extent.time : extent.times * every)

const seriesOf = (rule: Rule): readonly string[] => (rule.kind === 'less-than' ? [rule.lesser, rule.greater] : [rule.flow, rule.parameter])

const isTested = ({ grossRange, climatology, spike, rateOfChange, rateOfChangeSigmas, flatLine, attenuated, rules }: Plan): boolean =>
  rules.length > 0 ||
  [grossRange, climatology, spike, rateOfChange, rateOfChangeSigmas, flatLine, attenuated].some(test => test !== undefined)

function merged(profile: Thresholds, own: Overrides): Thresholds {
  const pick = <Test>(theirs: Test | 'off' | undefined, ours: Test | undefined): Test | undefined =>
    theirs === 'off' ? undefined : (theirs ?? ours)
  return {
    grossRange: pick(own.grossRange, profile.grossRange),
    climatology: pick(own.climatology, profile.climatology),
    spike: pick(own.spike, profile.spike),
    rateOfChange: pick(own.rateOfChange, profile.rateOfChange),
    flatLine: pick(own.flatLine, profile.flatLine),
    attenuated: pick(own.attenuated, profile.attenuated)
  }
}

interface Frame {
  readonly sensor: Sensor
  readonly every: Millis
  readonly report: Report
}

function testsOf(thresholds: Thresholds, frame: Frame): Omit<Plan, 'parameter' | 'unit' | 'every' | 'maxStep' | 'rules'> {
  const { grossRange, climatology, spike, rateOfChange, flatLine, attenuated } = thresholds
  return {
    grossRange: grossRange && grossRangeOf(grossRange.suspect, frame),
    climatology: climatology?.flatMap(seasonsOf),
    spike,
    ...rateOf(rateOfChange),
    flatLine: flatLine && flatLineOf(flatLine, frame),
    attenuated: attenuated && attenuatedOf(attenuated, frame)
  }
}

function grossRangeOf(suspect: Span, { sensor, report }: Frame): Plan['grossRange'] {
  const { min, max } = sensor.span
  if (suspect[0] < min || suspect[1] > max)
    report(`grossRange: the suspect span ${suspect.join('..')} reaches outside the sensor's, ${min}..${max} ${sensor.unit}`)
  return { fail: [min, max], suspect }
}

type SeasonSettings = NonNullable<Thresholds['climatology']>[number]
const seasonsOf = ({ months, span, fail }: SeasonSettings): Season[] =>
  months.map(month => ({ period: 'month', time: [month, month], span, fail }))

const SECONDS_PER_HOUR = 3_600

function rateOf(settings: Thresholds['rateOfChange']): Pick<Plan, 'rateOfChange' | 'rateOfChangeSigmas'> {
  if (!settings) return {}
  if (settings.sigmas !== undefined) return { rateOfChangeSigmas: settings }
  const { perHour, failPerHour } = settings
  const fail = failPerHour === undefined ? undefined : failPerHour / SECONDS_PER_HOUR
  return { rateOfChange: { suspect: perHour / SECONDS_PER_HOUR, fail } }
}

function flatLineOf({ suspect, fail, tolerance }: NonNullable<Thresholds['flatLine']>, { every, report }: Frame): Plan['flatLine'] {
  const stepsOf = (stay: Extent | undefined): number => {
    if (!stay) return Number.POSITIVE_INFINITY
    const steps = 'times' in stay ? stay.times : Math.floor(stay.time / every)
    if (steps < 1) report('flatLine: shorter than the interval between two readings')
    return steps
  }
  const steps = { suspect: stepsOf(suspect), fail: stepsOf(fail) }
  if (fail && suspect && steps.suspect > steps.fail) report('flatLine: suspect must not be longer than fail')
  // The test asks for less than the tolerance; what is less than the least positive number is exactly the same.
  return { ...steps, tolerance: tolerance === 0 ? Number.MIN_VALUE : tolerance }
}

function attenuatedOf(settings: NonNullable<Thresholds['attenuated']>, { every, report }: Frame): Attenuated {
  const { window, suspect = NEVER, fail = NEVER, type, minPoints = Math.ceil(window / every / 2) } = settings
  if (window < 2 * every) report('attenuated: the window is shorter than two intervals')
  return { window, suspect, fail, type, minPoints: Math.max(2, minPoints) }
}

/** No spread is less. */
const NEVER = 0

/** The rules of a profile, with what a station says about them. */
function rulesOf(profile: readonly RuleSettings[], own: StationQuality['rules'], report: Report): RuleSettings[] {
  const kept = profile.filter(({ id }) => own.every(rule => rule.id !== id))
  for (const rule of own)
    if ('off' in rule && profile.every(({ id }) => id !== rule.id)) report(`there is no rule '${rule.id}' to take away`)
  const rules = [...kept, ...own.flatMap(rule => ('off' in rule ? [] : [rule]))]
  for (const { id } of rules) if (TESTS.some(name => name === id)) report(`rule '${id}' has the name of a test`)
  return rules
}

function ruleOf(settings: RuleSettings, sensors: ReadonlyMap<string, Sensor>, report: Report): Rule {
  const { id } = settings
  const rule: Rule =
    'lessThan' in settings ? { id, kind: 'less-than', ...settings.lessThan } : { id, kind: 'still-flow', ...settings.stillFlow }
  const [first, second] = seriesOf(rule).map(code => {
    if (!sensors.has(code)) report(`rule '${id}': ${code} is not measured`)
    return sensors.get(code)
  })
  if (first && first.code === second?.code) report(`rule '${id}': holds ${first.code} against itself`)
  if (rule.kind === 'less-than' && first && second && first.unit !== second.unit)
    report(`rule '${id}': ${first.code} is in ${first.unit}, ${second.code} in ${second.unit}`)
  return rule
}
