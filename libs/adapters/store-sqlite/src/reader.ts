import type { Database, Statement } from 'better-sqlite3'
import type { Millis, Reading, SeriesKey } from '#libs/model'
import { EARLIEST, LATEST } from '#libs/model'
import type { RangeQuery, StoredReading } from '#libs/pipeline'
import { START_BITS, START_MASK } from './file.js'
import type { Part } from './part.js'
import { loadPart, PartTable, TailTable } from './part-table.js'
import type { Series } from './series.js'
import { Catalogue } from './series.js'

/** What the store holds. */
export interface StoreStats {
  readonly series: number
  /** Rows of packed points: one per series and hour in normal life. */
  readonly rows: number
  readonly points: number
  readonly conflicts: number
  /** Size of the file, room for reuse included; the WAL beside it is not counted. */
  readonly bytes: number
  /** Beginning of the oldest hour, and newest instant; null for an empty store. */
  readonly span: { readonly from: Millis; readonly to: Millis } | null
}

interface TailRow extends Series {
  readonly start: Millis
  readonly bytes: Buffer
}

const LATEST_OF = `
  SELECT id, station, parameter, unit, start, bytes FROM tail JOIN series ON series.id = series_id`
const IN_ORDER = 'ORDER BY station, parameter'
const COUNTS = `
  SELECT (SELECT count(*) FROM series) AS series, part_count + (SELECT count(*) FROM tail) AS rows, point_count AS points,
    (SELECT count(*) FROM conflict) AS conflicts,
    (SELECT page_count * page_size FROM pragma_page_count, pragma_page_size) AS bytes
  FROM meta`
/** The first part of each series: the oldest row of its own, or else its tail. */
const OLDEST = `
  SELECT min(coalesce(
    (SELECT key & ${START_MASK} FROM part WHERE key BETWEEN series_id << ${START_BITS} AND (series_id << ${START_BITS}) | ${START_MASK} ORDER BY key LIMIT 1),
    start)) FROM tail`

/** Answers questions. Works on a connection that writes as well as on one that was opened to read, in any thread or process. */
export class Reader {
  readonly #catalogue: Catalogue
  readonly #parts: PartTable
  readonly #latest: Statement<[], TailRow>
  readonly #latestOf: Statement<[string], TailRow>
  readonly #cursor: Statement<[], number>
  readonly #tails: TailTable
  readonly #counts: Statement<[], Omit<StoreStats, 'span'>>
  readonly #oldest: Statement<[], Millis | null>
  readonly #atOneMoment: <T>(work: () => T) => T

  constructor(db: Database) {
    this.#catalogue = new Catalogue(db)
    this.#parts = new PartTable(db)
    this.#latest = db.prepare(`${LATEST_OF} ${IN_ORDER}`)
    this.#latestOf = db.prepare(`${LATEST_OF} WHERE station IN (SELECT value FROM json_each(?)) ${IN_ORDER}`)
    this.#cursor = db.prepare<[], number>('SELECT cursor FROM meta').pluck()
    this.#tails = new TailTable(db)
    this.#counts = db.prepare(COUNTS)
    this.#oldest = db.prepare<[], Millis | null>(OLDEST).pluck()
    const transaction = db.transaction((work: () => unknown) => work())
    this.#atOneMoment = <T>(work: () => T) => transaction(work) as T
  }

  cursor(): number {
    return this.#cursor.get() ?? 0
  }

  latest(stations: readonly string[] | undefined, before: Millis): Reading[] {
    // Between two statements the writer may move a tail.
    return this.#atOneMoment(() => {
      const rows = stations ? this.#latestOf.all(JSON.stringify(stations)) : this.#latest.all()
      return rows.map(row => this.#newestBefore(row, loadPart(row, row), before))
    })
  }

  /** The newest point before an instant; where there is none, the newest of all. */
  #newestBefore(series: Series, tail: Part, before: Millis): Reading {
    const last = newest(tail)
    if (last.at < before) return last
    const inTail = lastBefore(tail, before)
    if (inTail) return inTail
    for (const part of this.#parts.backwards(series, before)) {
      const found = lastBefore(part, before)
      if (found) return found
    }
    return last
  }

  range(query: RangeQuery): Reading[] {
    return this.#points(query, (part, index) => part.reading(index))
  }

  /** `range` with the journal's sequences. */
  stored(query: RangeQuery): StoredReading[] {
    return this.#points(query, (part, index) => part.stored(index))
  }

  /** Every series, by station and parameter. */
  series(): SeriesKey[] {
    return this.#latest.all().map(({ station, parameter }) => ({ station, parameter }))
  }

  #points<T>({ station, parameter, from, to, limit }: RangeQuery, pointAt: (part: Part, index: number) => T): T[] {
    const first = Math.max(EARLIEST, Math.ceil(from))
    const end = Math.min(LATEST, Math.ceil(to))
    const series = this.#catalogue.find(station, parameter)
    if (!series || !(first < end) || !(limit >= 1)) return []
    // Between two statements the writer may move a tail.
    return this.#atOneMoment(() => {
      const points: T[] = []
      for (const part of this.#partsOf(series, first, end)) {
        const found = part.find(first)
        for (let index = found < 0 ? -1 - found : found; index < part.count; index++) {
          if (part.at(index) >= end) return points
          points.push(pointAt(part, index))
          if (points.length >= limit) return points
        }
      }
      return points
    })
  }

  stats(): StoreStats {
    return this.#atOneMoment(() => {
      const counts = this.#counts.get()
      if (!counts) throw new TypeError('the table meta has no row')
      const from = this.#oldest.get() ?? null
      if (from === null) return { ...counts, span: null }
      const to = this.#latest.all().reduce((last, row) => Math.max(last, newest(loadPart(row, row)).at), from)
      return { ...counts, span: { from, to } }
    })
  }

  *#partsOf(series: Series, from: Millis, to: Millis): Generator<Part> {
    yield* this.#parts.span(series, from, to)
    const tail = this.#tails.load(series)
    if (tail) yield tail
  }
}

function lastBefore(part: Part, before: Millis): Reading | undefined {
  const found = part.find(before)
  const index = (found < 0 ? -1 - found : found) - 1
  return index < 0 ? undefined : part.reading(index)
}

const newest = (part: Part): Reading => part.reading(part.count - 1)
