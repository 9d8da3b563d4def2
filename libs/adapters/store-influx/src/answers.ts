import { HttpError, RequestTimedOutError } from '@influxdata/influxdb-client'
import { codeOf, messageOf } from '#libs/model'
import type { InfluxErrorCode } from './errors.js'
import { InfluxStoreError, Refusal } from './errors.js'

/** A server that asks for a longer pause than this gets no more. */
const LONGEST_PAUSE_MS = 60_000

/** A 400, 413 or 422 is about the lines only if InfluxDB itself says so; a proxy's 400 is not. */
const ABOUT_LINES = /partial write|unable to parse|field type conflict|points beyond retention|outside retention policy|max key length/i

/** What a failed exchange with InfluxDB is to the caller. `where` names the server without its credentials. */
export function influxError(cause: unknown, where: string, timedOut: boolean): Error {
  if (cause instanceof InfluxStoreError || cause instanceof Refusal) return cause
  const as = (code: InfluxErrorCode, text: string, retryAfterMs = 0): InfluxStoreError =>
    new InfluxStoreError(code, `InfluxDB at ${where} ${text}`, { cause, retryAfterMs })
  if (timedOut || cause instanceof RequestTimedOutError) return as('QT_INFLUX_SLOW', 'did not answer in time')
  if (!(cause instanceof HttpError)) return as('QT_INFLUX_UNREACHABLE', `cannot be reached: ${describe(cause)}`)
  const { statusCode: status } = cause
  const said = `${status}: ${brief(cause.message)}`
  if (status === 401 || status === 403) return as('QT_INFLUX_UNAUTHORIZED', `refuses the token (${said})`)
  if (status === 404) return as('QT_INFLUX_NO_BUCKET', `lacks what is needed (${said}); make it with: npm run -s ops -- influx setup`)
  if (status === 429 || status === 503) return as('QT_INFLUX_BUSY', `is busy (${said})`, pauseOf(cause))
  if (status === 408 || status === 504) return as('QT_INFLUX_SLOW', `did not answer in time (${said})`)
  if (isRefusal(cause)) return new Refusal(brief(cause.message), /partial write/i.test(cause.message))
  return as('QT_INFLUX_FAILED', `failed (${said})`)
}

const isRefusal = ({ statusCode, message }: HttpError): boolean =>
  statusCode === 413 || ((statusCode === 400 || statusCode === 422) && ABOUT_LINES.test(message))

/** Retry-After is in seconds, or a date (RFC 9110, 10.2.3); the client's own reading of it takes milliseconds. */
function pauseOf({ headers }: HttpError): number {
  const text = String(headers?.['retry-after'] ?? '')
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now()
  return ms > 0 ? Math.min(ms, LONGEST_PAUSE_MS) : 0
}

const LONGEST_MESSAGE = 1_000
const brief = (text: string): string => (text.length > LONGEST_MESSAGE ? `${text.slice(0, LONGEST_MESSAGE)} …` : text)

function describe(cause: unknown): string {
  const code = codeOf(cause)
  const message = messageOf(cause)
  if (message === 'Response aborted') return 'the connection broke'
  return code === 'QT_UNEXPECTED' || message.includes(code) ? message : `${code} ${message}`
}
