export type QualityErrorCode =
  | 'QT_QUALITY_LENGTHS' // vectors that belong together differ in length
  | 'QT_QUALITY_ORDER' // readings that should ascend in time do not
  | 'QT_QUALITY_SETTINGS' // a test is asked for with thresholds that contradict each other

/** Ours, never a device's. */
export class QualityError extends Error {
  override readonly name = 'QualityError'

  constructor(
    readonly code: QualityErrorCode,
    message: string
  ) {
    super(message)
  }
}
