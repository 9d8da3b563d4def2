import type { State } from '#libs/adapters/state'
import { stationState } from '#libs/alarms'
import type { Millis, Reading, Station, StationState, Verdict } from '#libs/model'
import { CLOCK_TOLERANCE } from '#libs/model'
import type { Clock, Standards, TimeSeriesStore } from '#libs/pipeline'

interface Sources {
  readonly standards: Pick<Standards, 'verdictOf'>
  readonly newest: Pick<TimeSeriesStore, 'latest'>
  readonly alarms: State['alarms']
  readonly clock: Clock
}

const OPEN_ALARMS = 1_000

/** The one word for each station, out of its newest readings and its open alarms. */
export class StationStates {
  readonly #sources: Sources

  constructor(sources: Sources) {
    this.#sources = sources
  }

  /** The verdict of a reading under what it is held against. */
  readonly verdictOf = (reading: Reading): Verdict => this.#sources.standards.verdictOf(reading)

  /** Readings of a clock that runs ahead are kept, but they are not what the station measures now. */
  notAhead(): Millis {
    return this.#sources.clock() + CLOCK_TOLERANCE
  }

  async of(stations: readonly Station[]): Promise<(station: Station) => StationState> {
    const codes = stations.map(station => station.code)
    const { newest: board, alarms: all } = this.#sources
    const [latest, { items: alarms }] = await Promise.all([
      board.latest(codes, this.notAhead()),
      all.list({ open: true, limit: OPEN_ALARMS })
    ])
    const readings = groupByStation(latest)
    return station => {
      const newest = (readings.get(station.code) ?? []).map(reading => ({ reading, verdict: this.verdictOf(reading) }))
      return stationState({ newest, open: alarms.filter(alarm => alarm.station === station.code && alarm.clearedAt === null) })
    }
  }
}

function groupByStation(readings: readonly Reading[]): Map<string, Reading[]> {
  const groups = new Map<string, Reading[]>()
  for (const reading of readings) {
    const group = groups.get(reading.station)
    if (group) group.push(reading)
    else groups.set(reading.station, [reading])
  }
  return groups
}
