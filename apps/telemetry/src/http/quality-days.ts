import type { DayCounts, Quality } from '#libs/dqi'
import { addCounts, scoreDay } from '#libs/dqi'
import type { Millis, Station, StationKind } from '#libs/model'
import { DAY, formatInstant } from '#libs/model'
import { dayOf } from '#libs/pipeline'
import { ledgerDays } from './ledger-place.js'
import { HttpProblem, notACursor, tooLong } from './problem.js'
import type { QualitySources, StationQuality } from './quality-counts.js'
import { qualityOfStation, rejectedOn } from './quality-counts.js'
import { fromCursor, toCursor } from './schemas.js'

export interface QualityQuery {
  readonly station?: string | undefined
  readonly kind?: StationKind | undefined
  /** Unless told: stations where one station is asked for, otherwise kinds. */
  readonly group?: 'station' | 'kind' | undefined
  readonly from?: Millis | undefined
  readonly to?: Millis | undefined
  readonly limit: number
  readonly after?: string | undefined
}

/** What a data set is made of, with where to look closer. */
export interface QualityPart extends Pick<Quality, 'dqi' | 'band'> {
  readonly name: string
  readonly link: string
}

export interface QualityDay {
  readonly day: Millis
  readonly kind: StationKind
  /** Null for a whole kind. */
  readonly station: string | null
  readonly stations: number
  readonly series: number
  /** Stations left out because the day's readings are not kept any more. */
  readonly notKept: number
  readonly quality: Quality
  readonly lost: DayCounts['lost']
  /** The lowest first; at most 64. */
  readonly parts: readonly QualityPart[]
}

interface DataSet {
  readonly name: string
  readonly kind: StationKind
  readonly station: string | null
  readonly members: readonly Station[]
}

/** Series that a page looks at before it ends: each day of one is read reading by reading. */
const MOST_LOOKS = 2_000
/** A data set cannot be cut, so a larger one is not read at all. */
const LARGEST = 20_000
const LONGEST: Millis = 31 * DAY
const MOST_PARTS = 64

/** Data quality by day of UTC+7 and data set: counted from the readings and the ledger when it is asked for, so late readings need nothing more. */
export class QualityDays {
  readonly #sources: QualitySources

  constructor(sources: QualitySources) {
    this.#sources = sources
  }

  /**
   * Ascending by day, then name; a page may end before `limit`. Days are those of the ledger: none before the first on which anything came.
   * @throws HttpProblem 400 for more than 31 days or a cursor that is none, 422 QT_QUALITY_TOO_WIDE for a kind of more than 20,000 series.
   */
  async page(query: QualityQuery): Promise<{ readonly days: QualityDay[]; readonly next: string | null }> {
    const now = this.#sources.clock()
    if (query.from !== undefined && Math.min(query.to ?? now, now) - query.from > LONGEST) throw tooLong(LONGEST)
    const place = query.after === undefined ? undefined : placeOf(query.after)
    const { begin, last } = ledgerDays(query, { now, first: await this.#sources.pages.firstDay() })
    const sets = dataSets(this.#sources.stations.all, query)
    const days: QualityDay[] = []
    let looks = 0
    for (let day = Math.max(begin, place?.day ?? begin); day <= last; day += DAY) {
      const left = sets.filter(({ name }) => place?.day !== day || name > place.name)
      const rejected = await rejectedOn(this.#sources.pages, day, query.station)
      for (const set of left) {
        if (days.length > 0 && (days.length >= query.limit || looks + sizeOf(set) > MOST_LOOKS)) return { days, next: placeAfter(days) }
        if (sizeOf(set) > LARGEST) throw tooWide(set)
        const members: StationQuality[] = []
        for (const station of set.members)
          members.push(await qualityOfStation(this.#sources, station, { day, now }, rejected.get(station.code)))
        days.push(this.#row(set, day, members))
        looks += sizeOf(set)
      }
    }
    return { days, next: null }
  }

  #row({ kind, station, members }: DataSet, day: Millis, found: readonly StationQuality[]): QualityDay {
    const kept = found.flatMap(({ counts }) => (counts ? [counts] : []))
    const counts = addCounts(kept)
    const parts = station === null ? this.#stationParts(found, day) : this.#seriesParts(found, day)
    return {
      ...{ day, kind, station, stations: members.length, series: sizeOf({ members }), notKept: found.length - kept.length },
      quality: scoreDay(counts, this.#sources.settings),
      lost: counts.lost,
      parts: parts.sort((a, b) => (a.dqi ?? 101) - (b.dqi ?? 101)).slice(0, MOST_PARTS)
    }
  }

  #stationParts(found: readonly StationQuality[], day: Millis): QualityPart[] {
    return found.flatMap(({ station: { code }, counts }) => {
      const span = `from=${encodeURIComponent(formatInstant(day))}&to=${encodeURIComponent(formatInstant(day + DAY))}`
      return counts ? [this.#part(code, counts, `/api/v1/quality?station=${code}&${span}`)] : []
    })
  }

  #seriesParts(found: readonly StationQuality[], day: Millis): QualityPart[] {
    return found.flatMap(({ station: { code }, series }) =>
      series.map(({ parameter, counts }) =>
        this.#part(parameter, counts, `/api/v1/quality/${code}/${encodeURIComponent(parameter)}?day=${formatInstant(day).slice(0, 10)}`)
      )
    )
  }

  #part(name: string, counts: DayCounts, link: string): QualityPart {
    const { dqi, band } = scoreDay(counts, this.#sources.settings)
    return { name, dqi, band, link }
  }
}

const sizeOf = ({ members }: Pick<DataSet, 'members'>): number => members.reduce((sum, { parameters }) => sum + parameters.length, 0)

/** Ascending by name: the registry's stations are, by code. */
function dataSets(all: readonly Station[], { station, kind, group = station === undefined ? 'kind' : 'station' }: QualityQuery): DataSet[] {
  const asked = all.filter(each => (station === undefined || each.code === station) && (kind === undefined || each.kind === kind))
  if (group === 'station') return asked.map(each => ({ name: each.code, kind: each.kind, station: each.code, members: [each] }))
  const kinds = [...new Set(asked.map(each => each.kind))].sort()
  return kinds.map(name => ({ name, kind: name, station: null, members: asked.filter(each => each.kind === name) }))
}

/** After the last row that is shown. */
function placeAfter(days: readonly QualityDay[]): string | null {
  const last = days.at(-1)
  return last ? toCursor(`${last.day}/${last.station ?? last.kind}`) : null
}

/** @throws HttpProblem for a text that no page has given out. */
function placeOf(cursor: string): { readonly day: Millis; readonly name: string } {
  const [, day, name] = /^(\d{1,15})\/([A-Za-z0-9_-]{1,48})$/.exec(fromCursor(cursor)) ?? []
  if (day !== undefined && name !== undefined && dayOf(Number(day)) === Number(day)) return { day: Number(day), name }
  throw notACursor()
}

const tooWide = (set: DataSet): HttpProblem =>
  new HttpProblem(
    422,
    'QT_QUALITY_TOO_WIDE',
    `${set.name} has ${sizeOf(set)} series, more than ${LARGEST}: ask for group=station and a kind, page by page`
  )
