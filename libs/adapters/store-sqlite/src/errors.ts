import { messageOf } from '#libs/model'

/**
 * - `QT_STORE_FULL`: no room on the disk, or `maxBytes` reached. Nothing of the call was kept; try again later.
 * - `QT_STORE_IO`: the operating system failed to read or write. Nothing of the call was kept; try again later.
 * - `QT_STORE_BUSY`: another process held the file longer than the busy time-out. Try again.
 * - `QT_STORE_ABSENT`: opened to read before a writer has made the file. Try again once the server runs.
 * - `QT_STORE_OPEN`: the directory or the file cannot be made or opened.
 * - `QT_STORE_FORMAT`: the file is of a newer version of the product, or not a time series file at all.
 * - `QT_STORE_DAMAGED`: what stands in the file cannot be what was written; the message names series and hour where it can.
 * - `QT_STORE_MISUSE`: the caller broke the contract (a value that cannot be stored, a write to a store opened to read, a closed store).
 */
export type StoreErrorCode =
  | 'QT_STORE_FULL'
  | 'QT_STORE_IO'
  | 'QT_STORE_BUSY'
  | 'QT_STORE_ABSENT'
  | 'QT_STORE_OPEN'
  | 'QT_STORE_FORMAT'
  | 'QT_STORE_DAMAGED'
  | 'QT_STORE_MISUSE'

const WORTH_A_RETRY: readonly StoreErrorCode[] = ['QT_STORE_FULL', 'QT_STORE_IO', 'QT_STORE_BUSY', 'QT_STORE_ABSENT']

/** An error of the time series store. A call that throws one has changed nothing. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode
  /** True when the same call may succeed later without anybody touching the file. */
  readonly retry: boolean

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.retry = WORTH_A_RETRY.includes(code)
  }
}

/** What an error of SQLite (or of our own) is to the caller. Unknown errors go through as they are: they are bugs. */
export function storeError(cause: unknown, file: string): unknown {
  if (cause instanceof StoreError || typeof cause !== 'object' || cause === null || !('code' in cause)) return cause
  const code = String(cause.code)
  const why = `${code}: ${messageOf(cause)}`
  const as = (ours: StoreErrorCode, text: string): StoreError => new StoreError(ours, `${file}: ${text} (${why})`, { cause })
  // The shared-memory file of the WAL is the first thing that a full disk refuses to grow.
  if (code === 'SQLITE_FULL' || code === 'SQLITE_IOERR_SHMSIZE' || code === 'ENOSPC')
    return as('QT_STORE_FULL', 'no room left for the time series')
  if (code.startsWith('SQLITE_IOERR')) return as('QT_STORE_IO', 'the time series file cannot be read or written')
  if (code.startsWith('SQLITE_BUSY') || code === 'SQLITE_LOCKED') return as('QT_STORE_BUSY', 'another process holds the time series file')
  if (code.startsWith('SQLITE_CORRUPT')) return as('QT_STORE_DAMAGED', 'the time series file is damaged')
  if (code === 'SQLITE_NOTADB') return as('QT_STORE_FORMAT', 'this is not a time series file')
  if (code.startsWith('SQLITE_READONLY')) return as('QT_STORE_MISUSE', 'the store was opened to read only')
  if (code.startsWith('SQLITE_CANTOPEN') || isSystemCode(code)) return as('QT_STORE_OPEN', 'the time series file cannot be opened')
  return cause
}

const isSystemCode = (code: string): boolean => /^E[A-Z]+$/.test(code)
