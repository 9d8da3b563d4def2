import { describe, expect, it } from '@jest/globals'
import type { FleetStation } from './fleet-station.js'
import { checkScenario, loadScenario, parseScenario, ScenarioError } from './scenario.js'

const station: FleetStation = {
  code: 'AG-T1',
  kind: 'wastewater',
  dialect: 'quantrac-json',
  zoneless: false,
  textNumbers: false,
  parameters: [{ code: 'COD', unit: 'mg/L', decimals: 1, min: 0, max: 500 }]
}

const HEAD = 'name: t\nseed: 1\neveryMs: 100\n'

function problems(work: () => unknown): readonly string[] {
  try {
    work()
  } catch (error) {
    if (error instanceof ScenarioError) return error.problems
    throw error
  }
  return []
}

const shapeProblems = (text: string): readonly string[] => problems(() => parseScenario(text, 'file'))
const registryProblems = (stations: string): readonly string[] =>
  problems(() => checkScenario(parseScenario(`${HEAD}${stations}`, 'file'), [station], 'file'))

describe('a scenario', () => {
  it('fills in what is ordinary', () => {
    expect(parseScenario(`${HEAD}stations:\n  AG-T1: { batch: 3 }`, 'file')).toMatchObject({
      capacity: 10_000,
      stations: { 'AG-T1': { batch: 3, happenings: [], clockErrorMs: 0, gapShare: 0 } }
    })
  })

  it('is refused with every problem of its shape at once', () => {
    const wrong = `name: ''\nseed: 1.5\nstations:
  AG-T1:
    gapShare: 2
    happenings:
      - { kind: excess, parameter: COD, to: 1, startS: 0, forS: 3, rampS: 2 }
      - { kind: outage, startS: 0, forS: 60, everyS: 60 }
      - { kind: bad-unit, parameter: COD, unit: g/L, startS: 0, forS: 1 }
      - { kind: flood, startS: 0, forS: 1 }
  lower: {}
extra: 1`
    const found = shapeProblems(wrong).join('\n')
    for (const words of [
      'name:',
      'seed:',
      'everyMs:',
      'gapShare',
      'happenings.0: forS must hold rampS twice',
      'happenings.1: everyS must be longer',
      'known unit',
      'happenings.3',
      'lower',
      'extra'
    ]) {
      expect(found).toContain(words)
    }
  })

  it('is refused when it is no YAML, or not there', () => {
    expect(shapeProblems('a: [')).toHaveLength(1)
    expect(problems(() => loadScenario('/nowhere/at/all.yaml', [station]))[0]).toMatch(/ENOENT/)
  })

  it('is held against the registry: stations, parameters and what the sensor can show', () => {
    const found = registryProblems(`stations:
  AG-T2: {}
  AG-T1:
    levels: { pH: 7, COD: 501 }
    happenings:
      - { kind: excess, parameter: COD, to: 600, startS: 0, forS: 1 }
      - { kind: fault, parameter: Flow, startS: 0, forS: 1 }
      - { kind: calibration, startS: 0, forS: 1 }`)
    expect(found).toEqual([
      'stations.AG-T2: no such station in the registry',
      "stations.AG-T1.levels: AG-T1 does not measure 'pH'",
      "stations.AG-T1.levels: 501 is outside the sensor's 0 to 500 mg/L",
      "stations.AG-T1.happenings.0: 600 is outside the sensor's 0 to 500 mg/L",
      "stations.AG-T1.happenings.1: AG-T1 does not measure 'Flow'"
    ])
  })
})
