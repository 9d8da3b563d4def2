import { readdir, readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseDocument } from 'yaml'
import { z } from 'zod'
import { DqiSettings, ZoneSettings } from '#libs/dqi'
import type { CalibrationTerms, Station } from '#libs/model'
import { findParameter, MINUTE, messageOf } from '#libs/model'
import type { Plans } from '#libs/quality'
import { readQuality } from '#libs/quality'
import type { CompiledProfile } from '#libs/wire'
import { compileProfile, Profile, StationEntry, StationFile } from '#libs/wire'

export interface Registry {
  readonly stations: readonly Station[]
  /** By name, which is also the folder's. */
  readonly profiles: ReadonlyMap<string, CompiledProfile>
  /** `rules.yaml` as it stands; the alarms library checks it. `{ rules: [] }` where there is none. */
  readonly rules: unknown
  /** `regulations/*.yaml` and the entries of `permits.yaml` as they stand; the regulation library checks them. */
  readonly law: LawDocuments
  /** The quality tests of each series, of `quality.yaml`; of none where there is no such file. */
  readonly planOf: Plans
  /** How data quality and the year of an industrial zone are scored: `scores` of `quality.yaml`. */
  readonly scores: Scores
}

const Scores = z.strictObject({ dqi: DqiSettings.prefault({}), zones: ZoneSettings.prefault({}) })
type Scores = z.infer<typeof Scores>

interface LawDocument {
  /** The file, and the place in it. */
  readonly name: string
  readonly content: unknown
}

export interface LawDocuments {
  readonly regulations: readonly LawDocument[]
  readonly permits: readonly LawDocument[]
}

/** One thing that is wrong with a file: where it is, and what. */
export interface RegistryProblem {
  readonly file: string
  /** Place in the file, such as `stations.3.code`; empty for the file as a whole. */
  readonly path: string
  readonly message: string
}

/** QT_REGISTRY_INVALID: the files say something that cannot be. The message lists every problem, one a line. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError'
  readonly code = 'QT_REGISTRY_INVALID'

  constructor(readonly problems: readonly RegistryProblem[]) {
    super(
      `the registry cannot be used:\n${problems.map(p => `  ${[p.file, p.path].filter(part => part !== '').join(': ')}: ${p.message}`).join('\n')}`
    )
  }
}

/** Far above any registry (16,000 stations are 6 MB); a file beyond it is not one. */
const MAX_FILE_BYTES = 32 * 2 ** 20

/**
 * Reads `stations.yaml`, `rules.yaml`, `quality.yaml`, `permits.yaml` and `regulations/` of a registry and the profiles of `devices/<type>/profile.yaml`, and holds each
 * against the others and the model.
 * @throws RegistryError with every problem of every file at once.
 */
export async function loadRegistry(dir: string, devicesDir: string): Promise<Registry> {
  const desk = new Desk()
  const profiles = await loadProfiles(dir, devicesDir, desk)
  const stations = await loadStations(join(dir, 'stations.yaml'), profiles, desk)
  const usable = [...profiles].filter((entry): entry is [string, CompiledProfile] => entry[1] !== null)
  const { planOf, scores } = await loadQuality(
    join(dir, 'quality.yaml'),
    { profiles: usable.map(([, profile]) => profile), stations },
    desk
  )
  const rules = (await desk.readIfThere(join(dir, 'rules.yaml'))) ?? { rules: [] }
  const law = await loadLaw(dir, desk)
  if (desk.problems.length > 0) throw new RegistryError(desk.problems)
  return { stations, profiles: new Map(usable), rules, law, planOf, scores }
}

/** Profiles by folder; null for one that is there and wrong, so that its stations are not reported for its sake. */
type Profiles = ReadonlyMap<string, CompiledProfile | null>

/** Reads files and gathers what is wrong with them. */
class Desk {
  readonly problems: RegistryProblem[] = []

  report(file: string, path: string, message: string): void {
    this.problems.push({ file, path, message })
  }

  /** The value of a YAML file; undefined, and reported, where there is none. */
  async read(file: string): Promise<unknown> {
    try {
      const { size } = await stat(file)
      if (size <= MAX_FILE_BYTES) return this.parse(file, await readFile(file, 'utf8'))
      this.report(file, '', `larger than ${MAX_FILE_BYTES} bytes`)
    } catch (error) {
      this.report(file, '', messageOf(error))
    }
    return undefined
  }

  /** Like `read`; undefined, and nothing to report, where there is no such file. */
  async readIfThere(file: string): Promise<unknown> {
    const isThere = await stat(file).then(
      () => true,
      (error: unknown) => !isMissing(error)
    )
    return isThere ? await this.read(file) : undefined
  }

  /** Shape by zod: every issue is a problem. */
  check<T>(file: string, schema: z.ZodType<T>, value: unknown, at = ''): T | undefined {
    const { success, data, error } = schema.safeParse(value)
    if (success) return data
    for (const issue of error.issues)
      this.report(file, [at, ...issue.path.map(String)].filter(part => part !== '').join('.'), issue.message)
    return undefined
  }

  /** Plain data only: keys stand once, no tags beyond YAML's own, and aliases may not multiply (the library's bound of 100). */
  private parse(file: string, text: string): unknown {
    const document = parseDocument(text, { schema: 'core', uniqueKeys: true, merge: false })
    const wrong = [...document.errors, ...document.warnings]
    for (const { message } of wrong) this.report(file, '', message.split('\n', 1)[0]?.replace(/:$/, '') ?? message)
    return wrong.length > 0 ? undefined : document.toJS()
  }
}

async function loadProfiles(dir: string, devicesDir: string, desk: Desk): Promise<Profiles> {
  const profiles = new Map<string, CompiledProfile | null>()
  for (const folder of await deviceFolders(dir, devicesDir, desk)) {
    const file = join(devicesDir, folder, 'profile.yaml')
    const raw = await desk.read(file)
    const profile = raw === undefined ? undefined : desk.check(file, Profile, raw)
    if (profile && profile.name !== folder) desk.report(file, 'name', `'${profile.name}' must be the folder's name '${folder}'`)
    profiles.set(folder, profile ? compileProfile(profile) : null)
  }
  return profiles
}

/** Every folder is a device type, but the registry itself. */
async function deviceFolders(dir: string, devicesDir: string, desk: Desk): Promise<string[]> {
  try {
    const entries = await readdir(devicesDir, { withFileTypes: true })
    const folders = entries
      .filter(entry => entry.isDirectory() && entry.name !== 'registry' && !entry.name.startsWith('.'))
      .map(entry => entry.name)
    return folders.filter(folder => resolve(devicesDir, folder) !== resolve(dir)).sort()
  } catch (error) {
    desk.report(devicesDir, '', messageOf(error))
    return []
  }
}

async function loadStations(file: string, profiles: Profiles, desk: Desk): Promise<Station[]> {
  const raw = await desk.read(file)
  if (raw === undefined) return []
  const entries = isStationList(raw) ? raw.stations : undefined
  // Entry by entry, so that what a sound entry says of profiles and parameters is looked at beside a broken one.
  if (!entries) return desk.check(file, StationFile, raw) ? [] : []
  desk.check(file, StationFile, { ...raw, stations: [] })
  const seen = new Map<string, number>()
  return entries.flatMap((entry, index) => {
    const at = `stations.${index}`
    const checked = desk.check(file, StationEntry, entry, at)
    if (!checked) return []
    const first = seen.get(checked.code)
    if (first !== undefined) desk.report(file, `${at}.code`, `'${checked.code}' stands twice: also stations.${first}`)
    else seen.set(checked.code, index)
    return [toStation(checked, profiles, (path, message) => desk.report(file, `${at}.${path}`, message))]
  })
}

const isStationList = (raw: unknown): raw is { stations: readonly unknown[] } =>
  typeof raw === 'object' && raw !== null && 'stations' in raw && Array.isArray(raw.stations)

function toStation(entry: StationEntry, profiles: Profiles, report: (path: string, message: string) => void): Station {
  const profile = profiles.get(entry.profile)
  if (profile === undefined) report('profile', `no profile '${entry.profile}'; known are ${[...profiles.keys()].join(', ')}`)
  const { nameEn, parameters: listed, calibration, ...rest } = entry
  const codes = profile?.parameters.map(parameter => parameter.code) ?? []
  listed?.forEach((code, index) => {
    if (listed.indexOf(code) < index) report(`parameters.${index}`, `'${code}' stands twice`)
    else if (!findParameter(code)) report(`parameters.${index}`, `the model has no parameter '${code}'`)
    else if (profile && !codes.includes(code)) report(`parameters.${index}`, `profile '${entry.profile}' does not measure '${code}'`)
  })
  const parameters = codes.filter(code => listed === undefined || listed.includes(code))
  const optional = { ...(nameEn === undefined ? {} : { nameEn }), ...(calibration ? { calibration: calibrationTerms(calibration) } : {}) }
  return { ...rest, ...optional, parameters }
}

function calibrationTerms({ nearMinutes, longestMinutes, perDay }: NonNullable<StationEntry['calibration']>): Partial<CalibrationTerms> {
  return {
    ...(nearMinutes === undefined ? {} : { near: nearMinutes * MINUTE }),
    ...(longestMinutes === undefined ? {} : { longest: longestMinutes * MINUTE }),
    ...(perDay === undefined ? {} : { perDay })
  }
}

const AnyObject = z.record(z.string(), z.unknown())

/** Held against profiles and stations where those are sound: else what it says of a broken one would be reported for its sake. */
async function loadQuality(
  file: string,
  { profiles, stations }: { readonly profiles: readonly CompiledProfile[]; readonly stations: readonly Station[] },
  desk: Desk
): Promise<Pick<Registry, 'planOf' | 'scores'>> {
  const { scores: settings = {}, ...raw } = desk.check(file, AnyObject, (await desk.readIfThere(file)) ?? {}) ?? {}
  const scores = desk.check(file, Scores, settings, 'scores') ?? Scores.parse({})
  const nothing = { planOf: () => undefined, scores }
  if (desk.problems.length > 0) return nothing
  const sensors = profiles.map(({ name, intervalMillis, profile }) => ({
    name,
    intervalMillis,
    parameters: profile.parameters.map(({ code, unit, min, max }) => ({ code, unit, span: { min, max } }))
  }))
  const read = readQuality(raw, sensors, stations)
  if (read.ok) return { planOf: read.planOf, scores }
  for (const problem of read.problems) desk.report(file, '', problem)
  return nothing
}

/** A registry without them is one whose stations have no limit, which is a state that is shown. */
async function loadLaw(dir: string, desk: Desk): Promise<LawDocuments> {
  const regulations: LawDocument[] = []
  for (const name of await yamlFiles(join(dir, 'regulations'), desk)) {
    regulations.push({ name, content: await desk.read(join(dir, name)) })
  }
  const file = join(dir, 'permits.yaml')
  const raw = (await desk.readIfThere(file)) ?? { permits: [] }
  const list = desk.check(file, PermitList, raw)?.permits ?? []
  return { regulations, permits: list.map((content, index) => ({ name: `permits.yaml: permits.${index}`, content })) }
}

const PermitList = z.strictObject({ permits: z.array(z.unknown()).max(50_000) })

/** Of a folder that need not be there; paths from its parent on. */
async function yamlFiles(dir: string, desk: Desk): Promise<string[]> {
  try {
    const names = await readdir(dir)
    return names
      .filter(name => name.endsWith('.yaml'))
      .sort()
      .map(name => join('regulations', name))
  } catch (error) {
    if (!isMissing(error)) desk.report(dir, '', messageOf(error))
    return []
  }
}

const isMissing = (error: unknown): boolean => typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT'
