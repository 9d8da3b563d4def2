import type { LimitTerms, Millis, Parameter, Station } from '#libs/model'
import { canonicalUnit, durationOf, findParameter, PARAMETERS, parseDayOrInstant, valueIn } from '#libs/model'
import type { LimitRule, SilenceRule } from './config.js'
import { AlarmRules } from './config.js'
import type { RuleLimitTerms } from './limit.js'
import type { RuleTerms } from './rules.js'
import { CompiledRules } from './rules.js'

export type CompileResult =
  | { readonly ok: true; readonly rules: CompiledRules }
  | { readonly ok: false; readonly problems: readonly string[] }

/** The ministry's offline time: three missed 5-minute files (regulations.md 1.6). Holds where no silence rule applies. */
const DEFAULT_SILENCE: SilenceRule = { id: 'silence', silence: '15m' }

type Rule = LimitRule | SilenceRule
type Report = (problem: string) => void

const isSilence = (rule: Rule): rule is SilenceRule => 'silence' in rule

/** The limits that the law gives a series, of all times, each with its validity. */
export type LegalLimits = (station: string, parameter: string) => readonly LimitTerms[]

const NO_LAW: LegalLimits = () => []

/** What `rules.yaml` holds, checked in its shape and then in what it says. */
export function readRules(raw: unknown, stations: readonly Station[], legal: LegalLimits = NO_LAW): CompileResult {
  const parsed = AlarmRules.safeParse(raw)
  if (parsed.success) return compileRules(parsed.data, stations, legal)
  return { ok: false, problems: parsed.error.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`) }
}

/** Holds the rules against the model and the registry and reports everything that is wrong with them, one line each. */
export function compileRules(config: AlarmRules, stations: readonly Station[], legal: LegalLimits = NO_LAW): CompileResult {
  const problems: string[] = []
  const silences: Applicable[] = [{ rule: DEFAULT_SILENCE, stations }]
  const limits: RuleTerms['limits'][number][] = []
  const seen = new Set<string>()
  for (const rule of config.rules) {
    const report: Report = problem => problems.push(`rule '${rule.id}': ${problem}`)
    if (seen.has(rule.id)) report('the id stands twice')
    seen.add(rule.id)
    const chosen = choose(rule, stations, report)
    if (isSilence(rule)) silences.push({ rule, stations: chosen })
    else {
      limits.push(...appliedTo(thoseMeasuring(rule, chosen, report), rule, { legal, report }))
    }
  }
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, rules: new CompiledRules({ limits, silences: silenceTerms(silences) }) }
}

type Applied = RuleTerms['limits'][number]

function appliedTo(measuring: readonly Station[], rule: LimitRule, { legal, report }: { legal: LegalLimits; report: Report }): Applied[] {
  if (rule.limit === 'permit') {
    checkPermitRule(rule, report)
    return measuring.flatMap(({ code }) => legal(code, rule.parameter).map(terms => ({ terms: legalTerms(rule, terms), stations: [code] })))
  }
  const terms = limitTerms(rule, report)
  return terms ? [{ terms, stations: measuring.map(station => station.code) }] : []
}

/** Of several levels each is a rule to itself: `flood-bd2`. */
const legalTerms = (rule: LimitRule, terms: LimitTerms): RuleLimitTerms => {
  const { parameter, unit, high, low, reached, bands, source, severity, level, validFrom, validTo } = terms
  const id = level === undefined ? rule.id : `${rule.id}-${level}`
  const { k, n } = rule.consecutive
  return { rule: id, parameter, unit, high, low, reached, bands, k, n, deadband: rule.deadband, source, severity, validFrom, validTo }
}

function checkPermitRule(rule: LimitRule, report: Report): void {
  if (!findParameter(rule.parameter)) report(unknownParameter(rule.parameter))
  const own = (['high', 'low', 'unit', 'bands', 'source', 'severity', 'validFrom', 'validTo'] as const).filter(
    key => rule[key] !== undefined
  )
  if (own.length > 0) report(`limit: permit takes its limits from the law; leave out ${own.join(', ')}`)
  if (rule.reached) report('limit: permit takes its limits from the law; leave out reached')
  checkRun(rule, report)
}

const unknownParameter = (code: string): string => `unknown parameter '${code}'; known are ${PARAMETERS.map(p => p.code).join(', ')}`

function checkRun({ consecutive }: LimitRule, report: Report): void {
  if (consecutive.k > consecutive.n) report(`k ${consecutive.k} of n ${consecutive.n} can never be: k must be at most n`)
}

const BANDS = { tendency: 0.8, preparing: 0.9 }

/** The stations that a rule names, or that its profile or kind names. */
function choose(rule: Rule, stations: readonly Station[], report: Report): readonly Station[] {
  const named = [rule.stations, rule.profile, rule.kinds].filter(selector => selector !== undefined).length
  if (named > 1) report('stations, profile and kinds exclude one another: name one of them')
  if (named === 0 && !isSilence(rule)) report('to whom does it apply? Name stations, a profile or kinds')
  for (const code of rule.stations ?? []) if (!stations.some(station => station.code === code)) report(`unknown station '${code}'`)
  if (rule.profile !== undefined && !stations.some(station => station.profile === rule.profile))
    report(`no station has the profile '${rule.profile}'`)
  if (rule.stations) return stations.filter(station => rule.stations?.includes(station.code))
  if (rule.profile !== undefined) return stations.filter(station => station.profile === rule.profile)
  return rule.kinds ? stations.filter(station => rule.kinds?.includes(station.kind)) : stations
}

/** A station named outright must measure the parameter; one chosen by profile or kind may lack it. */
function thoseMeasuring(rule: LimitRule, chosen: readonly Station[], report: Report): readonly Station[] {
  const measuring = chosen.filter(station => station.parameters.includes(rule.parameter))
  const lacking = chosen.filter(station => !measuring.includes(station))
  if (rule.stations && findParameter(rule.parameter))
    for (const station of lacking) report(`station ${station.code} does not measure ${rule.parameter}`)
  return measuring
}

function limitTerms(rule: LimitRule, report: Report): RuleLimitTerms | undefined {
  const parameter = findParameter(rule.parameter)
  if (!parameter) report(unknownParameter(rule.parameter))
  checkNumbers(rule, report)
  if (rule.source === undefined) report('it has no source: where does the limit come from?')
  const validFrom = instantOf(rule.validFrom, 'validFrom', report)
  const validTo = instantOf(rule.validTo, 'validTo', report)
  if (validFrom !== null && validTo !== null && validFrom >= validTo) report('it ends before it begins: validTo must lie after validFrom')
  if (!parameter) return undefined
  return {
    rule: rule.id,
    parameter: parameter.code,
    unit: parameter.unit,
    high: inUnitOf(parameter, rule, 'high', report),
    low: inUnitOf(parameter, rule, 'low', report),
    reached: rule.reached,
    bands: rule.bands === 'none' ? null : (rule.bands ?? BANDS),
    k: rule.consecutive.k,
    n: rule.consecutive.n,
    deadband: rule.deadband,
    source: rule.source ?? '',
    severity: rule.severity ?? null,
    validFrom,
    validTo
  }
}

function checkNumbers(rule: LimitRule, report: Report): void {
  const { high, low, bands } = rule
  if (high === undefined && low === undefined) report('it has neither a high nor a low limit')
  if (high !== undefined && low !== undefined && low >= high) report(`low ${low} is not below high ${high}`)
  if (bands !== undefined && bands !== 'none' && bands.tendency >= bands.preparing)
    report(`tendency ${bands.tendency} must begin before preparing ${bands.preparing}`)
  checkRun(rule, report)
}

function inUnitOf(parameter: Parameter, rule: LimitRule, side: 'high' | 'low', report: Report): number | null {
  const limit = rule[side]
  if (limit === undefined) return null
  const unit = rule.unit === undefined ? undefined : canonicalUnit(rule.unit)
  const value = unit === undefined ? undefined : valueIn(limit, unit, parameter.unit)
  if (value === undefined)
    report(`${side} ${limit} '${rule.unit ?? ''}' cannot be converted into ${parameter.unit}, the unit of ${parameter.code}`)
  return value ?? null
}

/** A day of the calendar begins at 00:00 UTC+7. */
function instantOf(text: string | undefined, field: string, report: Report): Millis | null {
  if (text === undefined) return null
  const at = parseDayOrInstant(text)
  if (at === undefined) report(`${field} '${text}' is neither a day such as 2026-01-01 nor an RFC 3339 instant`)
  return at ?? null
}

interface Applicable {
  readonly rule: SilenceRule
  readonly stations: readonly Station[]
}

/** One rule for each station: the more closely it names the station the stronger, and of equals the one that stands later. */
function silenceTerms(silences: readonly Applicable[]): RuleTerms['silences'] {
  const closeness = ({ rule }: Applicable) => (rule.stations ? 3 : rule.profile !== undefined ? 2 : rule.kinds ? 1 : 0)
  const strongestLast = [...silences].sort((a, b) => closeness(a) - closeness(b))
  return strongestLast.map(({ rule, stations }) => ({
    terms: { rule: rule.id, after: durationOf(rule.silence) },
    stations: stations.map(station => station.code)
  }))
}
