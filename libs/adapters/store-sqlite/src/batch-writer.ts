import type { Database, Statement } from 'better-sqlite3'
import type { StoredReading, WriteOutcome } from '#libs/pipeline'
import { ConflictTable } from './conflict-table.js'
import { FateTable } from './fate-table.js'
import { HotParts } from './hot-parts.js'
import type { Fate } from './merge.js'
import { merge } from './merge.js'
import type { Part } from './part.js'
import { PartTable, TailTable } from './part-table.js'
import type { Tables } from './part-walk.js'
import { PartWalk } from './part-walk.js'
import { checkStorable } from './record.js'
import type { KnownSeries } from './series.js'
import { Catalogue } from './series.js'

type Written = KnownSeries<StoredReading>
type Counts = { -readonly [K in keyof WriteOutcome]: number }

const HOT_PARTS_BYTES = 16 * 2 ** 20

/**
 * Writes batches. One transaction each: the readings are grouped by series, every part that a group touches is read at most
 * once (a tail that is hot not at all) and written once, and at the end the cursor moves.
 * What it remembers between batches is dropped whenever the file may hold something else.
 */
export class BatchWriter {
  readonly #catalogue: Catalogue<StoredReading>
  readonly #tables: Tables
  readonly #conflicts: ConflictTable
  readonly #fates: FateTable
  readonly #hotTails = new HotParts(HOT_PARTS_BYTES)
  readonly #saveMeta: Statement<[number, number, number]>
  readonly #dataVersion: Statement<[], number>
  readonly #cursor: Statement<[], number>
  readonly #transaction: (readings: readonly StoredReading[], upTo: number) => WriteOutcome
  readonly #beforeCursor: () => void
  #seenVersion = -1
  #newParts = 0
  /** Fates other than `stored`, of the batch at hand. */
  #exceptions = new Map<StoredReading, Fate>()

  constructor(db: Database, beforeCursor: () => void = () => {}) {
    this.#beforeCursor = beforeCursor
    this.#catalogue = new Catalogue(db)
    this.#tables = { parts: new PartTable(db), tails: new TailTable(db) }
    this.#conflicts = new ConflictTable(db)
    this.#fates = new FateTable(db)
    this.#cursor = db.prepare<[], number>('SELECT cursor FROM meta WHERE id = 1').pluck()
    this.#saveMeta = db.prepare(
      'UPDATE meta SET cursor = max(cursor, ?), part_count = part_count + ?, point_count = point_count + ? WHERE id = 1'
    )
    this.#dataVersion = db.prepare<[], number>('PRAGMA data_version').pluck()
    const transaction = db.transaction((readings: readonly StoredReading[], upTo: number) => this.#apply(readings, upTo))
    this.#transaction = (readings, upTo) => transaction.immediate(readings, upTo)
  }

  write(readings: readonly StoredReading[], upTo: number): WriteOutcome {
    try {
      return this.#transaction(readings, upTo)
    } catch (error) {
      this.forget()
      throw error
    }
  }

  /** Drops everything that is remembered of the file. */
  forget(): void {
    this.#hotTails.clear()
    this.#catalogue.clear()
  }

  #apply(readings: readonly StoredReading[], upTo: number): WriteOutcome {
    const version = this.#dataVersion.get() ?? 0
    if (version !== this.#seenVersion) this.forget() // somebody else has committed
    this.#seenVersion = version
    this.#newParts = 0
    const counts: Counts = { stored: 0, replaced: 0, repeated: 0, conflicts: 0, setAside: 0 }
    this.#exceptions.clear()
    for (const series of this.#group(readings)) this.#applySeries(series, counts)
    if (this.#exceptions.size > 0) this.#fates.save(readings, this.#exceptions, this.#cursor.get() ?? 0)
    this.#beforeCursor()
    this.#saveMeta.run(upTo, this.#newParts, counts.stored)
    return counts
  }

  /** Hands the readings to their series; answers the series in the order of the file. */
  #group(readings: readonly StoredReading[]): Written[] {
    const touched: Written[] = []
    let series: Written | undefined
    for (const reading of readings) {
      checkStorable(reading)
      if (series?.parameter !== reading.parameter || series.station !== reading.station) {
        series = this.#catalogue.findOrMake(reading.station, reading.parameter, reading.unit)
      }
      if (series.pending.length === 0) touched.push(series)
      series.pending.push(reading)
    }
    return touched.sort((a, b) => a.id - b.id)
  }

  #applySeries(series: Written, counts: Counts): void {
    const readings = inOrder(series.pending)
    series.pending = []
    const walk = new PartWalk(series, this.#tables, this.#hotTails.get(series.id))
    for (const reading of readings) {
      const fate = this.#place(series, walk.partFor(reading.at), reading)
      counts[fate]++
      if (fate !== 'stored') this.#exceptions.set(reading, fate)
    }
    const { tail, newParts } = walk.finish()
    this.#newParts += newParts
    if (tail) this.#hotTails.set(series.id, tail)
  }

  #place(series: Written, part: Part, reading: StoredReading): Fate {
    const index = part.find(reading.at)
    if (index < 0) {
      part.insert(-1 - index, reading)
      return 'stored'
    }
    return merge(part, index, reading, {
      note: (kept, other) => this.#conflicts.note(series, kept, other),
      swap: (kept, winner) => this.#conflicts.swap(series, kept, winner)
    })
  }
}

/** Ascending by `at`; those of one instant stay in the order in which they came. */
function inOrder(readings: StoredReading[]): StoredReading[] {
  for (let n = 1; n < readings.length; n++) {
    if ((readings[n - 1]?.at ?? 0) > (readings[n]?.at ?? 0)) return readings.sort((a, b) => a.at - b.at)
  }
  return readings
}
