import { beforeAll, describe, expect, it } from '@jest/globals'
import { type AlarmTransition, Engine } from '#libs/alarms'
import { DAY, MINUTE, type Millis, SECOND, type Station } from '#libs/model'
import { readStandards, type Standards } from '#libs/pipeline'
import { loadRegistry, type Registry } from '#libs/platform'
import { type CompiledProfile, decodeReadings } from '#libs/wire'
import { encodeSamples } from '../../station/src/payload.js'
import { StationModel } from '../../station/src/station-model.js'
import { type FleetStation, fleetStation } from './fleet-station.js'
import { loadScenario, ORDINARY, type Scenario } from './scenario.js'

const ORIGIN = Date.UTC(2026, 10, 24, 3)
const STEP = 2 * SECOND

interface Played {
  readonly transitions: readonly AlarmTransition[]
  readonly refused: readonly string[]
  readonly statuses: ReadonlySet<string>
  readonly heard: ReadonlySet<string>
}

const CALM: ReadonlySet<string> = new Set(['within', 'no-limit', 'not-evaluated'])

describe('the demo scenario', () => {
  let registry: Registry
  let standards: Standards
  let scenario: Scenario
  let cast: { station: Station; profile: CompiledProfile; fleet: FleetStation }[]

  beforeAll(async () => {
    registry = await loadRegistry('devices/registry', 'devices')
    cast = registry.stations.map(station => {
      const profile = registry.profiles.get(station.profile) as CompiledProfile
      return { station, profile, fleet: fleetStation(station, profile.profile) }
    })
    scenario = loadScenario(
      'simulators/scenarios/demo.yaml',
      cast.map(({ fleet }) => fleet)
    )
    const read = readStandards(registry, registry.stations)
    if (!read.ok) throw new Error(read.problems.join('\n'))
    standards = read.standards
  })

  const modelOf = ({ code, kind, parameters }: FleetStation, peculiar = scenario.stations[code] ?? ORDINARY): StationModel =>
    new StationModel({ ...peculiar, station: code, kind, parameters, seed: scenario.seed, origin: ORIGIN, clockStepMs: 1 })

  /** The path of every message of the scenario's first seconds: model, payload, decoder, alarm engine. */
  function play(seconds: number): Played {
    const engine = new Engine(standards.rules)
    const transitions: AlarmTransition[] = []
    const refused: string[] = []
    const statuses = new Set<string>()
    const heard = new Set<string>()
    let sequence = 0
    const models = cast.map(member => ({ ...member, model: modelOf(member.fleet) }))
    for (let now = ORIGIN; now < ORIGIN + seconds * SECOND; now += STEP) {
      for (const { station, profile, fleet, model } of models) {
        const sample = model.sample(now)
        if (!sample) continue
        const payload = Buffer.from(encodeSamples([sample], sequence, { ...fleet, station: station.code }))
        const decoded = decodeReadings(profile, station, payload, { receivedAt: now, road: 'mqtt' })
        if (!decoded.ok) throw new Error(`${station.code}: ${decoded.refusal.reason}`)
        refused.push(...decoded.refused.map(({ reason }) => `${station.code} ${reason}`))
        for (const { status } of decoded.readings) statuses.add(status)
        heard.add(station.code)
        transitions.push(...engine.apply(++sequence, { station: station.code, receivedAt: now, readings: decoded.readings }))
      }
    }
    return { transitions, refused, statuses, heard }
  }

  const seconds = (at: Millis): number => (at - ORIGIN) / SECOND

  it('plays every station of the registry', () => {
    expect(play(10).heard.size).toBe(registry.stations.length)
    expect(registry.stations.length).toBeGreaterThanOrEqual(16)
  })

  it('raises one alarm within 25 seconds and clears it within 60', () => {
    const { transitions } = play(60)
    const raised = transitions.filter(({ kind }) => kind === 'raised')
    const cleared = transitions.filter(({ kind }) => kind === 'cleared')
    expect(raised.map(({ alarm }) => `${alarm.station}/${alarm.parameter}`)).toEqual(['AG-KCN-BINHHOA-01/COD'])
    expect(seconds(raised[0]?.at as Millis)).toBeLessThanOrEqual(25)
    expect(cleared.map(({ alarm }) => [alarm.id, alarm.severity])).toEqual([[raised[0]?.alarm.id, 'exceeds']])
    expect(seconds(cleared[0]?.at as Millis)).toBeLessThan(50)
  })

  it('does the same again every 5 minutes and raises no other alarm: calibration, fault and back-fill are none', () => {
    const { transitions, refused, statuses } = play(900)
    expect(transitions.filter(({ kind }) => kind === 'raised').map(({ alarm }) => alarm.station)).toEqual(
      Array(3).fill('AG-KCN-BINHHOA-01')
    )
    expect(statuses).toEqual(new Set(['00', '01', '02']))
    expect(refused).toEqual(Array(15).fill('AG-KCN-THANHLOC-01 unknown-unit'))
  })

  it('keeps every quantity within its limits as long as nothing happens, whatever the hour', () => {
    const found: string[] = []
    for (const { fleet } of cast) {
      const model = modelOf(fleet, { ...(scenario.stations[fleet.code] ?? ORDINARY), happenings: [] })
      for (let now = ORIGIN; now < ORIGIN + 3 * DAY; now += 10 * MINUTE) {
        for (const { parameter, value, unit } of model.sample(now)?.values ?? []) {
          const asked = { station: fleet.code, parameter, at: now, value, unit }
          // What is sound as a reading is sound as any mean.
          for (const window of ['reading', 'hour', 'day'] as const) {
            const { verdict } = standards.judge({ ...asked, window })
            if (!CALM.has(verdict)) found.push(`${fleet.code}/${parameter} ${value} ${verdict}`)
          }
        }
      }
    }
    expect(found).toEqual([])
  })
})
