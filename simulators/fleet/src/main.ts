import { createInterface } from 'node:readline'
import { formatInstant } from '#libs/model'
import { loadRegistry } from '#libs/platform'
import { Fleet } from './fleet.js'
import { type FleetStation, fleetStation } from './fleet-station.js'
import { type Instructions, parseInstructions } from './instructions.js'
import { loadScenario, ScenarioError } from './scenario.js'

const STATS_MS = 10_000

const say = (event: string, fields: object): void => {
  process.stdout.write(`${JSON.stringify({ at: formatInstant(Date.now()), event, ...fields })}\n`)
}

/** The stations to play, with their secrets. Throws ScenarioError for those that the registry does not have. */
async function cast(instructions: Instructions): Promise<(FleetStation & { readonly secret: string })[]> {
  const registry = await loadRegistry(instructions.registryDir, instructions.devicesDir)
  const known = new Map(registry.stations.map(station => [station.code, station]))
  const missing = instructions.stations.filter(({ code }) => !known.has(code))
  if (missing.length > 0)
    throw new ScenarioError(
      'the instructions',
      missing.map(({ code }) => `stations: ${code} is not in the registry`)
    )
  return [...known.values()].flatMap(station => {
    const told = instructions.stations.find(({ code }) => code === station.code)
    const profile = registry.profiles.get(station.profile)
    return told && profile ? [{ ...fleetStation(station, profile.profile), secret: told.secret }] : []
  })
}

async function open(line: string): Promise<Fleet> {
  const instructions = parseInstructions(line)
  const stations = await cast(instructions)
  const scenario = loadScenario(instructions.scenario, stations)
  const fleet = new Fleet(
    { url: instructions.url, scenario, stations, clock: Date.now },
    { event: (station, what, detail) => say(what, detail === undefined ? { station } : { station, detail }) }
  )
  say('started', { scenario: scenario.name, stations: stations.length, everyMs: scenario.everyMs })
  return fleet
}

/** Plays the scenario until standard input ends or a signal comes. */
async function run(lines: AsyncIterator<string>): Promise<void> {
  const first = await lines.next()
  const fleet = await open(first.done === true ? '' : first.value)
  fleet.start()
  const stats = setInterval(() => say('stats', fleet.counts()), STATS_MS)
  await Promise.race([lines.next(), signal('SIGTERM'), signal('SIGINT')])
  clearInterval(stats)
  await fleet.stop()
  say('stopped', { ...fleet.counts(), series: fleet.acknowledged() })
}

const signal = (name: NodeJS.Signals): Promise<void> => new Promise(resolve => process.once(name, () => resolve()))

const input = createInterface({ input: process.stdin })
try {
  await run(input[Symbol.asyncIterator]())
} catch (error) {
  process.stderr.write(
    `${error instanceof Error && 'code' in error ? `${String(error.code)}: ` : ''}${error instanceof Error ? error.message : String(error)}\n`
  )
  process.exitCode = 2
} finally {
  input.close()
  process.stdin.destroy()
}
