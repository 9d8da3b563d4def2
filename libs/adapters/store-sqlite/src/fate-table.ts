import type { Database, Statement } from 'better-sqlite3'
import type { ReadingFate, StoredReading } from '#libs/pipeline'
import type { Fate } from './merge.js'

/** Part of the file's format: nothing is taken out or moved. A reading without a row was stored as new. */
const FATES = ['stored', 'replaced', 'repeated', 'conflicts'] as const satisfies readonly Fate[]

/**
 * What became of readings that were not new, as it was decided when their record was first written. Few are: a row costs about
 * ten bytes, and a batch of new readings none.
 */
export class FateTable {
  readonly #save: Statement<[sequence: number, item: number, fate: number]>
  readonly #list: Statement<[after: number, upTo: number], { sequence: number; item: number; fate: number }>

  constructor(db: Database) {
    this.#save = db.prepare('REPLACE INTO fate VALUES (?, ?, ?)')
    this.#list = db.prepare('SELECT sequence, item, fate FROM fate WHERE sequence > ? AND sequence <= ? ORDER BY sequence, item')
  }

  /** `readings`: the batch in the journal's order. What `cursor` covers was decided before, and stays as it was. */
  save(readings: readonly StoredReading[], exceptions: ReadonlyMap<StoredReading, Fate>, cursor: number): void {
    let sequence = 0
    let item = 0
    for (const reading of readings) {
      item = reading.sequence === sequence ? item + 1 : 0
      sequence = reading.sequence
      const fate = sequence > cursor ? exceptions.get(reading) : undefined
      if (fate) this.#save.run(sequence, item, FATES.indexOf(fate))
    }
  }

  list(after: number, upTo: number): ReadingFate[] {
    return this.#list.all(after, upTo).map(({ sequence, item, fate }) => ({ sequence, item, fate: FATES[fate] as ReadingFate['fate'] }))
  }
}
