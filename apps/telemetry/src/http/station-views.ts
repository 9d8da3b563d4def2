import type { z } from 'zod'
import type { CompiledRules } from '#libs/alarms'
import { judge, stationState } from '#libs/alarms'
import type { Millis, Reading, Station, StationState, Verdict } from '#libs/model'
import { CLOCK_TOLERANCE } from '#libs/model'
import type { Alarm, Clock, TimeSeriesStore } from '#libs/pipeline'
import type { Stations } from '../wiring/stations.js'
import type { LatestQuery, LatestView, ListQuery, StationView } from './schemas.js'
import { fromCursor, toCursor } from './schemas.js'
import { readingView } from './views.js'

type StationJson = z.infer<typeof StationView>
type LatestJson = z.infer<typeof LatestView>

interface Sources {
  readonly stations: Stations
  readonly rules: CompiledRules
  readonly newest: Pick<TimeSeriesStore, 'latest'>
  readonly openAlarms: () => Promise<readonly Alarm[]>
  readonly clock: Clock
}

/** Stations and newest readings as the contract shows them: each reading with its verdict, each station with its state. */
export class StationViews {
  readonly #sources: Sources

  constructor(sources: Sources) {
    this.#sources = sources
  }

  has(code: string): boolean {
    return this.#sources.stations.byCode.has(code)
  }

  async stations(query: z.infer<typeof ListQuery>): Promise<{ items: StationJson[]; next: string | null }> {
    const { stations } = this.#sources
    const after = query.after === undefined ? '' : fromCursor(query.after)
    const rest = stations.all.filter(station => station.code > after)
    const page = rest.slice(0, query.limit)
    const states = await this.#states(page)
    const last = rest.length > page.length ? page.at(-1) : undefined
    return { items: page.map(station => ({ ...toJson(station), state: states(station) })), next: last ? toCursor(last.code) : null }
  }

  async station(code: string): Promise<StationJson | null> {
    const station = this.#sources.stations.byCode.get(code)
    if (!station) return null
    const states = await this.#states([station])
    return { ...toJson(station), state: states(station) }
  }

  async latest(query: z.infer<typeof LatestQuery>): Promise<{ items: LatestJson[]; next: string | null }> {
    const { newest } = this.#sources
    const after = query.after === undefined ? '' : fromCursor(query.after)
    const all = await newest.latest(query.station === undefined ? undefined : [query.station], this.#notAhead())
    const rest = all.filter(reading => keyOf(reading) > after)
    const page = rest.slice(0, query.limit)
    const last = rest.length > page.length ? page.at(-1) : undefined
    return { items: page.map(reading => this.#withVerdict(reading)), next: last ? toCursor(keyOf(last)) : null }
  }

  #withVerdict(reading: Reading): LatestJson {
    return { ...readingView(reading), verdict: this.#verdict(reading) }
  }

  /** Readings of a clock that runs ahead are kept, but they are not what the station measures now. */
  #notAhead(): Millis {
    return this.#sources.clock() + CLOCK_TOLERANCE
  }

  #verdict(reading: Reading): Verdict {
    return judge(reading, this.#sources.rules.limitsOf(reading.station, reading.parameter)).verdict
  }

  async #states(stations: readonly Station[]): Promise<(station: Station) => StationState> {
    const { newest: board, openAlarms } = this.#sources
    const [latest, alarms] = await Promise.all([
      board.latest(
        stations.map(s => s.code),
        this.#notAhead()
      ),
      openAlarms()
    ])
    const readings = groupByStation(latest)
    return station => {
      const newest = (readings.get(station.code) ?? []).map(reading => ({ reading, verdict: this.#verdict(reading) }))
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

const keyOf = (reading: Reading): string => `${reading.station}\n${reading.parameter}`

function toJson(station: Station): Omit<StationJson, 'state'> {
  return { ...station, position: { ...station.position }, parameters: [...station.parameters] }
}
