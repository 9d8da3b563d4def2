/**
 * An error of ours with a code of the catalogue (`apps/telemetry/docs/errors.md`). The message says what happened and
 * what to do; it never holds a secret.
 */
export class CodedError extends Error {
  override readonly name = 'CodedError'
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
