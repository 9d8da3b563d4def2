import type { Database, Statement } from 'better-sqlite3'
import type { SeriesKey } from '#libs/model'

/** A series of the file. */
export interface Series extends SeriesKey {
  readonly id: number
  /** Unit of its first reading. A point in another unit carries its own. */
  readonly unit: string
}

/** A series with what the batch at hand has for it. */
export interface KnownSeries<T> extends Series {
  pending: T[]
}

/** The series of the file, remembered once they have been seen: a series never changes and is never deleted. */
export class Catalogue<T = never> {
  readonly #known = new Map<string, Map<string, KnownSeries<T>>>()
  readonly #find: Statement<[string, string], Series>
  readonly #insert: Statement<[string, string, string]>

  constructor(db: Database) {
    this.#find = db.prepare('SELECT id, station, parameter, unit FROM series WHERE station = ? AND parameter = ?')
    this.#insert = db.prepare('INSERT INTO series (station, parameter, unit) VALUES (?, ?, ?)')
  }

  /** The series if the file has it. */
  find(station: string, parameter: string): KnownSeries<T> | undefined {
    const known = this.#known.get(station)?.get(parameter)
    if (known) return known
    const row = this.#find.get(station, parameter)
    return row && this.#remember({ ...row, pending: [] })
  }

  /** The series, made with the reading's unit where it is new. */
  findOrMake(station: string, parameter: string, unit: string): KnownSeries<T> {
    const found = this.find(station, parameter)
    if (found) return found
    const id = Number(this.#insert.run(station, parameter, unit).lastInsertRowid)
    return this.#remember({ id, station, parameter, unit, pending: [] })
  }

  /** Forgets all: what was remembered of a transaction that was rolled back never was. */
  clear(): void {
    this.#known.clear()
  }

  #remember(series: KnownSeries<T>): KnownSeries<T> {
    let ofStation = this.#known.get(series.station)
    if (!ofStation) {
      ofStation = new Map()
      this.#known.set(series.station, ofStation)
    }
    ofStation.set(series.parameter, series)
    return series
  }
}
