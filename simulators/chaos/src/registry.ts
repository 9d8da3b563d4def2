import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Millis } from '#libs/model'
import type { StationEntry } from '#libs/wire'
import { COD_LIMIT, type Numbered, PARAMETERS } from './numbered.js'

const PROFILE = 'discharge-monitor'

/** Stations of the proof's own, with instants that begin at `base`. */
export const numberedStations = (count: number, base: Millis): Numbered[] =>
  Array.from({ length: count }, (_, index) => ({ station: `KILL-${String(index + 1).padStart(3, '0')}`, index, base }))

/** Writes a registry of these stations and one limit into `dir`. */
export const writeRegistry = (dir: string, stations: readonly Numbered[]): Promise<void> => writeEntries(dir, stations.map(entry))

/** The same for stations of any kind. */
export async function writeEntries(dir: string, stations: readonly StationEntry[]): Promise<void> {
  await mkdir(dir, { recursive: true })
  await writeFile(join(dir, 'stations.yaml'), stringify({ stations }))
  await writeFile(join(dir, 'rules.yaml'), stringify({ rules: [codRule] }))
}

const entry = ({ station, index }: Numbered): StationEntry => ({
  code: station,
  name: `Trạm thử số ${index + 1}`,
  kind: 'wastewater',
  profile: PROFILE,
  zone: 'Kill proof',
  agency: 'Kill proof',
  position: { longitude: 105.1, latitude: 10.4 },
  parameters: [...PARAMETERS],
  example: true
})

const codRule = {
  id: 'proof-cod-high',
  parameter: 'COD',
  profile: PROFILE,
  high: COD_LIMIT,
  unit: 'mg/L',
  bands: 'none',
  consecutive: { k: 2, n: 3 },
  source: 'A limit of the kill proof alone; no regulation.'
}
