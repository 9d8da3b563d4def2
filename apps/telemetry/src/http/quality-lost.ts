import type { State } from '#libs/adapters/state'
import type { Criterion, DayCounts, LostReason, Quality } from '#libs/dqi'
import { addCounts, CRITERION_OF, incompleteStretches, pointsOf, scoreDay } from '#libs/dqi'
import type { Millis, Reading, Station } from '#libs/model'
import { DAY } from '#libs/model'
import type { Refusal } from '#libs/pipeline'
import { notACursor } from './problem.js'
import type { QualityOfSeries, QualitySources } from './quality-counts.js'
import { qualityOfSeries, rejectedOn } from './quality-counts.js'
import { fromCursor, toCursor } from './schemas.js'

/** What lost points: a reading, a stretch without readings, or what was refused. */
export interface LostPoint {
  readonly at: Millis
  readonly reasons: readonly LostReason[]
  readonly what:
    | { readonly kind: 'missing'; readonly to: Millis; readonly missing: number }
    | { readonly kind: 'reading'; readonly reading: Reading }
    | { readonly kind: 'refused'; readonly refusal: Refusal }
}

export interface SeriesQuality {
  readonly quality: Quality
  readonly lost: DayCounts['lost']
  /** False: the ledger tells of readings that are not kept any more, so nobody can tell. */
  readonly isKept: boolean
  /** Of the whole station, by day of receipt. */
  readonly rejected: { readonly refused: number; readonly conflicting: number }
  /** False: refusals of the day may be missing here, since too many came after it. */
  readonly refusalsListed: boolean
  readonly items: readonly LostPoint[]
  readonly next: string | null
}

export interface LostQuery {
  readonly parameter: string
  readonly day: Millis
  readonly criterion?: Criterion | undefined
  readonly limit: number
  readonly after?: string | undefined
}

/** Refusals are listed from the newest on: so many are looked through for a day. */
const REFUSALS_AT_ONCE = 250
const MOST_REFUSAL_PAGES = 8

type RefusalList = Pick<State['refusals'], 'list'>

interface ListedRefusals {
  /** Ascending. */
  readonly refusals: readonly LostPoint[]
  readonly isWhole: boolean
}
const NO_REFUSALS: ListedRefusals = { refusals: [], isWhole: true }

/** Why a day of a series is scored as it is: what stands behind each point that it lost. */
export class QualityLost {
  readonly #sources: QualitySources
  readonly #refusals: RefusalList

  constructor(sources: QualitySources, refusals: RefusalList) {
    this.#sources = sources
    this.#refusals = refusals
  }

  /** Ascending in time. @throws HttpProblem for a cursor that is none. */
  async page(station: Station, query: LostQuery): Promise<SeriesQuality> {
    const { parameter, day, criterion, limit, after } = query
    const place = after === undefined ? null : placeOf(after)
    const { refused = 0, conflicting = 0 } = (await rejectedOn(this.#sources.pages, day, station.code)).get(station.code) ?? {}
    const series = await qualityOfSeries(this.#sources, station, parameter, { day, now: this.#sources.clock() })
    const isKept = series.readings.length > 0 || !(await this.#wasMeasured(station.code, parameter, day))
    const { refusals, isWhole } = refused === 0 ? NO_REFUSALS : await this.#refusalsOf(station.code, parameter, day)
    const counts = isKept ? series.counts : addCounts([])
    const all = [...(isKept ? missingOf(series) : []), ...readingsOf(series), ...refusals].filter(
      ({ reasons }) => criterion === undefined || reasons.some(reason => CRITERION_OF[reason] === criterion)
    )
    const left = inOrder(all).filter(({ key }) => place === null || compare(key, place) > 0)
    const shown = left.slice(0, limit)
    const last = shown.at(-1)
    return {
      quality: scoreDay(counts, this.#sources.settings),
      ...{ lost: counts.lost, isKept, rejected: { refused, conflicting }, refusalsListed: isWhole },
      items: shown.map(({ point }) => point),
      next: left.length > limit && last ? toCursor(last.key.join('/')) : null
    }
  }

  async #wasMeasured(station: string, parameter: string, day: Millis): Promise<boolean> {
    const covered = await this.#sources.pages.covered([station], day, day)
    return covered.some(series => series.parameter === parameter && series.covered.length > 0)
  }

  /** Of the parameter, and of whole messages that may have held it; received on the day, since many tell no time. */
  async #refusalsOf(station: string, parameter: string, day: Millis): Promise<ListedRefusals> {
    const refusals: LostPoint[] = []
    let after: string | null = null
    for (let n = 0; n < MOST_REFUSAL_PAGES; n++) {
      const page = await this.#refusals.list({ station, limit: REFUSALS_AT_ONCE, ...(after === null ? {} : { after }) })
      const mine = page.items.filter(
        one => one.receivedAt >= day && one.receivedAt < day + DAY && (one.parameter === null || one.parameter === parameter)
      )
      refusals.push(...mine.map(toPoint))
      after = page.next
      if (after === null || (page.items.at(-1)?.receivedAt ?? 0) < day) return { refusals: refusals.reverse(), isWhole: true }
    }
    return { refusals: refusals.reverse(), isWhole: false }
  }
}

const toPoint = (refusal: Refusal): LostPoint => ({ at: refusal.receivedAt, reasons: ['refused'], what: { kind: 'refused', refusal } })

const missingOf = (series: QualityOfSeries): LostPoint[] =>
  incompleteStretches(series).map(({ from, to, missing }) => ({ at: from, reasons: ['missing'], what: { kind: 'missing', to, missing } }))

const readingsOf = ({ readings, liveWithin }: QualityOfSeries): LostPoint[] =>
  readings.flatMap((reading): LostPoint[] => {
    const { lost } = pointsOf(reading, liveWithin)
    return lost.length === 0 ? [] : [{ at: reading.at, reasons: lost, what: { kind: 'reading', reading } }]
  })

/** Instant, kind, journal record, and the place among those that have all of these in common. */
type Key = readonly [at: Millis, kind: number, sequence: number, item: number]

interface Placed {
  readonly point: LostPoint
  readonly key: Key
}

const KINDS = { missing: 0, reading: 1, refused: 2 }

function inOrder(points: readonly LostPoint[]): Placed[] {
  const seen = new Map<string, number>()
  const placed = points.map((point): Placed => {
    const { at, what } = point
    const key = [at, KINDS[what.kind], what.kind === 'refused' ? what.refusal.sequence : 0] as const
    const item = seen.get(key.join('/')) ?? 0
    seen.set(key.join('/'), item + 1)
    return { point, key: [...key, item] }
  })
  return placed.sort((a, b) => compare(a.key, b.key))
}

function compare(a: Key, b: Key): number {
  for (const [n, part] of a.entries()) if (part !== b[n]) return part - (b[n] ?? 0)
  return 0
}

function placeOf(cursor: string): Key {
  const [, at, kind, sequence, item] = /^(\d{1,15})\/([012])\/(\d{1,15})\/(\d{1,6})$/.exec(fromCursor(cursor)) ?? []
  if (at !== undefined) return [Number(at), Number(kind), Number(sequence), Number(item)]
  throw notACursor()
}
