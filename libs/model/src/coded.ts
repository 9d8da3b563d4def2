/** The code of whatever was thrown (`apps/telemetry/docs/errors.md`), or `QT_UNEXPECTED` for an error that nobody gave one. */
export function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  return 'QT_UNEXPECTED'
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
