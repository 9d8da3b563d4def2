/**
 * - `QT_WIRE_VERSION`: a journal record of a version that this program does not know (written by a newer one).
 * - `QT_WIRE_DAMAGED`: a journal record that is cut off or holds what no version writes.
 * - `QT_WIRE_PROFILE`: a device profile that was not checked before it was compiled.
 */
export type WireErrorCode = 'QT_WIRE_VERSION' | 'QT_WIRE_DAMAGED' | 'QT_WIRE_PROFILE'

/** A mistake of ours or of our files. A device's mistake is never thrown: it is a refusal. */
export class WireError extends Error {
  override readonly name = 'WireError'

  constructor(
    readonly code: WireErrorCode,
    message: string
  ) {
    super(message)
  }
}
