import type { State } from '#libs/adapters/state'
import { stationState } from '#libs/alarms'
import type { Millis, Reading, Station, StationState, Verdict } from '#libs/model'
import { CLOCK_TOLERANCE, DAY, HOUR, seriesId } from '#libs/model'
import type { AggregateLog, Clock, Standards, TimeSeriesStore } from '#libs/pipeline'
import { questionOf } from '#libs/pipeline'

interface Sources {
  readonly standards: Pick<Standards, 'judgeReading' | 'judge'>
  readonly aggregates: Pick<AggregateLog, 'find'>
  readonly newest: Pick<TimeSeriesStore, 'latest'>
  readonly alarms: State['alarms']
  readonly clock: Clock
}

const OPEN_ALARMS = 1_000

/** Means that a limit may be set for, and how old the newest published one may be to speak for the station now. */
const MEANS = [
  { period: 'hour', within: 3 * HOUR },
  { period: 'day', within: 2 * DAY }
] as const
const MOST_MEANS = 3

/**
 * The one word for each station, out of its newest readings and its open alarms. Where the law sets limits for means alone (ambient air), the
 * newest published hour and day speak for the reading.
 */
export class StationStates {
  readonly #sources: Sources

  constructor(sources: Sources) {
    this.#sources = sources
  }

  /** The verdict of a reading under what it is held against. */
  readonly verdictOf = (reading: Reading): Verdict => this.#sources.standards.judgeReading(reading).verdict

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
    const ofMeans = await this.#verdictsOfMeans(latest)
    return station => {
      const newest = (readings.get(station.code) ?? []).flatMap(reading => {
        const verdicts = ofMeans.get(seriesId(reading)) ?? [this.verdictOf(reading)]
        return verdicts.map(verdict => ({ reading, verdict }))
      })
      return stationState({ newest, open: alarms.filter(alarm => alarm.station === station.code && alarm.clearedAt === null) })
    }
  }

  /** By series: of those whose limits are for means. */
  async #verdictsOfMeans(latest: readonly Reading[]): Promise<Map<string, readonly Verdict[]>> {
    const { standards, aggregates, clock } = this.#sources
    const found = new Map<string, readonly Verdict[]>()
    for (const reading of latest) {
      if (standards.judgeReading(reading).legal?.reason !== 'other-window') continue
      const { station, parameter } = reading
      const verdicts: Verdict[] = []
      for (const { period, within } of MEANS) {
        const published = await aggregates.find({ station, parameter, period, from: clock() - within, to: clock(), limit: MOST_MEANS })
        const newest = published.at(-1)
        if (newest) verdicts.push(standards.judge(questionOf(newest)).verdict)
      }
      found.set(seriesId(reading), verdicts.length === 0 ? ['not-evaluated'] : verdicts)
    }
    return found
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
