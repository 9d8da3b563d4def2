import type { LedgerPages, Uptime } from '#libs/adapters/state'
import type { Millis, Station } from '#libs/model'
import { DAY, seriesId } from '#libs/model'
import type { Clock, Evidence, Gap } from '#libs/pipeline'
import { dayOf, downtimes, GAP_INTERVALS, gapsOf } from '#libs/pipeline'
import type { Stations } from '../wiring/stations.js'
import type { LedgerPlace } from './ledger-place.js'
import { ledgerDays, placeAfter, placeOf } from './ledger-place.js'

interface Sources {
  readonly pages: Pick<LedgerPages, 'firstDay' | 'covered' | 'evidence' | 'offline'>
  readonly uptime: Pick<Uptime, 'runs' | 'first'>
  readonly stations: Pick<Stations, 'all' | 'profileOf'>
  readonly clock: Clock
}

export interface GapQuery {
  readonly station?: string | undefined
  readonly parameter?: string | undefined
  readonly from?: Millis | undefined
  readonly to?: Millis | undefined
  readonly limit: number
  readonly after?: string | undefined
}

export interface SeriesGap extends Gap {
  readonly station: string
  readonly parameter: string
  readonly day: Millis
}

/** Stations that are looked at together. */
const TOGETHER = 50
/** Looks of one request: with few gaps in a large registry a page ends before it is full, and says where to go on. */
const MOST_LOOKS = 12

/** The gaps of the registry's series, day by day of UTC+7. */
export class LedgerGaps {
  readonly #sources: Sources

  constructor(sources: Sources) {
    this.#sources = sources
  }

  /** Ascending by day, station and begin; a page never ends inside a station's day. @throws HttpProblem for a cursor that is none. */
  async page(query: GapQuery): Promise<{ readonly gaps: SeriesGap[]; readonly next: string | null }> {
    const place = query.after === undefined ? undefined : placeOf(query.after)
    const now = this.#sources.clock()
    const { begin, last } = ledgerDays(query, { now, first: await this.#sources.pages.firstDay() })
    const all = this.#sources.stations.all.filter(({ code }) => query.station === undefined || code === query.station)
    const gaps: SeriesGap[] = []
    let looks = 0
    for (let day = Math.max(begin, place?.day ?? begin); day <= last; day += DAY) {
      const left = all.filter(({ code }) => place?.day !== day || code > place.station)
      for (let n = 0; n < left.length; n += TOGETHER) {
        const stations = left.slice(n, n + TOGETHER)
        const found = await this.#gapsOf(stations, day, { ...query, now })
        for (const station of stations) {
          gaps.push(...(found.get(station.code) ?? []))
          if (gaps.length >= query.limit) return { gaps, next: this.#after({ day, station: station.code }, all, last) }
        }
        const end = stations.at(-1)
        if (++looks >= MOST_LOOKS && end) return { gaps, next: this.#after({ day, station: end.code }, all, last) }
      }
    }
    return { gaps, next: null }
  }

  #after(place: LedgerPlace, all: readonly Station[], last: Millis): string | null {
    return place.day >= last && place.station === all.at(-1)?.code ? null : placeAfter(place)
  }

  async #gapsOf(stations: readonly Station[], day: Millis, query: GapQuery & { readonly now: Millis }): Promise<Map<string, SeriesGap[]>> {
    const window = { from: Math.max(day, query.from ?? day), to: Math.min(day + DAY, query.to ?? day + DAY) }
    const around = await this.#lookAround(stations, day, window)
    return new Map(
      stations.map(station => {
        const interval = this.#sources.stations.profileOf(station).intervalMillis
        const parameters = station.parameters.filter(code => query.parameter === undefined || code === query.parameter)
        const gaps = parameters.flatMap(parameter =>
          gapsOf({
            covered: around.covered.get(seriesId({ station: station.code, parameter })) ?? [],
            evidence: around.evidenceOf(station.code, parameter),
            interval,
            tolerance: GAP_INTERVALS * interval,
            window,
            begin: around.begin,
            now: query.now
          }).map(gap => ({ station: station.code, parameter, day, ...gap }))
        )
        return [station.code, gaps.sort((a, b) => a.from - b.from)]
      })
    )
  }

  /** What is known of these stations on a day and on the days beside it, so that a gap over midnight is one. */
  async #lookAround(stations: readonly Station[], day: Millis, window: { from: Millis; to: Millis }) {
    const { pages, uptime } = this.#sources
    const codes = stations.map(({ code }) => code)
    const wide = { from: dayOf(window.from) - DAY, to: day + 2 * DAY }
    const [rows, came, offline, runs, first] = await Promise.all([
      pages.covered(codes, day - DAY, day + DAY),
      pages.evidence(codes, day - DAY, day + DAY),
      pages.offline(codes, wide),
      uptime.runs(wide),
      uptime.first()
    ])
    const covered = grouped(rows, seriesId, row => row.covered)
    const server = downtimes(runs, wide)
    const silence = grouped(
      offline,
      ({ station }) => station,
      span => [span.since, span.until ?? wide.to]
    )
    const evidenceOf = (station: string, parameter: string): Evidence => {
      const days = came.filter(each => each.station === station)
      return {
        server,
        offline: silence.get(station) ?? [],
        clock: days.flatMap(each => each.clock),
        refused: days.flatMap(each => [...(each.refusedSpans[''] ?? []), ...(each.refusedSpans[parameter] ?? [])]),
        absent: days.flatMap(each => each.came)
      }
    }
    return { covered, evidenceOf, begin: first ?? wide.to }
  }
}

function grouped<T>(rows: readonly T[], key: (row: T) => string, spans: (row: T) => readonly Millis[]): Map<string, Millis[]> {
  const groups = new Map<string, Millis[]>()
  for (const row of rows) groups.set(key(row), [...(groups.get(key(row)) ?? []), ...spans(row)])
  return groups
}
