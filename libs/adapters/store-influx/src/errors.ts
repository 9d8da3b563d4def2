/**
 * - `QT_INFLUX_UNREACHABLE`: no connection, or it broke before the answer came.
 * - `QT_INFLUX_UNAUTHORIZED`: 401 or 403: the token is wrong or may not do this.
 * - `QT_INFLUX_BUSY`: 429 or 503; `retryAfterMs` says how long InfluxDB asked to be left alone.
 * - `QT_INFLUX_SLOW`: no whole answer within the time-out.
 * - `QT_INFLUX_NO_BUCKET`: 404: the organisation or a bucket is missing.
 * - `QT_INFLUX_CLOCK`: the server's clock is minutes off: points would be judged against the wrong retention.
 * - `QT_INFLUX_FAILED`: any other answer that is no success.
 * - `QT_INFLUX_SETUP`: setting up cannot go on; the message says what is in its way.
 * - `QT_INFLUX_MISUSE`: the caller broke the contract (a reading that cannot be stored, a write to a store opened to read, a closed store).
 */
export type InfluxErrorCode =
  | 'QT_INFLUX_UNREACHABLE'
  | 'QT_INFLUX_UNAUTHORIZED'
  | 'QT_INFLUX_BUSY'
  | 'QT_INFLUX_SLOW'
  | 'QT_INFLUX_NO_BUCKET'
  | 'QT_INFLUX_CLOCK'
  | 'QT_INFLUX_FAILED'
  | 'QT_INFLUX_SETUP'
  | 'QT_INFLUX_MISUSE'

const NEVER_RETRIED: readonly InfluxErrorCode[] = ['QT_INFLUX_SETUP', 'QT_INFLUX_MISUSE']

/** An error of the InfluxDB store. Whatever the failed call had written, calling again with the same readings puts right. */
export class InfluxStoreError extends Error {
  override readonly name = 'InfluxStoreError'
  readonly code: InfluxErrorCode
  /** True when the same call may succeed later. */
  readonly retry: boolean
  /** How long InfluxDB asked to be left alone; 0 where it did not. */
  readonly retryAfterMs: number

  constructor(code: InfluxErrorCode, message: string, options: ErrorOptions & { readonly retryAfterMs?: number } = {}) {
    super(message, options)
    this.code = code
    this.retry = !NEVER_RETRIED.includes(code)
    this.retryAfterMs = options.retryAfterMs ?? 0
  }
}

/** InfluxDB will not take lines of a request, however often they come; `dropped` says that it kept the others. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  /** True for a partial write: what was not refused is stored. False: nothing of the request is. */
  readonly partial: boolean

  constructor(message: string, partial: boolean) {
    super(message)
    this.partial = partial
  }
}
