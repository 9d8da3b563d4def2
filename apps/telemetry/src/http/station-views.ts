import type { z } from 'zod'
import type { Reading, Station } from '#libs/model'
import type { TimeSeriesStore } from '#libs/pipeline'
import type { StationStates } from '../wiring/station-states.js'
import type { Stations } from '../wiring/stations.js'
import type { LatestQuery, LatestView, ListQuery, StationView } from './schemas.js'
import { fromCursor, toCursor } from './schemas.js'
import { readingView } from './views.js'

type StationJson = z.infer<typeof StationView>
type LatestJson = z.infer<typeof LatestView>

interface Sources {
  readonly stations: Stations
  readonly states: StationStates
  readonly newest: Pick<TimeSeriesStore, 'latest'>
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
    const states = await this.#sources.states.of(page)
    const last = rest.length > page.length ? page.at(-1) : undefined
    return { items: page.map(station => ({ ...toJson(station), state: states(station) })), next: last ? toCursor(last.code) : null }
  }

  async station(code: string): Promise<StationJson | null> {
    const station = this.#sources.stations.byCode.get(code)
    if (!station) return null
    const states = await this.#sources.states.of([station])
    return { ...toJson(station), state: states(station) }
  }

  async latest(query: z.infer<typeof LatestQuery>): Promise<{ items: LatestJson[]; next: string | null }> {
    const { newest, states } = this.#sources
    const after = query.after === undefined ? '' : fromCursor(query.after)
    const all = await newest.latest(query.station === undefined ? undefined : [query.station], states.notAhead())
    const rest = all.filter(reading => keyOf(reading) > after)
    const page = rest.slice(0, query.limit)
    const last = rest.length > page.length ? page.at(-1) : undefined
    return { items: page.map(reading => this.#withVerdict(reading)), next: last ? toCursor(keyOf(last)) : null }
  }

  #withVerdict(reading: Reading): LatestJson {
    return { ...readingView(reading), verdict: this.#sources.states.verdictOf(reading) }
  }
}

const keyOf = (reading: Reading): string => `${reading.station}\n${reading.parameter}`

function toJson({ calibration: _, ...station }: Station): Omit<StationJson, 'state'> {
  return { ...station, position: { ...station.position }, parameters: [...station.parameters] }
}
