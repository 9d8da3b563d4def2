import { setTimeout as sleep } from 'node:timers/promises'
import { isRetryable } from './errors.js'
import type { Db, Trx } from './schema.js'

const ATTEMPTS = 4
const LONGEST_PAUSE_MS = 50

/**
 * Does `work` in one transaction. Where the database undoes it because of another transaction (deadlock, serialization
 * failure) it is done again, at most three times: so `work` has no effect but through `trx`.
 */
export async function inTransaction<T>(db: Db, work: (trx: Trx) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await db.transaction().execute(work)
    } catch (error) {
      if (attempt === ATTEMPTS || !isRetryable(error)) throw error
      await sleep(Math.random() * LONGEST_PAUSE_MS)
    }
  }
}
