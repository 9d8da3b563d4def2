import Database from 'better-sqlite3'
import { asBackupError } from './errors.js'

/** Pages copied before the thread may do something else, such as hear a signal: 1 MiB of 4 KiB pages. */
const PAGES_A_STEP = 256

export interface Copied {
  /** `PRAGMA user_version`: the layout's version where a library keeps it there; 0 elsewhere. */
  readonly userVersion: number
}

/**
 * Copies a SQLite file as it is at one instant, with SQLite's own backup, while other processes read and write it.
 *
 * - A read transaction is held for the whole copy. Without one SQLite starts anew whenever another process commits, and under
 *   load never ends. Writers go on meanwhile; the source's write-ahead file grows until the copy is done.
 * - The copy is one whole file: it is taken out of WAL mode, so that it can be read where nothing may be written, and nothing
 *   of it lies in companions.
 * @throws BackupError QT_BACKUP_NO_ROOM, QT_BACKUP_FAILED; what `signal` is aborted with.
 */
export async function copyDatabase(source: string, target: string, signal: AbortSignal): Promise<Copied> {
  try {
    const db = new Database(source, { readonly: true, fileMustExist: true })
    try {
      db.exec('BEGIN')
      const userVersion = Number(db.pragma('user_version', { simple: true })) // reads, which is what fixes the instant
      await db.backup(target, { progress: () => step(signal) })
      makeWhole(target)
      return { userVersion }
    } finally {
      db.close()
    }
  } catch (error) {
    throw asBackupError(error, `copying ${source} to ${target}`)
  }
}

function step(signal: AbortSignal): number {
  signal.throwIfAborted()
  return PAGES_A_STEP
}

function makeWhole(file: string): void {
  const copy = new Database(file, { fileMustExist: true })
  try {
    copy.pragma('journal_mode = DELETE')
  } finally {
    copy.close()
  }
}

/** What SQLite's own check of the whole file finds; nothing in a sound one. Changes nothing. */
export function checkDatabase(file: string): string[] {
  let db: Database.Database | undefined
  try {
    db = new Database(file, { readonly: true, fileMustExist: true })
    const lines = db.pragma('integrity_check(20)') as { integrity_check: string }[]
    return lines.map(line => line.integrity_check).filter(finding => finding !== 'ok')
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  } finally {
    db?.close()
  }
}
