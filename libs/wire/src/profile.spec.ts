import { describe, expect, it } from '@jest/globals'
import { compileProfile, Profile, StationEntry, WireError } from './index.js'

const cod = { code: 'COD', unit: 'mg/L', min: 0, max: 500, decimals: 1 }
const base = { name: 'monitor', title: 'Trạm', titleEn: 'Station', dialect: 'quantrac-json', intervalSeconds: 300, parameters: [cod] }
const problems = (profile: unknown): string[] =>
  Profile.safeParse(profile).error?.issues.map(i => `${i.path.join('.')}: ${i.message}`) ?? []

describe('Profile', () => {
  it('accepts a plain profile', () => expect(problems(base)).toEqual([]))

  it.each([
    ['an unknown parameter', { parameters: [{ ...cod, code: 'XYZ' }] }, "parameters.0.code: the model has no parameter 'XYZ'"],
    ['an unknown unit', { parameters: [{ ...cod, unit: 'furlong' }] }, "parameters.0.unit: the model has no unit 'furlong'"],
    ['another spelling of a unit', { parameters: [{ ...cod, unit: 'mg/l' }] }, "parameters.0.unit: the model has no unit 'mg/l'"],
    [
      'a unit of another dimension',
      { parameters: [{ ...cod, unit: 'm' }] },
      "parameters.0.unit: unit 'm' does not fit COD, which is measured in mg/L"
    ],
    ['an empty span', { parameters: [{ ...cod, min: 5, max: 5 }] }, 'parameters.0.max: the span is empty: max must be above min'],
    ['a parameter twice', { parameters: [cod, cod] }, "parameters.1.code: 'COD' stands twice"],
    ['an alias of nothing', { aliases: { cod: 'BOD5' } }, "aliases.cod: 'BOD5' is no parameter of this profile"],
    ['an alias that hides a parameter', { aliases: { COD: 'COD' } }, 'aliases.COD: is a parameter itself'],
    ['a zone by name', { zoneOffset: 'Asia/Ho_Chi_Minh' }, 'zoneOffset: a zone offset looks like +07:00'],
    ['an unknown key', { paramters: [] }, ': Unrecognized key: "paramters"']
  ])('refuses %s', (_what, change, problem) => expect(problems({ ...base, ...change })).toContain(problem))

  it('reports every problem at once', () => {
    const found = problems({ ...base, dialect: 'xml', intervalSeconds: 0, parameters: [{ ...cod, code: 'XYZ', decimals: 9 }] })
    expect(found.map(text => text.split(':')[0])).toEqual(['dialect', 'intervalSeconds', 'parameters.0.code', 'parameters.0.decimals'])
  })
})

describe('compileProfile', () => {
  it('puts ranges into the profile’s unit and narrows them to what holds for parameter and sensor', () => {
    const level = { code: 'WaterLevel', unit: 'cm', min: -3_000, max: 1_500, decimals: 0 }
    const compiled = compileProfile(Profile.parse({ ...base, parameters: [cod, level] }))
    expect(compiled.parameters[1]).toEqual({
      code: 'WaterLevel',
      unit: 'cm',
      decimals: 0,
      possible: { min: -2_000, max: 10_000 },
      span: { min: -3_000, max: 1_500 },
      valid: { min: -2_000, max: 1_500 }
    })
    expect(compiled.intervalMillis).toBe(300_000)
  })

  it('finds a parameter by symbol and alias', () => {
    const dust = { code: 'PM2,5', unit: 'ug/m3', min: 0, max: 1_000, decimals: 1 }
    const { byName, parameters } = compileProfile(
      Profile.parse({ ...base, parameters: [dust], aliases: { 'PM2.5': 'PM2,5', PM25: 'PM2,5' } })
    )
    for (const name of ['PM2,5', 'PM2.5', 'PM25']) expect(byName.get(name)).toBe(parameters[0])
    expect(byName.get('PM2')).toBeUndefined()
  })

  it('throws for a profile that nobody checked', () => {
    const unchecked = { ...base, parameters: [{ ...cod, code: 'XYZ' }] } as unknown as Profile
    expect(() => compileProfile(unchecked)).toThrow(expect.objectContaining({ code: 'QT_WIRE_PROFILE' }))
    expect(() => compileProfile({ ...base, aliases: { a: 'b' } } as unknown as Profile)).toThrow(WireError)
  })
})

describe('StationEntry', () => {
  const station = {
    code: 'AG-KCN-BINHHOA-01',
    name: 'Bình Hòa',
    kind: 'wastewater',
    profile: 'discharge-monitor',
    zone: 'Bình Hòa',
    agency: 'Sở Nông nghiệp và Môi trường An Giang',
    position: { longitude: 105.34, latitude: 10.47 }
  }

  it('is no example unless it says so', () => expect(StationEntry.parse(station).example).toBe(false))

  it.each([
    ['code', { code: 'ag-01' }],
    ['kind', { kind: 'lake' }],
    ['position.longitude', { position: { longitude: 10.47, latitude: 10.47 } }],
    ['position.latitude', { position: { longitude: 105.34, latitude: 105.34 } }],
    ['parameters', { parameters: [] }],
    ['', { colour: 'red' }]
  ])('refuses a wrong %s', (path, change) => {
    expect(StationEntry.safeParse({ ...station, ...change }).error?.issues.map(i => i.path.join('.'))).toEqual([path])
  })
})
