import type { z } from 'zod'
import type { HourlyMean } from '#libs/indices'
import { AQI_SOURCE, dailyAqi, hourlyAqi, WQI_SOURCE, wqi } from '#libs/indices'
import type { Millis, Station } from '#libs/model'
import { DAY, formatInstant, HOUR, VIETNAM_OFFSET } from '#libs/model'
import type { AggregateLog } from '#libs/pipeline'
import type { IndexView } from './indices-schemas.js'
import { canonicalMean } from './published-means.js'

type IndexJson = z.infer<typeof IndexView>
type IndexName = IndexJson['index']

/** Hours before its own that an index looks back upon: a Nowcast twelve, the eight hours of the day's first hour seven. */
const LOOK_BACK: Readonly<Record<IndexName, number>> = { 'aqi-hourly': 11, 'aqi-daily': 30, wqi: 0 }
const DUST_HOURS = 12
const DAY_HOURS = 31
const NO_GAP = null

/** A published mean of an hour, in the parameter's canonical unit. */
interface Hour {
  readonly mean: number
  readonly revision: number
}

type Hours = ReadonlyMap<string, ReadonlyMap<Millis, Hour>>

export interface IndexQuery {
  readonly index: IndexName
  /** Hours or days with `from < end <= to`. */
  readonly from: Millis
  readonly to: Millis
}

/** Indices of a station, computed from its published hourly means whenever they are asked for: a late reading's next revision shows here. */
export class IndexViews {
  readonly #aggregates: Pick<AggregateLog, 'find'>

  constructor(aggregates: Pick<AggregateLog, 'find'>) {
    this.#aggregates = aggregates
  }

  /** Ascending; hours and days in which nothing was measured are left out. */
  async find(station: Station, query: IndexQuery): Promise<IndexJson[]> {
    const hours = await this.#hours(station, { ...query, from: query.from - LOOK_BACK[query.index] * HOUR })
    const ends = new Set([...hours.values()].flatMap(one => [...one.keys()]))
    const step = query.index === 'aqi-daily' ? DAY : HOUR
    const views: IndexJson[] = []
    for (let end = firstEnd(query.from, step); end <= query.to; end += step) {
      const mine = [...ends].some(hour => hour > end - step && hour <= end)
      if (mine) views.push(view(query.index, hours, { start: end - step, end }))
    }
    return views
  }

  async #hours({ code, parameters }: Station, { from, to }: Pick<IndexQuery, 'from' | 'to'>): Promise<Hours> {
    const found = new Map<string, Map<Millis, Hour>>()
    for (const parameter of parameters) {
      const hours = await this.#aggregates.find({ station: code, parameter, period: 'hour', from, to, limit: 1_000 })
      const usable = hours.flatMap((hour): [Millis, Hour][] => {
        const mean = canonicalMean(hour)
        return mean === undefined ? [] : [[hour.end, { mean, revision: hour.revision }]]
      })
      found.set(parameter, new Map(usable))
    }
    return found
  }
}

/** First end of an hour or of a day of UTC+7 after an instant. */
const firstEnd = (from: Millis, step: Millis): Millis => (Math.floor((from + VIETNAM_OFFSET) / step) + 1) * step - VIETNAM_OFFSET

interface Span {
  readonly start: Millis
  readonly end: Millis
}

function view(index: IndexName, hours: Hours, span: Span): IndexJson {
  const common = { index, start: formatInstant(span.start), end: formatInstant(span.end) }
  if (index === 'wqi') {
    const values = new Map(
      [...hours].flatMap(([parameter, means]): [string, number][] => {
        const mean = means.get(span.end)?.mean
        return mean === undefined ? [] : [[parameter, mean]]
      })
    )
    const { value, band, parts, gap } = wqi(values)
    const shown = parts.map(part => ({ parameter: part.parameter, scale: part.group, input: part.value, index: part.index, gap: NO_GAP }))
    return {
      ...common,
      value,
      band: bandView(band),
      deciding: null,
      parts: shown,
      gap,
      source: WQI_SOURCE,
      revisions: revisionsOf(hours, span)
    }
  }
  const count = index === 'aqi-daily' ? DAY_HOURS : DUST_HOURS
  const means = new Map(
    [...hours].filter(([, one]) => one.size > 0).map(([parameter, one]) => [parameter, lastHours(one, span.end, count)])
  )
  const { value, band, deciding, parts, gap } = index === 'aqi-daily' ? dailyAqi(means) : hourlyAqi(means)
  const shown = parts.map(({ concentration, ...part }) => ({ ...part, input: concentration }))
  return { ...common, value, band: bandView(band), deciding, parts: shown, gap, source: AQI_SOURCE, revisions: revisionsOf(hours, span) }
}

const bandView = (band: ReturnType<typeof wqi>['band']): IndexJson['band'] =>
  band && { id: band.id, name: band.name, nameEn: band.nameEn, rgb: [...band.rgb] }

const lastHours = (hours: ReadonlyMap<Millis, Hour>, end: Millis, count: number): HourlyMean[] =>
  Array.from({ length: count }, (_, i) => hours.get(end - (count - 1 - i) * HOUR)?.mean)

/** Of the published means inside the span, by parameter: the highest, which rises when late readings change one of them. */
function revisionsOf(hours: Hours, { start, end }: Span): Record<string, number> {
  const found: Record<string, number> = {}
  for (const [parameter, means] of hours) {
    const inside = [...means].filter(([at]) => at > start && at <= end).map(([, { revision }]) => revision)
    if (inside.length > 0) found[parameter] = Math.max(...inside)
  }
  return found
}
