import { describe, expect, it } from '@jest/globals'
import { HOUR, MINUTE } from '#libs/model'
import { readQuality } from './compile.js'
import type { Plan } from './plan.js'
import { reach } from './plan.js'

const sensor = (code: string, unit: string, max: number) => ({ code, unit, span: { min: 0, max } })
const outlet = {
  name: 'outlet',
  intervalMillis: 5 * MINUTE,
  parameters: [sensor('COD', 'mg/L', 1_000), sensor('BOD5', 'mg/L', 500), sensor('Flow', 'm3/h', 2_000), sensor('pH', '-', 14)]
}
const stations = [
  { code: 'AG-001', profile: 'outlet' },
  { code: 'AG-002', profile: 'outlet' }
]
const bodBelowCod = { id: 'bod-below-cod', lessThan: { lesser: 'BOD5', greater: 'COD' } }
const still = { id: 'still', stillFlow: { flow: 'Flow', within: 0.1, parameter: 'COD', change: 20, window: '2h' } }

const ofProfile = (quality: unknown): unknown => ({ profiles: { outlet: quality } })
const ofCod = (tests: unknown): unknown => ofProfile({ parameters: { COD: tests } })

function plan(raw: unknown, station = 'AG-001', parameter = 'COD'): Plan | undefined {
  const result = readQuality(raw, [outlet], stations)
  if (!result.ok) throw new Error(result.problems.join('\n'))
  return result.planOf(station, parameter)
}

function problems(raw: unknown): readonly string[] {
  const result = readQuality(raw, [outlet], stations)
  return result.ok ? [] : result.problems
}

describe('thresholds', () => {
  it('are off until they are set', () => {
    expect(plan({})).toBeUndefined()
    expect(plan(ofProfile({}))).toBeUndefined()
    expect(plan(ofCod({ spike: { suspect: 3 } }), 'AG-001', 'pH')).toBeUndefined()
    expect(plan(ofCod({ spike: { suspect: 3 } }), 'AG-009')).toBeUndefined()
  })

  it('become a plan in milliseconds, seconds and steps', () => {
    const tests = {
      grossRange: { suspect: [5, 500] },
      climatology: [{ months: [11, 12], span: [10, 200], fail: [0, 400] }],
      spike: { suspect: 40, fail: 120 },
      rateOfChange: { perHour: 36 },
      flatLine: { suspect: '20m', fail: 6 },
      attenuated: { window: '12h', suspect: 0.5, type: 'range' }
    }
    expect(plan(ofCod(tests))).toEqual({
      parameter: 'COD',
      unit: 'mg/L',
      every: 5 * MINUTE,
      maxStep: 15 * MINUTE,
      grossRange: { fail: [0, 1_000], suspect: [5, 500] },
      climatology: [
        { period: 'month', time: [11, 11], span: [10, 200], fail: [0, 400] },
        { period: 'month', time: [12, 12], span: [10, 200], fail: [0, 400] }
      ],
      spike: { suspect: 40, fail: 120, method: 'average' },
      rateOfChange: { suspect: 0.01, fail: undefined },
      flatLine: { suspect: 4, fail: 6, tolerance: Number.MIN_VALUE },
      attenuated: { window: 12 * HOUR, suspect: 0.5, fail: 0, type: 'range', minPoints: 72 },
      rules: []
    })
  })

  it('take the manual’s 25 hours where a rate is given in deviations', () => {
    const sigmas = plan(ofCod({ rateOfChange: { sigmas: 3 } }))
    expect(sigmas?.rateOfChangeSigmas).toEqual({ sigmas: 3, window: 25 * HOUR, minPoints: 12 })
    expect(sigmas?.rateOfChange).toBeUndefined()
    expect(sigmas && reach(sigmas).before).toBe(25 * HOUR)
  })

  it('have a longest step in intervals or as a time', () => {
    const parameters = { COD: { spike: { fail: 1 } } }
    expect(plan(ofProfile({ maxStep: 2, parameters }))?.maxStep).toBe(10 * MINUTE)
    expect(plan(ofProfile({ maxStep: '1h', parameters }))?.maxStep).toBe(HOUR)
    expect(problems(ofProfile({ maxStep: '1m', parameters }))).toEqual([
      "profile 'outlet': maxStep is shorter than the interval of profile 'outlet'"
    ])
  })

  it('of a station take the place of the profile’s, test by test', () => {
    const raw = {
      profiles: { outlet: { parameters: { COD: { spike: { suspect: 40, fail: 120 }, rateOfChange: { perHour: 36 } } } } },
      stations: { 'AG-001': { parameters: { COD: { spike: { fail: 9 }, rateOfChange: 'off' }, pH: { flatLine: { fail: 3 } } } } }
    }
    expect(plan(raw)).toMatchObject({ spike: { fail: 9 } })
    expect(plan(raw)?.rateOfChange).toBeUndefined()
    expect(plan(raw)?.spike?.suspect).toBeUndefined()
    expect(plan(raw, 'AG-001', 'pH')?.flatLine).toEqual({ suspect: Number.POSITIVE_INFINITY, fail: 3, tolerance: Number.MIN_VALUE })
    expect(plan(raw, 'AG-002')).toMatchObject({ spike: { suspect: 40 }, rateOfChange: { suspect: 0.01 } })
  })

  it('come with rules over two series, for each of the two', () => {
    const raw = {
      profiles: { outlet: { rules: [bodBelowCod, still] } },
      stations: {
        'AG-002': {
          rules: [
            { id: 'still', off: true },
            { ...bodBelowCod, lessThan: { ...bodBelowCod.lessThan, margin: 2 } }
          ]
        }
      }
    }
    const less = { id: 'bod-below-cod', kind: 'less-than', lesser: 'BOD5', greater: 'COD', margin: 0 }
    const flow = {
      id: 'still',
      kind: 'still-flow',
      flow: 'Flow',
      parameter: 'COD',
      within: 0.1,
      change: 20,
      window: 2 * HOUR,
      minPoints: 3
    }
    expect(plan(raw)?.rules).toEqual([less, flow])
    expect(plan(raw, 'AG-001', 'BOD5')?.rules).toEqual([less])
    expect(plan(raw, 'AG-001', 'Flow')?.rules).toEqual([flow])
    expect(plan(raw, 'AG-002')?.rules).toEqual([{ ...less, margin: 2 }])
    expect(plan(raw, 'AG-002', 'Flow')).toBeUndefined()
  })
})

describe('mistakes are reported in words', () => {
  it.each([
    [{ COD: { spike: {} } }, 'profiles.outlet.parameters.COD.spike: give suspect, fail or both'],
    [{ COD: { spike: { suspect: 3, fail: 2 } } }, 'profiles.outlet.parameters.COD.spike: suspect must not be above fail'],
    [{ COD: { rateOfChange: { perHour: 3, sigmas: 3 } } }, 'profiles.outlet.parameters.COD.rateOfChange: give perHour or sigmas'],
    [{ COD: { rateOfChange: {} } }, 'profiles.outlet.parameters.COD.rateOfChange: give perHour or sigmas'],
    [
      { COD: { rateOfChange: { sigmas: 3, failPerHour: 9 } } },
      'profiles.outlet.parameters.COD.rateOfChange: failPerHour goes with perHour'
    ],
    [
      { COD: { rateOfChange: { perHour: 3, failPerHour: 2 } } },
      'profiles.outlet.parameters.COD.rateOfChange: perHour must not be above failPerHour'
    ],
    [
      { COD: { rateOfChange: { perHour: 3, window: '9h' } } },
      'profiles.outlet.parameters.COD.rateOfChange: window and minPoints go with sigmas'
    ],
    [{ COD: { flatLine: { fail: '20 min' } } }, 'profiles.outlet.parameters.COD.flatLine.fail: a time span looks like 15m'],
    [{ COD: { grossRange: { suspect: [9, 1] } } }, 'profiles.outlet.parameters.COD.grossRange.suspect: a span is [least, greatest]'],
    [
      { COD: { climatology: [{ months: [1], span: [0, 9], fail: [1, 9] }] } },
      'profiles.outlet.parameters.COD.climatology.0: the span must lie within fail'
    ],
    [
      {
        COD: {
          climatology: [
            { months: [1, 2], span: [0, 9] },
            { months: [2], span: [0, 9] }
          ]
        }
      },
      'profiles.outlet.parameters.COD.climatology: a month may stand in one season only'
    ],
    [
      { COD: { attenuated: { window: '1h', suspect: 1, fail: 2 } } },
      'profiles.outlet.parameters.COD.attenuated: fail must not be above suspect'
    ],
    [
      { COD: { grossRange: { suspect: [0, 1_001] } } },
      "profile 'outlet': COD: grossRange: the suspect span 0..1001 reaches outside the sensor's, 0..1000 mg/L"
    ],
    [{ COD: { flatLine: { fail: '4m' } } }, "profile 'outlet': COD: flatLine: shorter than the interval between two readings"],
    [{ COD: { flatLine: { suspect: 6, fail: '20m' } } }, "profile 'outlet': COD: flatLine: suspect must not be longer than fail"],
    [{ COD: { attenuated: { window: '9m', suspect: 1 } } }, "profile 'outlet': COD: attenuated: the window is shorter than two intervals"],
    [{ Salinity: { spike: { fail: 1 } } }, "profile 'outlet': Salinity is not measured by profile 'outlet'"]
  ])('%j', (parameters, problem) => {
    expect(problems(ofProfile({ parameters }))).toEqual([problem])
  })

  it.each([
    [{ ...bodBelowCod, id: 'spike' }, "profile 'outlet': rule 'spike' has the name of a test"],
    [{ id: 'a', lessThan: { lesser: 'TSS', greater: 'COD' } }, "profile 'outlet': rule 'a': TSS is not measured"],
    [{ id: 'a', lessThan: { lesser: 'pH', greater: 'COD' } }, "profile 'outlet': rule 'a': pH is in -, COD in mg/L"],
    [{ id: 'a', lessThan: { lesser: 'COD', greater: 'COD' } }, "profile 'outlet': rule 'a': holds COD against itself"],
    [
      { ...still, stillFlow: { ...still.stillFlow, change: 0 } },
      'profiles.outlet.rules.0.stillFlow.change: Too small: expected number to be >0'
    ]
  ])('%j', (rule, problem) => {
    expect(problems(ofProfile({ rules: [rule] }))).toEqual([problem])
  })

  it('whoever is meant', () => {
    expect(problems({ profiles: { inlet: {} } })).toEqual(["profile 'inlet': there is no such device profile"])
    expect(problems({ stations: { 'AG-009': {} } })).toEqual(["station 'AG-009': there is no such station"])
    expect(problems({ stations: { 'AG-001': { rules: [{ id: 'a', off: true }] } } })).toEqual([
      "station 'AG-001': there is no rule 'a' to take away"
    ])
    expect(problems({ stations: { 'AG-001': { parameters: { COD: { spike: { fail: -1 } } } } } })).toEqual([
      'stations.AG-001.parameters.COD.spike.fail: Too small: expected number to be >0'
    ])
    expect(problems(ofProfile({ rules: [still, still] }))).toEqual(['profiles.outlet.rules: a rule id stands twice'])
    const nine = Array.from({ length: 9 }, (_, n) => ({ ...bodBelowCod, id: `rule-${n}` }))
    expect(problems(ofProfile({ rules: nine }))).toEqual([
      "profile 'outlet': COD: more than 8 rules",
      "profile 'outlet': BOD5: more than 8 rules"
    ])
  })
})
