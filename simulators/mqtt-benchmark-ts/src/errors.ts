/** A load run that could not be made. The message says what happened and what to do. */
export class LoadError extends Error {
  override readonly name = 'LoadError'
  readonly code: 'QT_LOAD_UNREACHABLE' | 'QT_LOAD_REFUSED' | 'QT_LOAD_OPTIONS'

  constructor(code: LoadError['code'], message: string) {
    super(message)
    this.code = code
  }
}
