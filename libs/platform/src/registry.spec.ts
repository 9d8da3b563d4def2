import { cp, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals'
import { AlarmRules, compileRules } from '#libs/alarms'
import { findParameter } from '#libs/model'
import type { RegistryProblem } from './registry.js'
import { loadRegistry, RegistryError } from './registry.js'

const roots: string[] = []
let devices = ''
let dir = ''

/** A copy of the example province that a test may spoil. */
beforeEach(async () => {
  const root = await mkdtemp(join(tmpdir(), 'quantrac-registry-'))
  roots.push(root)
  devices = join(root, 'devices')
  dir = join(devices, 'registry')
  await cp('devices', devices, { recursive: true, filter: source => !source.includes('cases') })
})

afterAll(() => Promise.all(roots.map(root => rm(root, { recursive: true, force: true }))))

async function edit(file: string, from: string | RegExp, to: string): Promise<void> {
  const text = await readFile(file, 'utf8')
  expect(text.replace(from, to)).not.toBe(text)
  await writeFile(file, text.replace(from, to))
}

async function problems(): Promise<readonly RegistryProblem[]> {
  const error: unknown = await loadRegistry(dir, devices).then(
    () => undefined,
    (reason: unknown) => reason
  )
  if (!(error instanceof RegistryError)) throw new Error(`no RegistryError: ${String(error)}`)
  expect(error.code).toBe('QT_REGISTRY_INVALID')
  return error.problems
}

const stationsFile = (): string => join(dir, 'stations.yaml')

describe('the example registry', () => {
  it('loads', async () => {
    const { stations, profiles } = await loadRegistry('devices/registry', 'devices')
    expect(stations.length).toBeGreaterThanOrEqual(16)
    expect(new Set(stations.map(station => station.kind))).toEqual(
      new Set(['wastewater', 'hydrology', 'salinity', 'field', 'pond', 'weather', 'bank', 'ambient-air', 'surface-water'])
    )
    for (const station of stations) {
      expect(station.example).toBe(true)
      expect(station.nameEn).toBeTruthy()
      expect(profiles.get(station.profile)?.name).toBe(station.profile)
      expect(station.parameters.length).toBeGreaterThan(0)
    }
  })

  it('has rules that the alarms accept, each limit with its source', async () => {
    const { stations, rules } = await loadRegistry('devices/registry', 'devices')
    const checked = AlarmRules.parse(rules)
    expect(compileRules(checked, stations)).toMatchObject({ ok: true })
    const limits = checked.rules.flatMap(rule => ('parameter' in rule ? [rule] : []))
    for (const rule of limits) if (rule.limit !== 'permit') expect(rule.source).toMatch(/QCVN|Quyết định|ranh mặn|FAO/)
    for (const parameter of ['COD', 'pH', 'WaterLevel', 'Salinity', 'DO']) expect(limits.map(rule => rule.parameter)).toContain(parameter)
  })

  it('has quality tests of its device types', async () => {
    const { planOf } = await loadRegistry('devices/registry', 'devices')
    expect(planOf('AG-KCN-BINHHOA-01', 'COD')).toMatchObject({ unit: 'mg/L', spike: { fail: 500 }, rules: [{ id: 'still-flow' }] })
    expect(planOf('AG-KCN-BINHHOA-01', 'Color')).toBeUndefined()
  })

  it('has the law that its permits name', async () => {
    const { law } = await loadRegistry('devices/registry', 'devices')
    expect(law.regulations.map(({ name }) => name)).toContain('regulations/qcvn-40-2011.yaml')
    expect(law.permits[0]).toMatchObject({ name: 'permits.yaml: permits.0', content: { station: 'AG-KCN-BINHHOA-01' } })
  })
})

/** What AG-TV-LONGXUYEN-01 measures. */
const FEWER = '[WaterLevel, Rain]'

describe('a station', () => {
  it('measures what its profile has, in the profile’s order, or less', async () => {
    await edit(stationsFile(), 'parameters: [Flow, pH, Temp, COD, TSS, NH4]', 'parameters: [COD, pH]')
    const { stations } = await loadRegistry(dir, devices)
    const parametersOf = (code: string): readonly string[] | undefined => stations.find(station => station.code === code)?.parameters
    expect(parametersOf('AG-CCN-MYQUY-01')).toEqual(['pH', 'COD'])
    expect(parametersOf('AG-CA-CHAUPHU-01')).toEqual(['DO', 'pH', 'Temp', 'NH3'])
  })

  it.each<[string, [string, string], string, string]>([
    ['an unknown parameter', [FEWER, '[WaterLevel, Gold]'], 'stations.8.parameters.1', "the model has no parameter 'Gold'"],
    ['another profile’s parameter', [FEWER, '[COD]'], 'stations.8.parameters.0', "profile 'hydrology-gauge' does not measure 'COD'"],
    ['a parameter twice', [FEWER, '[Rain, Rain]'], 'stations.8.parameters.1', "'Rain' stands twice"],
    ['an unknown profile', ['profile: fish-pond', 'profile: fishpond'], 'stations.17.profile', "no profile 'fishpond'"],
    ['a code twice', ['AG-KCN-BINHLONG-01', 'AG-KCN-BINHHOA-01'], 'stations.1.code', 'also stations.0'],
    ['its latitude in both places', ['longitude: 105.34', 'longitude: 10.47'], 'stations.0.position.longitude', '>=100'],
    ['a place near the equator', ['latitude: 10.47', 'latitude: 6.9'], 'stations.0.position.latitude', '>=7'],
    ['an unknown key', ['example: true', 'exmaple: true'], 'stations.0', 'exmaple'],
    ['an unknown kind', ['kind: pond', 'kind: lake'], 'stations.17.kind', 'wastewater']
  ])('with %s is refused', async (_what, [from, to], path, message) => {
    await edit(stationsFile(), from, to)
    expect(await problems()).toEqual([{ file: stationsFile(), path, message: expect.stringContaining(message) }])
  })
})

describe('a profile', () => {
  it.each<[string, [string, string], string, string]>([
    ['an unknown parameter', ['code: COD', 'code: Gold'], 'parameters.4.code', "the model has no parameter 'Gold'"],
    ['an unknown unit', ['unit: Pt-Co', 'unit: Hazen'], 'parameters.3.unit', "the model has no unit 'Hazen'"],
    ['another folder’s name', ['name: discharge-monitor', 'name: monitor'], 'name', "must be the folder's name 'discharge-monitor'"]
  ])('with %s is refused, and its stations are not blamed', async (_what, [from, to], path, message) => {
    const file = join(devices, 'discharge-monitor', 'profile.yaml')
    await edit(file, from, to)
    expect(await problems()).toEqual([{ file, path, message: expect.stringContaining(message) }])
  })

  it('must be in every folder', async () => {
    await mkdir(join(devices, 'drone'))
    expect(await problems()).toMatchObject([{ file: join(devices, 'drone', 'profile.yaml'), message: expect.stringContaining('ENOENT') }])
  })
})

describe('all that is wrong', () => {
  it('is reported in one message, a line each', async () => {
    await edit(stationsFile(), 'code: AG-TV-TANCHAU-01', 'code: ag-tv-tanchau-01')
    await edit(stationsFile(), 'parameters: [WaterLevel, Rain]', 'parameters: [Gold]')
    await edit(join(devices, 'rice-field', 'profile.yaml'), 'unit: cm', 'unit: inch')
    await edit(join(dir, 'rules.yaml'), 'rules:', 'rules: [')
    const found = await problems()
    expect(found.map(problem => problem.file.slice(devices.length + 1))).toEqual([
      'rice-field/profile.yaml',
      'registry/stations.yaml',
      'registry/stations.yaml',
      ...found.slice(3).map(() => 'registry/rules.yaml')
    ])
    expect(found.length).toBeGreaterThanOrEqual(4)
    const { message } = new RegistryError(found)
    expect(message.split('\n')).toHaveLength(found.length + 1)
    expect(message).toContain("rice-field/profile.yaml: parameters.1.unit: the model has no unit 'inch'")
    expect(message).toContain("registry/stations.yaml: stations.8.parameters.0: the model has no parameter 'Gold'")
    expect(findParameter('Gold')).toBeUndefined()
  })

  it('is said of files that cannot be read at all', async () => {
    await rm(stationsFile())
    expect(await problems()).toMatchObject([{ file: stationsFile(), path: '', message: expect.stringContaining('ENOENT') }])
    dir = join(devices, 'nowhere')
    devices = join(devices, 'nothing')
    expect((await problems()).map(problem => problem.file)).toEqual([devices, join(dir, 'stations.yaml')])
  })

  it('is said of a folder in the place of a file', async () => {
    await rm(join(dir, 'rules.yaml'))
    await mkdir(join(dir, 'rules.yaml'))
    expect(await problems()).toMatchObject([{ file: join(dir, 'rules.yaml'), message: expect.stringContaining('EISDIR') }])
  })

  it.each([
    ['that is no list', 'stations: 7\n', 'stations'],
    ['with an unknown key', 'stations: []\nstation: []\n', ''],
    ['that is a list', '- code: AG-01\n', ''],
    ['that is empty', '', '']
  ])('is said of a stations.yaml %s', async (_what, text, path) => {
    await writeFile(stationsFile(), text)
    expect(await problems()).toMatchObject([{ file: stationsFile(), path }])
  })
})

describe('a YAML file', () => {
  it('may not hold a key twice, a tag of its own or a second document', async () => {
    await writeFile(stationsFile(), 'stations: []\nstations: []\n')
    expect(await problems()).toMatchObject([{ message: expect.stringContaining('Map keys must be unique') }])
    await writeFile(stationsFile(), 'stations: !!js/function "return 7"\n')
    expect(await problems()).toMatchObject([{ message: expect.stringContaining('Unresolved tag') }])
    await writeFile(stationsFile(), 'stations: []\n---\nstations: []\n')
    expect(await problems()).toMatchObject([{ message: expect.stringContaining('multiple documents') }])
  })

  it('may not multiply its aliases', async () => {
    const levels = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(', ')}]`)
    await writeFile(stationsFile(), ['a0: &a0 [lol]', ...levels, 'stations: []', ''].join('\n'))
    expect(await problems()).toMatchObject([{ file: stationsFile(), message: expect.stringContaining('alias') }])
  })

  it('may not be endless', async () => {
    await truncate(stationsFile(), 33 * 2 ** 20)
    expect(await problems()).toMatchObject([{ file: stationsFile(), message: expect.stringContaining('larger than') }])
  })

  it('cannot reach a prototype', async () => {
    await writeFile(stationsFile(), 'stations: []\n__proto__: { example: true }\n')
    expect(await problems()).toMatchObject([{ path: '' }])
    expect(({} as Record<string, unknown>)['example']).toBeUndefined()
  })
})

it('a registry without rules, regulations and permits is one without limits', async () => {
  await rm(join(dir, 'rules.yaml'))
  await rm(join(dir, 'permits.yaml'))
  await rm(join(dir, 'regulations'), { recursive: true })
  const { rules, law } = await loadRegistry(dir, devices)
  expect(rules).toEqual({ rules: [] })
  expect(law).toEqual({ regulations: [], permits: [] })
})

describe('quality.yaml', () => {
  const file = (): string => join(dir, 'quality.yaml')

  it('may be missing: then nothing is tested', async () => {
    await rm(file())
    const { planOf } = await loadRegistry(dir, devices)
    expect(planOf('AG-KCN-BINHHOA-01', 'COD')).toBeUndefined()
  })

  it('is held against device types and stations, with every problem at once', async () => {
    await writeFile(
      file(),
      'profiles: { toaster: {}, discharge-monitor: { parameters: { Salinity: {}, pH: { grossRange: { suspect: [-1, 13] } } } } }\nstations: { AG-NOWHERE: {} }\n'
    )
    expect((await problems()).map(({ file: where, message }) => [where, message])).toEqual([
      [file(), "profile 'toaster': there is no such device profile"],
      [file(), "profile 'discharge-monitor': Salinity is not measured by profile 'discharge-monitor'"],
      [file(), "profile 'discharge-monitor': pH: grossRange: the suspect span -1..13 reaches outside the sensor's, 0..14 -"],
      [file(), "station 'AG-NOWHERE': there is no such station"]
    ])
  })

  it('is told where its shape is wrong', async () => {
    await writeFile(file(), 'profiles: { discharge-monitor: { parameters: { COD: { spike: { suspect: 5, fail: 2 } } } } }\n')
    expect(await problems()).toMatchObject([{ message: expect.stringContaining('profiles.discharge-monitor.parameters.COD.spike') }])
  })

  it('says how data quality is scored, as a whole or in part', async () => {
    await writeFile(file(), 'scores: { dqi: { weights: { complete: 2 } } }\n')
    const { scores } = await loadRegistry(dir, devices)
    expect(scores).toMatchObject({ dqi: { weights: { complete: 2, live: 1 }, bands: { green: 90 } }, zones: { exceedingDays: 0 } })
    await writeFile(file(), 'scores: { dqi: { bands: { green: 50 } } }\n')
    expect(await problems()).toMatchObject([{ path: 'scores.dqi.bands', message: 'yellow must begin below green' }])
  })

  it('is not blamed for a broken device type', async () => {
    await edit(join(devices, 'discharge-monitor/profile.yaml'), /intervalSeconds: .*/, 'intervalSeconds: often')
    expect((await problems()).map(({ file: where }) => where)).toEqual([join(devices, 'discharge-monitor/profile.yaml')])
  })
})
