import type { Databases } from './schema.js'

/** A row of its own among the cursors: the journal whose records they count. */
const MARK = 'journal:'

/**
 * A state outside the data directory outlives it, so it may meet another journal, or the same one restored from a copy, whose
 * sequences mean other records (decision 0012).
 */
export class JournalTie {
  readonly #databases: Databases

  constructor(databases: Databases) {
    this.#databases = databases
  }

  /** Identity of the journal that the cursors of this state count; null for a state that has seen none. */
  async identity(): Promise<string | null> {
    const row = await this.#databases.powerSafe.selectFrom('cursors').select('name').where('name', 'like', `${MARK}%`).executeTakeFirst()
    return row ? row.name.slice(MARK.length) : null
  }

  /**
   * From now on the cursors count the records of this journal, whose newest one is `last`. What was read beyond it is read again:
   * cursors move back to it, refusals of later records go, since other records will have their numbers.
   */
  async adopt(identity: string, last: number): Promise<void> {
    await this.#databases.powerSafe.transaction().execute(async trx => {
      await trx.deleteFrom('cursors').where('name', 'like', `${MARK}%`).execute()
      await trx.updateTable('cursors').set({ sequence: last }).where('sequence', '>', last).execute()
      await trx.deleteFrom('snapshots').where('sequence', '>', last).execute()
      await trx.updateTable('aggregate_marks').set({ sequence: last }).where('sequence', '>', last).execute()
      await trx.deleteFrom('refusals').where('sequence', '>', last).execute()
      await trx
        .insertInto('cursors')
        .values({ name: MARK + identity, sequence: 0 })
        .execute()
    })
  }
}
