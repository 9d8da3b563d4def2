import type { AlarmTransition } from '#libs/pipeline'
import { moveCursor, readCursor } from './cursors.js'
import { parseTransition } from './recording.js'
import type { Databases } from './schema.js'

/** Recorded transitions in their order, for readers who keep a place of their own: each sees every one, also after a restart. */
export class Transitions {
  readonly #databases: Databases

  constructor(databases: Databases) {
    this.#databases = databases
  }

  /** At most `limit` of those recorded after `position`. */
  async after(position: number, limit: number): Promise<{ readonly position: number; readonly transition: AlarmTransition }[]> {
    const rows = await this.#databases.powerSafe
      .selectFrom('transitions')
      .select(['position', 'body'])
      .where('position', '>', position)
      .orderBy('position')
      .limit(limit)
      .execute()
    return rows.map(row => ({ position: row.position, transition: parseTransition(row) }))
  }

  /** Position up to which this reader is done; 0 before its first. */
  place(reader: string): Promise<number> {
    return readCursor(this.#databases.killSafe, reader)
  }

  /** Keeps the reader's place; never moves it back. */
  async passed(reader: string, position: number): Promise<void> {
    await this.#databases.killSafe.transaction().execute(trx => moveCursor(trx, reader, position))
  }
}
