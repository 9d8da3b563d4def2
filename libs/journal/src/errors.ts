/** Every failure that the journal reports. `retry` of the error says whether the same record may succeed later. */
export type JournalErrorCode =
  | 'QT_JOURNAL_FULL'
  | 'QT_JOURNAL_QUOTA'
  | 'QT_JOURNAL_IO'
  | 'QT_JOURNAL_WRITER'
  | 'QT_JOURNAL_BACKLOG'
  | 'QT_JOURNAL_CLOSED'
  | 'QT_JOURNAL_RECORD_TOO_LARGE'
  | 'QT_JOURNAL_LOCKED'
  | 'QT_JOURNAL_DAMAGED'
  | 'QT_JOURNAL_CORRUPT'
  | 'QT_JOURNAL_MISSING'
  | 'QT_JOURNAL_FORMAT'

/** The failures that pass by themselves: with room, with a healthy disk, with a fresh writer, after the next start. */
const PASSING: ReadonlySet<JournalErrorCode> = new Set([
  'QT_JOURNAL_FULL',
  'QT_JOURNAL_QUOTA',
  'QT_JOURNAL_IO',
  'QT_JOURNAL_WRITER',
  'QT_JOURNAL_BACKLOG',
  'QT_JOURNAL_CLOSED'
])

export class JournalError extends Error {
  override readonly name = 'JournalError'
  /** True when sending the same record again later can succeed. */
  readonly retry: boolean
  /** The record that is damaged; only with QT_JOURNAL_DAMAGED. */
  readonly sequence: number | undefined

  constructor(
    readonly code: JournalErrorCode,
    message: string,
    detail: { cause?: unknown; sequence?: number } = {}
  ) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.retry = PASSING.has(code)
    this.sequence = detail.sequence
  }
}

/** What crosses from the writer thread instead of an error object. */
export interface Failure {
  readonly code: JournalErrorCode
  readonly message: string
}

/**
 * The failure behind an error of SQLite or of the operating system; undefined for anything else, which is a fault of ours
 * and must not pass for a sick disk.
 */
export function storageFailure(error: unknown): Failure | undefined {
  if (error instanceof JournalError) return { code: error.code, message: error.message }
  const code = (error as { code?: unknown } | null)?.code
  if (typeof code !== 'string') return undefined
  const message = `${(error as Error).message} (${code})`
  if (code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'EDQUOT')
    return { code: 'QT_JOURNAL_FULL', message: `the disk is full: ${message}` }
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') {
    return { code: 'QT_JOURNAL_CORRUPT', message: `the journal's file is broken: ${message}` }
  }
  if (code.startsWith('SQLITE_') || /^E[A-Z0-9]+$/.test(code)) return { code: 'QT_JOURNAL_IO', message: `the disk refuses: ${message}` }
  return undefined
}

/** The JournalError for an error of the storage; any other error is returned as it is. */
export function toJournalError(error: unknown): unknown {
  if (error instanceof JournalError) return error
  const failure = storageFailure(error)
  return failure ? new JournalError(failure.code, failure.message, { cause: error }) : error
}
