import { messageOf } from '#libs/model'

/**
 * - `QT_BACKUP_EXISTS`: the place of the new backup is taken; nothing is ever written over.
 * - `QT_BACKUP_NO_ROOM`: the disk of the copy is full, or would be. Nothing of the copy is left behind.
 * - `QT_BACKUP_FAILED`: the operating system failed to read or write. Nothing of the copy is left behind.
 * - `QT_BACKUP_INTERRUPTED`: a signal came. Nothing of the copy is left behind.
 * - `QT_BACKUP_INCOMPLETE`: the folder is no finished backup.
 * - `QT_BACKUP_NEWER`: the backup was made by a newer version of the product.
 * - `QT_BACKUP_DAMAGED`: the backup is not what was written, or does not fit together; it is not restored.
 * - `QT_BACKUP_TARGET`: the folder to restore into is not an empty one.
 */
export type BackupErrorCode =
  | 'QT_BACKUP_EXISTS'
  | 'QT_BACKUP_NO_ROOM'
  | 'QT_BACKUP_FAILED'
  | 'QT_BACKUP_INTERRUPTED'
  | 'QT_BACKUP_INCOMPLETE'
  | 'QT_BACKUP_NEWER'
  | 'QT_BACKUP_DAMAGED'
  | 'QT_BACKUP_TARGET'

export class BackupError extends Error {
  override readonly name = 'BackupError'
  readonly code: BackupErrorCode

  constructor(code: BackupErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

const NO_ROOM = /^(SQLITE_FULL|ENOSPC|EDQUOT|EFBIG)/
/** SQLite names only the call that failed: a limit on the size of files is among these too. */
const STORAGE = /^(SQLITE_|E[A-Z0-9]+$)/

/** Gives errors of SQLite and of the operating system a code of ours and keeps the cause; any other is returned as it is. */
export function asBackupError(error: unknown, what: string): unknown {
  const code = String((error as { code?: unknown } | null)?.code)
  if (error instanceof BackupError || !STORAGE.test(code)) return error
  const [ours, text] = NO_ROOM.test(code)
    ? (['QT_BACKUP_NO_ROOM', 'no room left'] as const)
    : (['QT_BACKUP_FAILED', 'the disk refuses'] as const)
  return new BackupError(ours, `${what}: ${text} (${code}: ${messageOf(error)})`, { cause: error })
}
