import type { Millis } from '#libs/model'
import { retryAfter } from '#libs/platform'
import type { Response } from './exchange.js'

/** Stands for the status where the request itself was not answered. */
export const NO_ANSWER = 0

/** An answer that is no result, or none. */
export interface Refusal {
  readonly status: number
  readonly reason: string
  readonly notBefore?: Millis
}

const EXCERPT_CHARACTERS = 200

/** The status and the beginning of what was said, as one line. */
export function refusalOf({ status, headers, body }: Response, prefix: string, now: Millis): Refusal {
  const said = oneLine(body)
  const hint = status >= 300 && status < 400 ? 'redirects are not followed; enter the final address' : said
  const notBefore = retryAfter(headers['retry-after'] ?? null, now)
  const reason = `${prefix}HTTP ${status}${hint === '' ? '' : `: ${hint}`}`
  return notBefore === undefined ? { status, reason } : { status, reason, notBefore }
}

/** Text of a stranger for lists and logs. */
export const oneLine = (text: string): string =>
  text
    .slice(0, 4 * EXCERPT_CHARACTERS)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .slice(0, EXCERPT_CHARACTERS)
