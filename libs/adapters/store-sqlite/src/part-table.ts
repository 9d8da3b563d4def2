import type { Database, Statement } from 'better-sqlite3'
import type { Millis } from '#libs/model'
import { formatInstant, HOUR, messageOf } from '#libs/model'
import { StoreError } from './errors.js'
import { START_BITS, START_MASK } from './file.js'
import { hourOf, Part } from './part.js'
import type { Series } from './series.js'

interface PartRow {
  readonly start: Millis
  readonly bytes: Buffer
}

const KEY = `((? << ${START_BITS}) | ?)`
const START = `(key & ${START_MASK}) AS start`

/** The last part of the hour that begins at or before an instant, and where the one after it begins. */
const HOLDING = `
  SELECT ${START}, bytes, (SELECT next.key & ${START_MASK} FROM part AS next WHERE next.key > part.key AND next.key < ${KEY} ORDER BY next.key LIMIT 1) AS next
  FROM part WHERE key BETWEEN ${KEY} AND ${KEY} ORDER BY key DESC LIMIT 1`

/** The parts that may hold points of a span: from the part that holds its begin, if there is one. */
const SPAN = `
  SELECT ${START}, bytes FROM part
  WHERE key >= coalesce((SELECT max(key) FROM part WHERE key BETWEEN ${KEY} AND ${KEY}), ${KEY}) AND key < ${KEY} ORDER BY key`

/** The parts that begin before an instant, newest first. */
const BACKWARDS = `SELECT ${START}, bytes FROM part WHERE key >= ${KEY} AND key < ${KEY} ORDER BY key DESC`

/** Rows of the table `part`: every part of a series but its newest. */
export class PartTable {
  readonly #holding: Statement<number[], PartRow & { readonly next: Millis | null }>
  readonly #span: Statement<number[], PartRow>
  readonly #backwards: Statement<number[], PartRow>
  readonly #save: Statement<[number, Millis, Buffer]>

  constructor(db: Database) {
    this.#backwards = db.prepare(BACKWARDS)
    this.#holding = db.prepare(HOLDING)
    this.#span = db.prepare(SPAN)
    this.#save = db.prepare(`REPLACE INTO part (key, bytes) VALUES (${KEY}, ?)`)
  }

  /** The part that an instant before the tail belongs to; an empty one where its hour has none yet. */
  holding(series: Series, at: Millis, tailStart: Millis): Part {
    const hour = hourOf(at)
    const row = this.#holding.get(series.id, hour + HOUR, series.id, hour, series.id, at)
    const end = Math.min(row?.next ?? hour + HOUR, tailStart)
    return row ? loadPart(series, row, end) : Part.empty(series, hour, end)
  }

  /** Parts of a series that may hold points of `from <= at < to`, in order. Read to its end or left by `break`: it is a running statement. */
  *span(series: Series, from: Millis, to: Millis): Generator<Part> {
    const { id } = series
    for (const row of this.#span.iterate(id, hourOf(from), id, from, id, from, id, to)) yield loadPart(series, row)
  }

  /** Parts of a series that begin before `at`, newest first. Left by `break` like `span`. */
  *backwards(series: Series, at: Millis): Generator<Part> {
    for (const row of this.#backwards.iterate(series.id, 0, series.id, at)) yield loadPart(series, row)
  }

  save(series: Series, part: Part): void {
    this.#save.run(series.id, part.start, part.blob())
    part.changed = false
    part.isNew = false
  }
}

/** Rows of the table `tail`: the newest part of each series. */
export class TailTable {
  readonly #load: Statement<[number], PartRow>
  readonly #save: Statement<[number, Millis, Buffer]>

  constructor(db: Database) {
    this.#load = db.prepare('SELECT start, bytes FROM tail WHERE series_id = ?')
    this.#save = db.prepare('REPLACE INTO tail (series_id, start, bytes) VALUES (?, ?, ?)')
  }

  load(series: Series): Part | undefined {
    const row = this.#load.get(series.id)
    if (!row) return undefined
    const part = loadPart(series, row)
    part.isNew = true // to the table `part`
    return part
  }

  save(series: Series, part: Part): void {
    this.#save.run(series.id, part.start, part.blob())
    part.changed = false
  }
}

/** A part of a row. Throws QT_STORE_DAMAGED with the series and the hour. */
export function loadPart(series: Series, row: PartRow, end?: Millis): Part {
  try {
    return Part.load(series, row.bytes, row.start, end)
  } catch (cause) {
    const where = `${series.station}/${series.parameter}, hour of ${formatInstant(hourOf(row.start))}`
    throw new StoreError('QT_STORE_DAMAGED', `damaged points of ${where}: ${messageOf(cause)}`, { cause })
  }
}
