import type { LedgerPages } from '#libs/adapters/state'
import type { DayCounts, DqiSettings, SeriesDay } from '#libs/dqi'
import { addCounts, countDay, withRejected } from '#libs/dqi'
import type { Millis, Reading, Station } from '#libs/model'
import { DAY, SECOND } from '#libs/model'
import type { Clock, TimeSeriesStore } from '#libs/pipeline'
import { expectedReadings } from '#libs/pipeline'
import type { Stations } from '../wiring/stations.js'

/** The readings of a series with the flags that they are scored by: `from <= at < to`, ascending, each instant once. */
export type ReadingsOf = (station: string, parameter: string, from: Millis, to: Millis) => Promise<readonly Reading[]>

export interface QualitySources {
  readonly stations: Pick<Stations, 'all' | 'byCode' | 'profileOf'>
  readonly pages: Pick<LedgerPages, 'firstDay' | 'day' | 'measured' | 'covered'>
  readonly readingsOf: ReadingsOf
  readonly settings: DqiSettings
  readonly clock: Clock
}

/** More than any day can hold: one reading a second. */
const ALL = 100_000

/** Flags as a store of readings gives them. */
export const readingsIn =
  (store: Pick<TimeSeriesStore, 'range'>): ReadingsOf =>
  (station, parameter, from, to) =>
    store.range({ station, parameter, from, to, limit: ALL })

interface Moment {
  readonly day: Millis
  readonly now: Millis
}

export interface QualityOfSeries extends SeriesDay {
  readonly readings: readonly Reading[]
  readonly counts: DayCounts
}

/** A day of a series, as far as it is over. A reading at 00:00 is of the day that begins, as in the ledger. */
export async function qualityOfSeries(
  sources: QualitySources,
  station: Station,
  parameter: string,
  { day, now }: Moment
): Promise<QualityOfSeries> {
  const interval = sources.stations.profileOf(station).intervalMillis
  const readings = await sources.readingsOf(station.code, parameter, day, day + DAY)
  const grid = { from: day, interval, expected: expectedReadings(1, interval, { day, now }) }
  const series = { readings, grid, liveWithin: sources.settings.liveWithinSeconds * SECOND }
  return { ...series, counts: countDay(series) }
}

/** What the ledger tells of a station's day. */
export interface Rejected {
  readonly refused: number
  readonly conflicting: number
  /** Readings measured on the day that were stored. */
  readonly stored: number
}

const NOTHING: Rejected = { refused: 0, conflicting: 0, stored: 0 }

/** By station; those of which nothing came and nothing was measured are left out. */
export async function rejectedOn(pages: QualitySources['pages'], day: Millis, station?: string): Promise<ReadonlyMap<string, Rejected>> {
  const found = new Map<string, Rejected>()
  for (const { receipts, outcomes } of await pages.day(day, station)) {
    const refused = Object.values(receipts.refused).reduce((sum, count) => sum + count, 0)
    found.set(receipts.station, { ...NOTHING, refused, conflicting: outcomes.conflicts })
  }
  for (const { station: code, stored } of await pages.measured(day, station)) found.set(code, { ...(found.get(code) ?? NOTHING), stored })
  return found
}

export interface StationQuality {
  readonly station: Station
  /** Null where the day's readings are not kept any more: then nobody can tell. */
  readonly counts: DayCounts | null
  /** What came of each series and could be stored; what was refused or conflicts is counted for the station alone. */
  readonly series: readonly { readonly parameter: string; readonly counts: DayCounts }[]
}

export async function qualityOfStation(
  sources: QualitySources,
  station: Station,
  moment: Moment,
  rejected: Rejected = NOTHING
): Promise<StationQuality> {
  const series: { parameter: string; counts: DayCounts }[] = []
  for (const parameter of station.parameters) {
    const { counts } = await qualityOfSeries(sources, station, parameter, moment)
    series.push({ parameter, counts })
  }
  const whole = addCounts(series.map(({ counts }) => counts))
  const isKept = rejected.stored === 0 || whole.rules.clean.total > 0
  // An embedded store answers at once: others have their turn between two stations.
  await new Promise(resolve => setImmediate(resolve))
  return isKept ? { station, counts: withRejected(whole, rejected), series } : { station, counts: null, series: [] }
}
