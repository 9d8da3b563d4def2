import type { Millis } from '#libs/model'
import type { Databases } from './schema.js'

/** When the server could acknowledge: one row for each run, from its begin to its last sign of life. */
export class Uptime {
  readonly #databases: Databases

  constructor(databases: Databases) {
    this.#databases = databases
  }

  /** The run that began at `since` is still there at `until`. */
  async beat(since: Millis, until: Millis): Promise<void> {
    await this.#databases.killSafe
      .insertInto('ledger_uptime')
      .values({ since, until })
      .onConflict(on => on.column('since').doUpdateSet({ until }))
      .execute()
  }

  /** Begin and end of the runs that touch a window, by turns, and of the run before it; ascending. */
  async runs({ from, to }: { readonly from: Millis; readonly to: Millis }): Promise<Millis[]> {
    const { powerSafe } = this.#databases
    const before = await powerSafe
      .selectFrom('ledger_uptime')
      .selectAll()
      .where('since', '<', from)
      .orderBy('since', 'desc')
      .limit(1)
      .execute()
    const rows = await powerSafe
      .selectFrom('ledger_uptime')
      .selectAll()
      .where('since', '>=', from)
      .where('since', '<=', to)
      .orderBy('since')
      .execute()
    return [...before, ...rows].flatMap(({ since, until }) => [since, until])
  }

  /** When the server first ran; null before it did. */
  async first(): Promise<Millis | null> {
    const row = await this.#databases.powerSafe.selectFrom('ledger_uptime').select('since').orderBy('since').limit(1).executeTakeFirst()
    return row?.since ?? null
  }
}
