import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'
import { canonicalUnit, STATION_CODE } from '#libs/model'
import type { FleetStation } from './fleet-station.js'

/** A scenario, or the fleet's instructions, that cannot be used. The message names every problem. */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError'
  readonly code = 'QT_SIM_SCENARIO'
  readonly problems: readonly string[]

  constructor(what: string, problems: readonly string[]) {
    super(`${what} cannot be used:\n${problems.map(problem => `  ${problem}`).join('\n')}`)
    this.problems = problems
  }
}

const seconds = z
  .number()
  .min(0)
  .max(86_400 * 366)
const when = { startS: seconds, forS: seconds.refine(s => s > 0, 'must last'), everyS: seconds.optional() }
const parameter = z.string().min(1)

const Happening = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('excess'), ...when, parameter, to: z.number(), rampS: seconds.default(0) }),
    z.strictObject({ kind: z.literal('calibration'), ...when, parameter: parameter.optional() }),
    z.strictObject({ kind: z.literal('fault'), ...when, parameter: parameter.optional() }),
    z.strictObject({ kind: z.literal('gap'), ...when }),
    z.strictObject({ kind: z.literal('outage'), ...when }),
    z.strictObject({ kind: z.literal('bad-unit'), ...when, parameter, unit: z.string() })
  ])
  .superRefine((happening, context) => {
    const problem = (message: string) => context.addIssue({ code: 'custom', message })
    if (happening.everyS !== undefined && happening.everyS <= happening.forS) problem('everyS must be longer than forS')
    if (happening.kind === 'excess' && happening.rampS * 2 > happening.forS) problem('forS must hold rampS twice, up and down')
    if (happening.kind === 'bad-unit' && canonicalUnit(happening.unit) !== undefined)
      problem(`'${happening.unit}' is a known unit and would be accepted`)
  })

const Peculiarity = z.strictObject({
  happenings: z.array(Happening).max(100).default([]),
  levels: z.record(z.string(), z.number()).default({}),
  clockErrorMs: z.number().min(-86_400_000).max(86_400_000).default(0),
  clockGainMsPerDay: z.number().min(-3_600_000).max(3_600_000).default(0),
  gapShare: z.number().min(0).max(1).default(0),
  batch: z.int().min(1).max(1_000).default(1)
})
export type Peculiarity = z.infer<typeof Peculiarity>

export const ORDINARY: Peculiarity = Peculiarity.parse({})

/** A scenario file: what a fleet does. Every station of the registry takes part; `stations` says what is peculiar to some. */
const Scenario = z.strictObject({
  name: z.string().min(1),
  /** The same seed gives the same values. */
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1),
  everyMs: z.int().min(50).max(3_600_000),
  /** Messages that a device keeps while it has no line. */
  capacity: z.int().min(1).max(100_000).default(10_000),
  stations: z.record(z.string().regex(STATION_CODE, 'no station code'), Peculiarity).default({})
})
export type Scenario = z.infer<typeof Scenario>

/** Throws ScenarioError with every problem of the text's shape. */
export function parseScenario(text: string, name: string): Scenario {
  let raw: unknown
  try {
    raw = parse(text)
  } catch (error) {
    throw new ScenarioError(name, [error instanceof Error ? error.message : String(error)])
  }
  const parsed = Scenario.safeParse(raw)
  if (parsed.success) return parsed.data
  throw new ScenarioError(
    name,
    parsed.error.issues.map(issue => `${issue.path.join('.') || '(whole)'}: ${issue.message}`)
  )
}

/** Throws ScenarioError with every station, parameter and value that the registry does not have. */
export function checkScenario(scenario: Scenario, stations: readonly FleetStation[], name: string): void {
  const problems = Object.entries(scenario.stations).flatMap(([code, peculiarity]) => {
    const station = stations.find(s => s.code === code)
    return station ? peculiarityProblems(code, peculiarity, station) : [`stations.${code}: no such station in the registry`]
  })
  if (problems.length > 0) throw new ScenarioError(name, problems)
}

function peculiarityProblems(code: string, peculiarity: Peculiarity, station: FleetStation): string[] {
  const named = Object.keys(peculiarity.levels).map(parameter => ({
    where: `stations.${code}.levels`,
    parameter,
    to: peculiarity.levels[parameter]
  }))
  const happening = peculiarity.happenings.flatMap((h, index) =>
    'parameter' in h && h.parameter !== undefined
      ? [{ where: `stations.${code}.happenings.${index}`, parameter: h.parameter, to: h.kind === 'excess' ? h.to : undefined }]
      : []
  )
  return [...named, ...happening].flatMap(({ where, parameter, to }) => {
    const measured = station.parameters.find(p => p.code === parameter)
    if (!measured) return [`${where}: ${code} does not measure '${parameter}'`]
    const inside = to === undefined || (to >= measured.min && to <= measured.max)
    return inside ? [] : [`${where}: ${to} is outside the sensor's ${measured.min} to ${measured.max} ${measured.unit}`]
  })
}

/** Reads and checks a scenario file. Throws ScenarioError. */
export function loadScenario(path: string, stations: readonly FleetStation[]): Scenario {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new ScenarioError(path, [error instanceof Error ? error.message : String(error)])
  }
  const scenario = parseScenario(text, path)
  checkScenario(scenario, stations, path)
  return scenario
}
