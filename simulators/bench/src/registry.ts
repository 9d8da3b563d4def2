import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import type { StationEntry } from '#libs/wire'

const PROFILE = 'discharge-monitor'

const station = (index: number): StationEntry => ({
  code: `BENCH-${String(index + 1).padStart(3, '0')}`,
  name: `Trạm đo tải số ${index + 1}`,
  kind: 'wastewater',
  profile: PROFILE,
  zone: 'Benchmark',
  agency: 'Benchmark',
  position: { longitude: 105.1, latitude: 10.4 },
  example: true
})

const rule = (parameter: string, high: number, unit: string) => ({
  id: `bench-${parameter.toLowerCase()}`,
  parameter,
  profile: PROFILE,
  high,
  unit,
  source: 'A limit of the benchmark alone; no regulation.'
})

/**
 * A registry of discharge monitors with limits that the load never reaches: every reading is judged, no alarm is raised.
 * `tested`: with the quality tests that the example province has for such stations.
 */
export async function writeBenchRegistry(dir: string, stations: number, tested: boolean): Promise<void> {
  await mkdir(dir, { recursive: true })
  await writeFile(join(dir, 'stations.yaml'), stringify({ stations: Array.from({ length: stations }, (_, i) => station(i)) }))
  await writeFile(join(dir, 'rules.yaml'), stringify({ rules: [rule('COD', 90, 'mg/L'), rule('TSS', 90, 'mg/L'), rule('Temp', 40, 'oC')] }))
  if (tested) await writeFile(join(dir, 'quality.yaml'), await exampleTests())
}

const Example = z.object({ profiles: z.record(z.string(), z.unknown()) })

async function exampleTests(): Promise<string> {
  const { profiles } = Example.parse(parse(await readFile('devices/registry/quality.yaml', 'utf8')))
  return stringify({ profiles: { [PROFILE]: profiles[PROFILE] } })
}
