import { join } from 'node:path'
import Database from 'better-sqlite3'
import { asStateError } from './errors.js'
import { STATE_FILE } from './state.js'

/** What a state file knows of the journal. */
export interface StateStand {
  /** Name of the newest migration it has been through. */
  readonly schema: string
  /** `sequence`: applied up to there. `kept`: what a restart would read again begins after it. */
  readonly positions: readonly { readonly consumer: string; readonly sequence: number; readonly kept: number }[]
}

/**
 * Reads how far the consumers had come in the state file of a directory, without changing it, not even to a newer schema.
 * @throws StateError QT_STATE_CORRUPT, QT_STATE_FAILED
 */
export function inspectState(dataDir: string): StateStand {
  let db: Database.Database | undefined
  try {
    db = new Database(join(dataDir, STATE_FILE), { readonly: true, fileMustExist: true })
    const schema = db.prepare<[], string>('SELECT max(name) FROM kysely_migration').pluck().get() ?? ''
    const positions = db.prepare<[], { consumer: string; sequence: number; kept: number }>(
      `SELECT c.name AS consumer, c.sequence AS sequence, min(c.sequence, coalesce(s.sequence, c.sequence)) AS kept
       FROM cursors c LEFT JOIN snapshots s ON s.name = c.name ORDER BY c.name`
    )
    return { schema, positions: positions.all() }
  } catch (error) {
    throw asStateError(error)
  } finally {
    db?.close()
  }
}
