import { describe, expect, it } from '@jest/globals'
import type { LimitTerms } from '#libs/model'
import { MINUTE } from '#libs/model'
import { COD_90, rulesFor, station } from '../test/fixtures.js'
import type { LegalLimits } from './compile.js'
import { compileRules } from './compile.js'
import { AlarmRules } from './config.js'

const gauge = station('AG-TC', { kind: 'hydrology', profile: 'hydrology-gauge', parameters: ['WaterLevel'] })
const both = [station('AG-X'), gauge]

const problemsOf = (...rules: object[]): readonly string[] => {
  const result = compileRules(AlarmRules.parse({ rules }), both)
  return result.ok ? [] : result.problems
}

describe('rules.yaml', () => {
  it('has sound defaults: bands at 80 and 90 %, 2 of 3, a dead-band of 2 %', () => {
    const [rule] = AlarmRules.parse({ rules: [COD_90] }).rules
    expect(rule).toMatchObject({ consecutive: { k: 2, n: 3 }, deadband: 0.02, reached: false })
    expect(rulesFor([COD_90]).limitsOf('AG-X', 'COD')[0]?.bands).toEqual({ tendency: 0.8, preparing: 0.9 })
  })

  it('reports mistakes of shape by place, in the words of the kind of rule that was meant', () => {
    const result = AlarmRules.safeParse({
      rules: [
        { ...COD_90, high: '90', hihg: 1 },
        { id: 'Silence', silence: 'long' }
      ]
    })
    const issues = result.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n')
    expect(issues).toMatch(/rules\.0\.high: .*number/)
    expect(issues).toMatch(/rules\.0: .*hihg/)
    expect(issues).toMatch(/rules\.1\.id: .*kebab-case/)
    expect(issues).toMatch(/rules\.1\.silence: .*15m/)
  })

  it.each([NaN, Infinity])('refuses the limit %d', high => {
    expect(AlarmRules.safeParse({ rules: [{ ...COD_90, high }] }).success).toBe(false)
  })

  it('refuses a rule without a source', () => {
    expect(AlarmRules.safeParse({ rules: [{ ...COD_90, source: '' }] }).success).toBe(false)
  })
})

describe('compiling', () => {
  it('reports every problem of every rule at once', () => {
    const problems = problemsOf(
      { ...COD_90, id: 'a', parameter: 'CODX' },
      { ...COD_90, id: 'b', unit: 'oC' },
      { id: 'c', parameter: 'COD', stations: ['AG-NOWHERE', 'AG-TC'], unit: 'mg/L', source: 's' },
      { ...COD_90, id: 'd', kinds: undefined, profile: 'no-such', low: 90, consecutive: { k: 3, n: 2 } },
      { ...COD_90, id: 'd', bands: { tendency: 0.9, preparing: 0.8 }, validFrom: '2026-02-30' },
      { ...COD_90, id: 'e', stations: ['AG-X'], validFrom: '2026-02-01', validTo: '2026-01-01' },
      { id: 'f', parameter: 'COD', high: 1, unit: 'furlong', source: 's' },
      { id: 'g', silence: '15m', stations: ['AG-GONE'] }
    )
    const expected = [
      /'a': unknown parameter 'CODX'; known are Flow/,
      /'b': high 90 'oC' cannot be converted into mg\/L/,
      /'c': unknown station 'AG-NOWHERE'/,
      /'c': it has neither a high nor a low/,
      /'c': station AG-TC does not measure COD/,
      /'d': no station has the profile 'no-such'/,
      /'d': low 90 is not below high 90/,
      /'d': k 3 of n 2/,
      /'d': the id stands twice/,
      /'d': tendency 0.9 must begin before preparing 0.8/,
      /'d': validFrom '2026-02-30'/,
      /'e': stations, profile and kinds exclude/,
      /'e': it ends before it begins/,
      /'f': to whom does it apply/,
      /'f': high 1 'furlong' cannot be converted/,
      /'g': unknown station 'AG-GONE'/
    ]
    for (const pattern of expected) expect(problems).toContainEqual(expect.stringMatching(pattern))
    expect(problems.length).toBe(expected.length)
  })

  it('converts limits into the canonical unit of the parameter', () => {
    const rules = rulesFor([{ ...COD_90, high: 0.09, unit: 'g/l' }])
    expect(rules.limitsOf('AG-X', 'COD')).toMatchObject([{ high: 90, unit: 'mg/L', rule: 'cod-high' }])
  })

  it('applies a rule by profile and kind only where the parameter is measured', () => {
    const other = station('AG-Y', { parameters: ['pH'] })
    for (const selector of [{ kinds: ['wastewater'] }, { kinds: undefined, profile: 'discharge-monitor' }]) {
      const rules = rulesFor([{ ...COD_90, ...selector }], [...both, other])
      expect(['AG-X', 'AG-Y', 'AG-TC'].map(code => rules.limitsOf(code, 'COD').length)).toEqual([1, 0, 0])
    }
  })

  it('gives every station the ministry’s 15 minutes of silence unless a rule says otherwise; the closest one counts', () => {
    const silence = (...rules: object[]) => both.map(({ code }) => (rulesFor(rules, both).silenceOf(code)?.after ?? NaN) / MINUTE)
    const hydrology = { id: 'silence-gauges', silence: '90m', kinds: ['hydrology'] }
    const everywhere = { id: 'silence', silence: '20m' }
    expect(silence()).toEqual([15, 15])
    expect(silence(hydrology, everywhere)).toEqual([20, 90])
    expect(silence({ id: 'one', silence: '2h', stations: ['AG-TC'] }, hydrology)).toEqual([15, 120])
    expect(silence({ id: 'one', silence: '45s', profile: 'hydrology-gauge' }, hydrology)).toEqual([15, 0.75])
  })

  it('tells two editions of the rules apart', () => {
    expect(rulesFor([COD_90]).fingerprint).toBe(rulesFor([COD_90]).fingerprint)
    expect(rulesFor([COD_90]).fingerprint).not.toBe(rulesFor([{ ...COD_90, high: 91 }]).fingerprint)
  })
})

describe('a rule that takes its limits from the law', () => {
  const terms = (other: object): LimitTerms => ({
    ...{ parameter: 'COD', unit: 'mg/L', high: 90, low: null, reached: false, bands: null, deadband: 0.5, source: 'law' },
    ...{ severity: null, validFrom: null, validTo: null },
    ...other
  })
  const rule = { id: 'effluent', parameter: 'COD', kinds: ['wastewater'], limit: 'permit', deadband: 0.01 }
  const compile = (more: object, legal: LegalLimits) =>
    compileRules(AlarmRules.parse({ rules: [{ ...rule, ...more }] }), [station('AG-X'), station('AG-Y')], legal)

  it('has one for each span and level of each station, with k of n and dead-band of its own', () => {
    const legal: LegalLimits = code =>
      code === 'AG-X' ? [terms({ validTo: 5 }), terms({ validFrom: 5, high: 80 }), terms({ level: 'bd2', severity: 'Báo động II' })] : []
    const compiled = compile({}, legal)
    if (!compiled.ok) throw new Error(compiled.problems.join())
    expect(compiled.rules.limitsOf('AG-X', 'COD')).toMatchObject([
      { rule: 'effluent', high: 90, validTo: 5, deadband: 0.01, k: 2, n: 3, source: 'law' },
      { rule: 'effluent', high: 80, validFrom: 5 },
      { rule: 'effluent-bd2', severity: 'Báo động II' }
    ])
    expect(compiled.rules.limitsOf('AG-Y', 'COD')).toEqual([])
  })

  it('has no number of its own', () => {
    const compiled = compile({ high: 5, unit: 'mg/L', bands: 'none', reached: true, consecutive: { k: 3, n: 2 } }, () => [])
    expect(compiled.ok ? [] : compiled.problems).toEqual([
      "rule 'effluent': limit: permit takes its limits from the law; leave out high, unit, bands",
      "rule 'effluent': limit: permit takes its limits from the law; leave out reached",
      "rule 'effluent': k 3 of n 2 can never be: k must be at most n"
    ])
  })

  it('is told apart from one that has lost its numbers', () => {
    const lost = compileRules(AlarmRules.parse({ rules: [{ id: 'r', parameter: 'COD', kinds: ['wastewater'] }] }), [station('AG-X')])
    expect(lost.ok ? [] : lost.problems).toEqual([
      "rule 'r': it has neither a high nor a low limit",
      "rule 'r': it has no source: where does the limit come from?"
    ])
  })
})
