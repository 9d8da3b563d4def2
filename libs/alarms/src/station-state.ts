import type { Reading, StationState, Verdict } from '#libs/model'
import { CALIBRATING, DEVICE_FAULT } from '#libs/model'
import type { Alarm } from './alarm.js'

export interface StationView {
  /** The newest reading of each parameter with its verdict (`judge`). Empty before the first. */
  readonly newest: readonly { readonly reading: Pick<Reading, 'status' | 'flag' | 'flags'>; readonly verdict: Verdict }[]
  /** Alarms of the station that are not cleared. */
  readonly open: readonly Pick<Alarm, 'kind' | 'severity'>[]
}

const BANDS = ['exceeds', 'preparing', 'tendency'] as const

/**
 * The one word for a station, in the ministry's order: offline > fault > adjusting > exceeds > preparing > tendency > good
 * (regulations.md 1.6). An open alarm holds its band until it clears, also while the newest value lies within. `no-limit` where
 * no parameter has one: never good. `unknown` before the first reading, and where limits exist but nothing can be held against them.
 */
export function stationState({ newest, open }: StationView): StationState {
  if (open.some(alarm => alarm.kind === 'silence')) return 'offline'
  if (newest.some(({ reading }) => isFault(reading))) return 'fault'
  if (newest.some(({ reading }) => reading.status === CALIBRATING)) return 'adjusting'
  const verdicts = new Set<Verdict>([...newest.map(({ verdict }) => verdict), ...open.map(({ severity }) => severity)])
  for (const band of BANDS) if (verdicts.has(band)) return band
  if (verdicts.has('within')) return 'good'
  return newest.length > 0 && newest.every(({ verdict }) => verdict === 'no-limit') ? 'no-limit' : 'unknown'
}

/** The device says so, or the value is one that cannot be. */
const isFault = ({ status, flag, flags }: Pick<Reading, 'status' | 'flag' | 'flags'>): boolean =>
  status === DEVICE_FAULT || (flag === 4 && flags.includes('out-of-range') && status !== CALIBRATING)
