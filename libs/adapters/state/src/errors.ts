import { messageOf } from '#libs/model'

/** What can go wrong here, as codes of the error catalogue (`apps/telemetry/docs/errors.md`). */
export type StateErrorCode =
  | 'QT_DATA_DIR_IN_USE'
  | 'QT_DATA_DIR_UNWRITABLE'
  | 'QT_STATE_BUSY'
  | 'QT_STATE_CORRUPT'
  | 'QT_STATE_FAILED'
  | 'QT_STATE_FULL'
  | 'QT_STATE_NEWER'
  | 'QT_CREDENTIAL_INVALID'
  | 'QT_CURSOR_INVALID'
  | 'QT_RECIPIENT_EXISTS'
  | 'QT_RECIPIENT_INVALID'
  | 'QT_TOKEN_EXISTS'
  | 'QT_TOKEN_INVALID'

/** An error with a code of the catalogue. The message says what happened and what to do; it never holds a secret. */
export class StateError extends Error {
  override readonly name = 'StateError'
  readonly code: StateErrorCode

  constructor(code: StateErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

const MEANING: readonly (readonly [prefix: RegExp, code: StateErrorCode, message: string])[] = [
  [/^SQLITE_(BUSY|LOCKED)/, 'QT_STATE_BUSY', 'another thread or program kept state.sqlite locked for too long'],
  [/^SQLITE_FULL/, 'QT_STATE_FULL', 'no room left on the disk for state.sqlite'],
  [/^SQLITE_(CORRUPT|NOTADB)/, 'QT_STATE_CORRUPT', 'state.sqlite is damaged'],
  [/^SQLITE_/, 'QT_STATE_FAILED', 'state.sqlite cannot be used']
]

/**
 * SQLite's own code of an error, such as `SQLITE_BUSY`. Told by its look and not its class: the native module makes its
 * errors with the class of whoever loaded it first in the process.
 */
function sqliteCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error) || typeof error.code !== 'string') return undefined
  return error.code.startsWith('SQLITE_') ? error.code : undefined
}

export const isBusy = (error: unknown): boolean => sqliteCode(error)?.startsWith('SQLITE_BUSY') ?? false

/** Gives SQLite's errors a code of ours and keeps the cause; anything else is returned as it is. */
export function asStateError(error: unknown): Error {
  const code = sqliteCode(error)
  const found = code === undefined ? undefined : MEANING.find(([prefix]) => prefix.test(code))
  return found ? new StateError(found[1], `${found[2]}: ${messageOf(error)}`, { cause: error }) : (error as Error)
}
