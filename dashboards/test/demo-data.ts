import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** One value as a station sends it. */
export interface Sent {
  readonly station: string
  readonly parameter: string
  readonly at: number
  readonly value: number
  readonly status: string
}

const MINUTE = 60_000
const SILENT = 'AG-CA-PHUTAN-01'
export const CHOSEN = { station: 'AG-KCN-BINHHOA-01', parameter: 'COD' } as const

/** Values of one series, five minutes apart, the last one a minute ago. */
function series(
  now: number,
  station: string,
  parameter: string,
  values: readonly (number | readonly [value: number, status: string])[]
): Sent[] {
  return values.map((entry, i) => {
    const [value, status] = typeof entry === 'number' ? [entry, '00'] : entry
    return { station, parameter, at: now - MINUTE - (values.length - 1 - i) * 5 * MINUTE, value, status }
  })
}

/** By the example registry's limits: every state of a station, an alarm that is raised and cleared, one that stands. */
export const demoData = (now: number): Sent[] => [
  // 90 mg/L: raised, cleared, then calibrated, broken, and good again.
  ...series(now, CHOSEN.station, CHOSEN.parameter, [41, 95, 96, 41, 40, [5, '01'], [0, '02'], 42]),
  ...series(now, CHOSEN.station, 'pH', [7.1, 7.2]),
  ...series(now, 'AG-KCN-BINHLONG-01', 'COD', [41, 95, 96]),
  // 148.5 mg/L: tendency from 118.8; 67.5 mg/L: preparing from 60.75.
  ...series(now, 'AG-KCN-XUANTO-01', 'COD', [120, 121, 122]),
  ...series(now, 'AG-KCN-THANHLOC-01', 'COD', [62, 62, 62]),
  ...series(now, 'AG-CA-CHAUPHU-01', 'DO', [4, [4, '01']]),
  ...series(now, 'AG-CA-CHOMOI-01', 'DO', [4, [4, '02']]),
  ...series(now, 'AG-TV-VAMNAO-01', 'WaterLevel', [1.2, 1.3]),
  ...series(now, SILENT, 'DO', [4])
]

/** State of each station that the data above lead to, by its number; of the last one nothing came. */
export const EXPECTED_CODES: Readonly<Record<string, number>> = {
  [CHOSEN.station]: 0,
  'AG-KCN-XUANTO-01': 1,
  'AG-KCN-THANHLOC-01': 2,
  'AG-KCN-BINHLONG-01': 3,
  [SILENT]: 4,
  'AG-CA-CHAUPHU-01': 5,
  'AG-CA-CHOMOI-01': 6,
  'AG-TV-VAMNAO-01': 7,
  'AG-LUA-TRITON-01': 8
}

/** The example registry, with one station that counts as silent after a second. */
export function demoRegistry(): { readonly dir: string; remove: () => void } {
  const dir = mkdtempSync(join(tmpdir(), 'quantrac-registry-'))
  cpSync('devices/registry', dir, { recursive: true })
  const rules = join(dir, 'rules.yaml')
  writeFileSync(rules, `${readFileSync(rules, 'utf8')}\n  - id: silence-of-one\n    silence: 1s\n    stations: [${SILENT}]\n`)
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) }
}

/** The payload of one station. */
export const payloadOf = (sent: readonly Sent[]): string =>
  JSON.stringify(sent.map(({ at, parameter, value, status }) => ({ at, readings: { [parameter]: { value, status } } })))
