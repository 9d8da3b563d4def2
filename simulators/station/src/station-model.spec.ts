import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { DAY, HOUR, MINUTE, PARAMETERS, SECOND, STATION_KINDS } from '#libs/model'
import { behaviourOf } from './behaviour.js'
import type { Happening } from './occasion.js'
import { M2, type ModelOptions, type ModelParameter, StationModel, type Value } from './station-model.js'

const ORIGIN = Date.UTC(2026, 10, 24, 3)
const parameter = (code: string, unit: string, min: number, max: number): ModelParameter => ({ code, unit, min, max, decimals: 2 })
const COD = parameter('COD', 'mg/L', 0, 300)
const PH = parameter('pH', '-', 0, 14)

const options = (changes: Partial<ModelOptions> = {}): ModelOptions => ({
  station: 'AG-T1',
  kind: 'wastewater',
  parameters: [COD, PH],
  seed: 7,
  origin: ORIGIN,
  happenings: [],
  clockErrorMs: 0,
  clockGainMsPerDay: 0,
  clockStepMs: 1,
  gapShare: 0,
  levels: {},
  ...changes
})

/** The value of one parameter at seconds after the origin. */
const at = (model: StationModel, seconds: number, code = 'COD'): Value =>
  model.sample(ORIGIN + seconds * SECOND)?.values.find(v => v.parameter === code) as Value

const seconds = fc.integer({ min: -365 * 86_400, max: 365 * 86_400 })
const known = PARAMETERS.map(p => parameter(p.code, p.unit, p.possible.min, p.possible.max))

describe('StationModel', () => {
  it('gives the same sample for the same instant, whatever was asked before', () => {
    const asked = new StationModel(options({ gapShare: 0.1 }))
    fc.assert(
      fc.property(seconds, s => {
        expect(asked.sample(ORIGIN + s * SECOND)).toEqual(new StationModel(options({ gapShare: 0.1 })).sample(ORIGIN + s * SECOND))
      })
    )
  })

  it('gives other values for another seed and for another station', () => {
    const base = at(new StationModel(options()), 0).value
    expect(at(new StationModel(options({ seed: 8 })), 0).value).not.toBe(base)
    expect(at(new StationModel(options({ station: 'AG-T2' })), 0).value).not.toBe(base)
  })

  it.each(STATION_KINDS)('keeps every quantity of a %s station possible and near its level', kind => {
    const model = new StationModel(options({ kind, parameters: known }))
    fc.assert(
      fc.property(seconds, s => {
        const strays = model.sample(ORIGIN + s * SECOND)?.values.filter(({ parameter, value }, index) => {
          const { level, daily, tide, drift, noise } = behaviourOf(kind, parameter)
          const { min, max } = known[index] as ModelParameter
          const far = parameter !== 'Rain' && Math.abs(value - level) > daily + tide + drift + noise + 0.01
          return far || value < min || value > max
        })
        expect(strays).toEqual([])
      })
    )
  })

  it('moves with the tide at a gauge: one high water in each 12.42 hours', () => {
    const level = parameter('WaterLevel', 'm', -20, 100)
    const model = new StationModel(options({ kind: 'hydrology', parameters: [level] }))
    const curve = Array.from({ length: 200 }, (_, i) => at(model, (i * 4 * M2) / 200 / SECOND, 'WaterLevel').value)
    const mean = curve.reduce((a, b) => a + b) / curve.length
    const rises = curve.filter((value, i) => i > 0 && value >= mean && (curve[i - 1] as number) < mean).length
    expect(rises).toBeGreaterThanOrEqual(3)
    expect(rises).toBeLessThanOrEqual(5)
    expect(Math.max(...curve) - Math.min(...curve)).toBeGreaterThan(0.4)
  })

  it('is warmest in the afternoon', () => {
    const model = new StationModel(options({ kind: 'field', parameters: [parameter('Temp', 'oC', -5, 60)] }))
    const midnight = Date.UTC(2026, 10, 23, 17)
    const byHour = Array.from({ length: 24 }, (_, h) => model.sample(midnight + h * HOUR)?.values[0]?.value as number)
    expect(byHour.indexOf(Math.max(...byHour))).toBeGreaterThanOrEqual(12)
    expect(byHour.indexOf(Math.max(...byHour))).toBeLessThanOrEqual(16)
  })

  it('rains sometimes and is dry mostly', () => {
    const model = new StationModel(options({ parameters: [parameter('Rain', 'mm', 0, 500)] }))
    const week = Array.from({ length: 7 * 144 }, (_, i) => at(model, i * 600, 'Rain').value)
    const wet = week.filter(mm => mm > 0).length / week.length
    expect(wet).toBeGreaterThan(0.01)
    expect(wet).toBeLessThan(0.15)
  })

  it('converts to the unit of the profile and follows a level of its own', () => {
    const flow = parameter('Flow', 'm3/s', 0, 30_000)
    const model = new StationModel(options({ kind: 'hydrology', parameters: [flow], levels: { Flow: 9_000 } }))
    const day = Array.from({ length: 100 }, (_, i) => at(model, i * 864, 'Flow').value)
    expect(day.reduce((a, b) => a + b) / 100).toBeGreaterThan(8_000)
    expect(day.reduce((a, b) => a + b) / 100).toBeLessThan(10_000)
  })

  it('takes an excess up, holds it and lets it fall, again and again', () => {
    const rise: Happening = { kind: 'excess', parameter: 'COD', to: 120, startS: 10, forS: 20, rampS: 4, everyS: 300 }
    const model = new StationModel(options({ happenings: [rise] }))
    expect(at(model, 9).value).toBeLessThan(50)
    for (const start of [10, 310, 3_010]) {
      expect(at(model, start + 4).value).toBe(120)
      expect(at(model, start + 16).value).toBe(120)
      expect(at(model, start + 18).value).toBeLessThan(100)
      expect(at(model, start + 21).value).toBeLessThan(50)
    }
    expect(at(model, 15, 'pH').value).toBeLessThan(8)
  })

  it('marks calibration 01 and fault 02, of one parameter or of all, and a fault repeats its value', () => {
    const happenings: Happening[] = [
      { kind: 'calibration', parameter: 'COD', startS: 0, forS: 10 },
      { kind: 'fault', startS: 20, forS: 100 }
    ]
    const model = new StationModel(options({ happenings }))
    expect([at(model, 5).status, at(model, 5, 'pH').status]).toEqual(['01', '00'])
    expect([at(model, 25).status, at(model, 25, 'pH').status]).toEqual(['02', '02'])
    expect(at(model, 25).value).toBe(at(model, 115).value)
    expect(at(model, 15).status).toBe('00')
  })

  it('writes a wrong unit while told to', () => {
    const model = new StationModel(options({ happenings: [{ kind: 'bad-unit', parameter: 'COD', unit: 'bucket', startS: 0, forS: 2 }] }))
    expect([at(model, 1).unit, at(model, 3).unit, at(model, 1, 'pH').unit]).toEqual(['bucket', 'mg/L', '-'])
  })

  it('leaves gaps: all while told to, else the share it was given', () => {
    const told = new StationModel(options({ happenings: [{ kind: 'gap', startS: 5, forS: 5 }] }))
    expect([4, 5, 9, 10].map(s => told.sample(ORIGIN + s * SECOND) === undefined)).toEqual([false, true, true, false])
    const random = new StationModel(options({ gapShare: 0.25 }))
    const missed = Array.from({ length: 2_000 }, (_, s) => random.sample(ORIGIN + s * SECOND)).filter(sample => !sample).length
    expect(missed).toBeGreaterThan(400)
    expect(missed).toBeLessThan(600)
  })

  it('has a clock that is wrong and gets more so', () => {
    const model = new StationModel(options({ clockErrorMs: -42_000, clockGainMsPerDay: 2_000 }))
    expect(model.sample(ORIGIN)?.at).toBe(ORIGIN - 42_000)
    expect(model.sample(ORIGIN + DAY)?.at).toBe(ORIGIN + DAY - 40_000)
  })

  it('shows whole seconds when its clock has no smaller ones', () => {
    const model = new StationModel(options({ clockStepMs: 1_000 }))
    expect(model.sample(ORIGIN + 1_999)?.at).toBe(ORIGIN + 1_000)
  })

  it('says when it has no line', () => {
    const model = new StationModel(options({ happenings: [{ kind: 'outage', startS: 60, forS: 60 }] }))
    expect([59, 60, 119, 120].map(s => model.isOffline(ORIGIN + s * SECOND))).toEqual([false, true, true, false])
    expect(model.sample(ORIGIN + 90 * SECOND)).toBeDefined()
  })

  it("never leaves the sensor's span", () => {
    const narrow = parameter('COD', 'mg/L', 0, 40)
    const model = new StationModel(
      options({ parameters: [narrow], happenings: [{ kind: 'excess', parameter: 'COD', to: 500, startS: 0, forS: 60, rampS: 0 }] })
    )
    expect(at(model, 30).value).toBe(40)
  })

  it('knows something about a parameter that nobody described', () => {
    const model = new StationModel(options({ parameters: [parameter('TOC', 'mg/L', 0, 1_000)] }))
    expect(at(model, MINUTE, 'TOC').value).toBeGreaterThan(0)
  })
})
