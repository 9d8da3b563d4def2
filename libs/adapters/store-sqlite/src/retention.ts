import { setImmediate } from 'node:timers/promises'
import type { Database, Statement } from 'better-sqlite3'
import type { Millis } from '#libs/model'
import { START_BITS, START_MASK } from './file.js'
import { hourOf, Part, pointsOf } from './part.js'
import { TailTable } from './part-table.js'
import type { Series } from './series.js'

/** What retention took away. */
export interface Deleted {
  readonly rows: number
  readonly points: number
  readonly conflicts: number
}

/** Rows per transaction, so that a write waits for a few milliseconds at most. */
const ROWS_AT_A_TIME = 1_000

const OLD = `
  SELECT key & ${START_MASK} AS start, substr(bytes, 1, 4) AS head FROM part
  WHERE key >= ? << ${START_BITS} AND key < ((? << ${START_BITS}) | ?) ORDER BY key LIMIT ${ROWS_AT_A_TIME}`
const DELETE = `DELETE FROM part WHERE key >= ? << ${START_BITS} AND key <= ((? << ${START_BITS}) | ?)`

/**
 * Deletes what is older than `hour`, a full hour, a little at a time. The newest point of a series stays, however old it is.
 * The file does not shrink; the room is used again.
 */
export async function deleteOlder(db: Database, hour: Millis, onDelete: () => void): Promise<Deleted> {
  const cutOnce = cutOf(db)
  const total = { rows: 0, points: 0, conflicts: 0 }
  const all = db.prepare<[], Series>('SELECT id, station, parameter, unit FROM series ORDER BY id').all()
  for (const series of all) {
    let cut: Cut
    do {
      cut = cutOnce(series, hour)
      if (!cut.changed) break
      total.rows += cut.rows
      total.points += cut.points
      onDelete()
      await setImmediate()
      if (!db.open) return total
    } while (cut.rows === ROWS_AT_A_TIME)
  }
  total.conflicts = db.prepare('DELETE FROM conflict WHERE at < ?').run(hour).changes
  return total
}

interface Cut {
  readonly rows: number
  readonly points: number
  readonly changed: boolean
}

/** One transaction: up to ROWS_AT_A_TIME rows of a series; with the last of them all but the newest point of its tail. */
function cutOf(db: Database): (series: Series, hour: Millis) => Cut {
  const old: Statement<number[], { readonly start: Millis; readonly head: Buffer }> = db.prepare(OLD)
  const remove = db.prepare<number[]>(DELETE)
  const count = db.prepare<number[]>('UPDATE meta SET part_count = part_count - ?, point_count = point_count - ? WHERE id = 1')
  const tails = new TailTable(db)
  const cut = db.transaction((series: Series, hour: Millis) => {
    const rows = old.all(series.id, series.id, hour)
    const last = rows.at(-1)
    if (last) remove.run(series.id, series.id, last.start)
    const tail = rows.length < ROWS_AT_A_TIME ? cutTail(tails, series, hour) : UNTOUCHED
    const points = rows.reduce((sum, row) => sum + pointsOf(row.head), 0) + tail.points
    count.run(rows.length, points)
    return { rows: rows.length, points, changed: rows.length > 0 || tail.changed }
  })
  return (series, hour) => cut.immediate(series, hour)
}

const UNTOUCHED = { points: 0, changed: false }

/** The point that stays becomes the first part of its hour. */
function cutTail(tails: TailTable, series: Series, hour: Millis): Omit<Cut, 'rows'> {
  const tail = tails.load(series)
  if (!tail || tail.start >= hour) return UNTOUCHED
  const start = hourOf(tail.start)
  const gone = tail.count - 1
  if (gone === 0 && tail.start === start) return UNTOUCHED
  const rest = Part.empty(series, start, tail.end)
  rest.insert(0, tail.stored(gone))
  tails.save(series, rest)
  return { points: gone, changed: true }
}
