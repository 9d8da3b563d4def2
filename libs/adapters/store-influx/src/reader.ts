import type { Millis, Reading, SeriesKey } from '#libs/model'
import { EARLIEST, LATEST, seriesId } from '#libs/model'
import type { RangeQuery, StoredReading } from '#libs/pipeline'
import { bucketName } from './catalogue.js'
import type { Columns } from './csv.js'
import { QueryBroken, readCsv } from './csv.js'
import { InfluxStoreError } from './errors.js'
import type { InfluxLink } from './link.js'
import { PointDraft, withoutSequence } from './points.js'
import type { Source } from './queries.js'
import * as queries from './queries.js'
import type { Span } from './spans.js'

type Drafts = Map<Millis, PointDraft>

/** Points of several series, by series and instant. */
export interface Found {
  readonly at: (key: SeriesKey, at: Millis) => StoredReading | undefined
}

interface SeriesDrafts {
  readonly key: SeriesKey
  readonly drafts: Drafts
}

const SPANS_AT_A_TIME = 50
/** Points of a series that `readAll` asks for together with the others of its station, and alone. */
const FIRST_PAGE = 2_000
const PAGE = 20_000
const MOST = 2 ** 31

/** Questions about readings. */
export class InfluxReader {
  readonly #link: InfluxLink
  readonly #source: Source

  constructor(link: InfluxLink, bucket: string) {
    this.#link = link
    this.#source = { bucket: bucketName(bucket, 'readings'), measurement: 'reading' }
  }

  /** Every series with its newest instant. */
  async newest(): Promise<(SeriesKey & { readonly at: Millis })[]> {
    const rows: (SeriesKey & { at: Millis })[] = []
    await ask(this.#link, queries.newestInstants(this.#source), (cells, columns) => {
      rows.push({ ...seriesOf(cells, columns), at: timeOf(cells, columns) })
    })
    return rows
  }

  /** The points of the spans. */
  async find(spans: readonly Span[]): Promise<Found> {
    const all = new Map<string, SeriesDrafts>()
    for (let n = 0; n < spans.length; n += SPANS_AT_A_TIME) {
      await this.#collect(queries.fieldsOf(this.#source, spans.slice(n, n + SPANS_AT_A_TIME)), all)
    }
    return { at: (key, at) => all.get(seriesId(key))?.drafts.get(at)?.stored(key, at) }
  }

  async latest(stations: readonly string[] | undefined, before: Millis): Promise<Reading[]> {
    const cut = Math.min(Math.max(before, EARLIEST), LATEST)
    const [earlier, rest] = await Promise.all([
      this.#newestIn({ from: EARLIEST, to: cut }, stations),
      this.#newestIn({ from: cut, to: LATEST }, stations)
    ])
    return [...new Map([...rest, ...earlier]).values()].sort(bySeries).map(withoutSequence)
  }

  async range(query: RangeQuery): Promise<Reading[]> {
    return (await this.stored(query)).map(withoutSequence)
  }

  /** `range` with the journal's sequences. */
  async stored({ station, parameter, from, to, limit }: RangeQuery): Promise<StoredReading[]> {
    const span = {
      from: Math.max(EARLIEST, Math.ceil(from)),
      to: Math.min(LATEST, Math.ceil(to)),
      limit: Math.min(Math.floor(limit), MOST)
    }
    if (!(span.from < span.to) || !(span.limit >= 1)) return []
    const drafts: Drafts = new Map()
    await ask(this.#link, queries.rangeOf(this.#source, { station, parameter }, span), (cells, columns) => fill(drafts, cells, columns))
    return finished({ station, parameter }, drafts).slice(0, span.limit)
  }

  /** Everything from `from` on and before `to`, ordered by station, parameter and instant, in batches. */
  async *readAll(span: { from?: Millis; to?: Millis } = {}): AsyncGenerator<StoredReading[]> {
    const { from, to } = within(span.from ?? EARLIEST, span.to ?? LATEST)
    if (!(from < to)) return
    const all = (await this.newest()).filter(({ at }) => at >= from).sort(bySeries)
    const stations = [...new Set(all.map(({ station }) => station))]
    for (const station of stations) yield* this.#readStation(station, from, to)
  }

  /** One question for the begin of all series of a station, since most questions cost the same; one more for each page that follows. */
  async *#readStation(station: string, from: Millis, to: Millis): AsyncGenerator<StoredReading[]> {
    const all = new Map<string, SeriesDrafts>()
    await this.#collect(queries.beginOf(this.#source, station, { from, to, limit: FIRST_PAGE }), all)
    for (const { key, drafts } of [...all.values()].sort((a, b) => bySeries(a.key, b.key))) {
      const begin = finished(key, drafts).slice(0, FIRST_PAGE)
      if (begin.length > 0) yield begin
      if (begin.length < FIRST_PAGE) continue
      for (let start = (begin.at(-1)?.at ?? to) + 1; start < to; ) {
        const page = await this.stored({ ...key, from: start, to, limit: PAGE })
        if (page.length > 0) yield page
        if (page.length < PAGE) break
        start = (page.at(-1)?.at ?? to) + 1
      }
    }
  }

  async count(): Promise<number> {
    let count = 0
    await ask(this.#link, queries.countOf(this.#source), (cells, columns) => {
      count += Number(cells[columns['_value'] ?? 0])
    })
    return count
  }

  async oldest(): Promise<Millis | null> {
    let oldest: Millis | null = null
    await ask(this.#link, queries.oldestInstants(this.#source), (cells, columns) => {
      oldest = timeOf(cells, columns)
    })
    return oldest
  }

  /** Newest whole point of each series in a span. */
  async #newestIn(span: { from: Millis; to: Millis }, stations: readonly string[] | undefined): Promise<Map<string, StoredReading>> {
    const found = new Map<string, StoredReading>()
    if (span.from >= span.to || stations?.length === 0) return found
    const wanted = stations && new Set(stations)
    const all = new Map<string, SeriesDrafts>()
    await this.#collect(queries.newestFields(this.#source, span, stations), all)
    for (const [id, { key, drafts }] of all) {
      if (wanted && !wanted.has(key.station)) continue
      const newest = await this.#settle(key, drafts, span.from)
      if (newest) found.set(id, newest)
    }
    return found
  }

  /**
   * Each field's newest value may be of another instant, for a field that is left out where it is usual. What counts is the instant of
   * those that each point has; where they differ, a write came in between, and the point before it is asked for.
   */
  async #settle(key: SeriesKey, drafts: Drafts, from: Millis): Promise<StoredReading | undefined> {
    const newest = Math.max(...drafts.keys())
    const whole = drafts.get(newest)?.stored(key, newest)
    if (whole) return whole
    const instants = [...drafts].sort(([a], [b]) => b - a)
    for (const [at, draft] of instants) if (draft.stored(key, at)) return draft.stored(key, at)
    const [only] = (await this.stored({ ...key, from: Math.max(from, instants.at(-1)?.[0] ?? from), to: newest + 1, limit: MOST })).slice(
      -1
    )
    return only
  }

  async #collect(query: Parameters<typeof ask>[1], all: Map<string, SeriesDrafts>): Promise<void> {
    let last: SeriesDrafts | undefined
    await ask(this.#link, query, (cells, columns) => {
      const station = cells[columns['station'] ?? 0] ?? ''
      const parameter = cells[columns['parameter'] ?? 0] ?? ''
      if (last?.key.station !== station || last.key.parameter !== parameter) last = entryOf(all, { station, parameter })
      fill(last.drafts, cells, columns)
    })
  }
}

/** Asks, and hands the rows over. An answer that breaks off is an error of the whole question. */
export async function ask(
  link: InfluxLink,
  query: Parameters<InfluxLink['query']>[0],
  onRow: (cells: readonly string[], columns: Columns) => void
): Promise<void> {
  const text = await link.query(query)
  try {
    readCsv(text, onRow)
  } catch (cause) {
    if (!(cause instanceof QueryBroken)) throw cause
    throw new InfluxStoreError('QT_INFLUX_FAILED', `InfluxDB broke off an answer: ${cause.message}`, { cause })
  }
}

/** InfluxDB can hold instants that the model has not. */
const within = (from: Millis, to: Millis): { from: Millis; to: Millis } => ({
  from: Math.max(EARLIEST, Math.ceil(from)),
  to: Math.min(LATEST, Math.ceil(to))
})

export const timeOf = (cells: readonly string[], columns: Columns): Millis => Date.parse(cells[columns['_time'] ?? 0] ?? '')

export const seriesOf = (cells: readonly string[], columns: Columns): SeriesKey => ({
  station: cells[columns['station'] ?? 0] ?? '',
  parameter: cells[columns['parameter'] ?? 0] ?? ''
})

/** By code units, like SQLite. */
export function bySeries(a: SeriesKey, b: SeriesKey): number {
  if (a.station !== b.station) return a.station < b.station ? -1 : 1
  return a.parameter === b.parameter ? 0 : a.parameter < b.parameter ? -1 : 1
}

function entryOf(all: Map<string, SeriesDrafts>, key: SeriesKey): SeriesDrafts {
  const id = seriesId(key)
  let entry = all.get(id)
  if (!entry) all.set(id, (entry = { key, drafts: new Map() }))
  return entry
}

function fill(drafts: Drafts, cells: readonly string[], columns: Columns): void {
  const at = timeOf(cells, columns)
  let draft = drafts.get(at)
  if (!draft) drafts.set(at, (draft = new PointDraft()))
  draft.set(cells[columns['_field'] ?? 0] ?? '', cells[columns['_value'] ?? 0] ?? '')
}

function finished(key: SeriesKey, drafts: Drafts): StoredReading[] {
  const readings: StoredReading[] = []
  for (const [at, draft] of drafts) {
    const reading = draft.stored(key, at)
    if (reading) readings.push(reading)
  }
  return readings.sort((a, b) => a.at - b.at)
}
