import { join } from 'node:path'
import Database from 'better-sqlite3'
import { JournalError, toJournalError } from './errors.js'

export interface DirectoryLock {
  release(): void
}

/**
 * Makes this the only writer of the folder: an exclusive SQLite lock on the empty file `journal.lock`. It is a lock of the
 * kernel, which lets go when the process ends, however it ends; the file itself stays and means nothing.
 *
 * Throws QT_JOURNAL_LOCKED when another journal, in this process or another, holds it.
 */
export function lockDirectory(dir: string): DirectoryLock {
  let db: Database.Database | undefined
  try {
    db = new Database(join(dir, 'journal.lock'), { timeout: 0 })
    db.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    db?.close()
    if (String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY')) {
      throw new JournalError('QT_JOURNAL_LOCKED', `another process writes the journal in ${dir}`, { cause: error })
    }
    throw toJournalError(error)
  }
  return { release: () => db.close() } // closing rolls the empty transaction back
}
