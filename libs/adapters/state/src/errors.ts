import { messageOf } from '#libs/model'

/** What can go wrong here, as codes of the error catalogue (`apps/telemetry/docs/errors.md`). */
export type StateErrorCode =
  | 'QT_DATA_DIR_IN_USE'
  | 'QT_DATA_DIR_UNWRITABLE'
  | 'QT_STATE_BUSY'
  | 'QT_STATE_CORRUPT'
  | 'QT_STATE_FAILED'
  | 'QT_STATE_FULL'
  | 'QT_STATE_IN_USE'
  | 'QT_STATE_NEWER'
  | 'QT_STATE_NO_DATABASE'
  | 'QT_STATE_READ_ONLY'
  | 'QT_STATE_UNAUTHORIZED'
  | 'QT_STATE_UNREACHABLE'
  | 'QT_STATE_UNSUPPORTED'
  | 'QT_CREDENTIAL_INVALID'
  | 'QT_CURSOR_INVALID'
  | 'QT_LAW_CHANGED'
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

type Meaning = readonly [prefix: RegExp, code: StateErrorCode, message: string]

const OF_FILE: readonly Meaning[] = [
  [/^SQLITE_(BUSY|LOCKED)/, 'QT_STATE_BUSY', 'another thread or program kept state.sqlite locked for too long'],
  [/^SQLITE_FULL/, 'QT_STATE_FULL', 'no room left on the disk for state.sqlite'],
  [/^SQLITE_(CORRUPT|NOTADB)/, 'QT_STATE_CORRUPT', 'state.sqlite is damaged'],
  [/^SQLITE_/, 'QT_STATE_FAILED', 'state.sqlite cannot be used']
]

/** SQLSTATEs of PostgreSQL (its documentation, appendix A). */
const OF_SERVER: readonly Meaning[] = [
  [/^(28|42501)/, 'QT_STATE_UNAUTHORIZED', 'does not let this user in'],
  [/^3D000/, 'QT_STATE_NO_DATABASE', 'has no such database'],
  [/^(08|57P0[1-5]|25P03|53300)/, 'QT_STATE_UNREACHABLE', 'takes or holds no connection'],
  [/^25006/, 'QT_STATE_READ_ONLY', 'takes no writes'],
  [/^53/, 'QT_STATE_FULL', 'has no room left'],
  [/^(55P03|57014|40001|40P01)/, 'QT_STATE_BUSY', 'kept a statement waiting for too long'],
  [/^XX00[12]/, 'QT_STATE_CORRUPT', 'found its data damaged'],
  [/^(?=.*\d)[0-9A-Z]{5}$/, 'QT_STATE_FAILED', 'cannot do it']
]

/** The code that a library's error carries, such as `SQLITE_BUSY`, `40001` or `ECONNREFUSED`. Told by its look and not its
 * class: the native module makes its errors with the class of whoever loaded it first in the process. */
function codeIn(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

export const isBusy = (error: unknown): boolean => codeIn(error).startsWith('SQLITE_BUSY')

/** Gives SQLite's errors a code of ours and keeps the cause; anything else is returned as it is. */
export function asStateError(error: unknown): Error {
  const found = OF_FILE.find(([prefix]) => prefix.test(codeIn(error)))
  return found ? new StateError(found[1], `${found[2]}: ${messageOf(error)}`, { cause: error }) : (error as Error)
}

/** The same for PostgreSQL's; `place` names the server without its password. What carries no SQLSTATE is a broken connection. */
export function asServerError(error: unknown, place: string): Error {
  if (error instanceof StateError || error instanceof TypeError || error instanceof RangeError) return error
  const text = messageOf(error) || codeIn(error)
  if (text.startsWith('SASL')) return new StateError('QT_STATE_UNAUTHORIZED', `${place} wants another password: ${text}`, { cause: error })
  const found = OF_SERVER.find(([prefix]) => prefix.test(codeIn(error)))
  const [, code, meaning] = found ?? [null, 'QT_STATE_UNREACHABLE' as const, 'cannot be reached']
  return new StateError(code, `${place} ${meaning}: ${text}`, { cause: error })
}

/** The transaction was undone because of another one; the same work may succeed now (PostgreSQL's documentation, 13.5). */
export const isRetryable = (error: unknown): boolean => error instanceof StateError && /^(40001|40P01)$/.test(codeIn(error.cause))
