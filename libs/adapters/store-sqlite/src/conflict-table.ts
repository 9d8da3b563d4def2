import type { Database, Statement } from 'better-sqlite3'
import type { Millis } from '#libs/model'
import type { Conflict, StoredReading } from '#libs/pipeline'
import { hourOf, Part } from './part.js'
import type { Series } from './series.js'

/** A reading as far as it counts for a conflict: two of one identity and revision that differ in any of these contradict each other. */
export type Content = Pick<StoredReading, 'value' | 'status' | 'unit'>

type Identity = [seriesId: number, at: Millis, revision: number]

/** An other that is known already keeps its earliest journal record, so that the order of arrival leaves no trace. */
const NOTE = `
  INSERT INTO conflict VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET sequence = excluded.sequence, received_at = excluded.received_at, bytes = excluded.bytes
  WHERE excluded.sequence < conflict.sequence`
const KNOWN = `
  SELECT 1 FROM conflict WHERE series_id = ? AND at = ? AND revision = ? AND other = ? AND other_status = ? AND other_unit = ?`
const FORGET = `
  DELETE FROM conflict WHERE series_id = ? AND at = ? AND revision = ? AND other = ? AND other_status = ? AND other_unit = ?`
const KEEP = `
  UPDATE conflict SET kept = ?, kept_status = ?, kept_unit = ? WHERE series_id = ? AND at = ? AND revision = ?`
const LIST = `
  SELECT station, parameter, at, revision, kept, other, sequence, received_at AS receivedAt
  FROM conflict JOIN series ON series.id = series_id
  WHERE sequence > ? ORDER BY sequence, station, parameter, at, revision, other, other_status, other_unit`

/** Readings that lost: kept once each, whatever is replayed. */
export class ConflictTable {
  readonly #known: Statement<[...Identity, number, string, string]>
  readonly #note: Statement
  readonly #forget: Statement<[...Identity, number, string, string]>
  readonly #keep: Statement<[number, string, string, ...Identity]>
  readonly #list: Statement<[number], Conflict>

  constructor(db: Database) {
    this.#known = db.prepare(KNOWN)
    this.#note = db.prepare(NOTE)
    this.#forget = db.prepare(FORGET)
    this.#keep = db.prepare(KEEP)
    this.#list = db.prepare(LIST)
  }

  /** `other` contradicts `kept`, which stays. True when that is news. */
  note(series: Series, kept: Content, other: StoredReading): boolean {
    const { at, revision } = other
    const known = this.#known.get(series.id, at, revision, other.value, other.status, other.unit) !== undefined
    const identity = [series.id, at, revision, other.value, other.status, other.unit]
    const rest = [kept.value, kept.status, kept.unit, other.sequence, other.receivedAt, packOne(series, other)]
    this.#note.run(...identity, ...rest)
    return !known
  }

  /** An earlier journal record turned up and takes the place of `kept`. True when its content is news. */
  swap(series: Series, kept: StoredReading, winner: StoredReading): boolean {
    const { at, revision } = winner
    const known = this.#forget.run(series.id, at, revision, winner.value, winner.status, winner.unit).changes > 0
    this.#keep.run(winner.value, winner.status, winner.unit, series.id, at, revision)
    this.note(series, winner, kept)
    return !known
  }

  /**
   * In ascending sequence after `after`. A page never ends inside a journal record, so that reading on after its last sequence
   * misses none: it holds at most `limit`, unless the first record alone has more.
   */
  list(after: number, limit: number): Conflict[] {
    const page: Conflict[] = []
    if (limit < 1) return page
    let wholeRecords = 0
    for (const conflict of this.#list.iterate(after)) {
      if (page.length > 0 && conflict.sequence !== page.at(-1)?.sequence) wholeRecords = page.length
      if (page.length >= limit && wholeRecords > 0) return page.slice(0, wholeRecords)
      page.push(conflict)
    }
    return page
  }
}

/** One reading as the blob of a part of one point. */
function packOne(series: Series, reading: StoredReading): Buffer {
  const start = hourOf(reading.at)
  const part = Part.empty(series, start, start + 1)
  part.insert(0, reading)
  return part.blob()
}
