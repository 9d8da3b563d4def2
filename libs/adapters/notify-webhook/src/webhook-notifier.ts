import { type Millis, SECOND } from '#libs/model'
import type { Clock, Delivery, Notifier, OutboxMessage } from '#libs/pipeline'
import { retryAfter } from '#libs/platform'
import { type Texts, toJson } from './message.js'
import { sign } from './signature.js'

export interface WebhookOptions {
  /** The key that signs the messages to a target; null when it is no recipient any more. */
  readonly secretOf: (target: string) => Promise<string | null>
  readonly text: Texts
  readonly clock?: Clock
}

/** How much of a refusal is kept as its reason, and how long it is waited for: the status alone decides. */
const EXCERPT_CHARACTERS = 200
const EXCERPT_BYTES = 4 * EXCERPT_CHARACTERS
const EXCERPT_WAIT: Millis = SECOND
/** Statuses that say "not now" (RFC 9110, RFC 8470, RFC 6585); every 5xx does too. */
const NOT_NOW = new Set([408, 425, 429])

/** Posts transitions as signed JSON. Knows nothing of attempts and waits: it says what came of this one. */
export class WebhookNotifier implements Notifier {
  readonly channel = 'webhook'
  readonly #options: WebhookOptions
  readonly #clock: Clock

  constructor(options: WebhookOptions) {
    this.#options = options
    this.#clock = options.clock ?? Date.now
  }

  async deliver(message: OutboxMessage, signal: AbortSignal): Promise<Delivery> {
    const secret = await this.#options.secretOf(message.target)
    if (secret === null) return { outcome: 'rejected', reason: 'the recipient was removed' }
    const now = this.#clock()
    const request = toRequest(message, { body: toJson(message, this.#options.text, now), secret, now, signal })
    try {
      return await judge(await fetch(message.target, request), now)
    } catch (error) {
      return { outcome: 'retry', reason: signal.aborted ? 'no answer in time' : whyNot(error) }
    }
  }
}

interface Content {
  readonly body: string
  readonly secret: string
  readonly now: Millis
  readonly signal: AbortSignal
}

const toRequest = ({ key }: OutboxMessage, { body, secret, now, signal }: Content): RequestInit => ({
  method: 'POST',
  body,
  signal,
  // A redirect would carry a signed message to somewhere that nobody has entered.
  redirect: 'manual',
  headers: {
    'content-type': 'application/json; charset=utf-8',
    'user-agent': 'quantrac',
    'idempotency-key': key,
    'x-quantrac-signature': sign(secret, body, Math.floor(now / SECOND))
  }
})

async function judge(response: Response, now: Millis): Promise<Delivery> {
  const { status } = response
  if (status >= 200 && status < 300) {
    // It has the message. What else it says is not worth waiting for.
    await response.body?.cancel().catch(() => undefined)
    return { outcome: 'delivered' }
  }
  if (status < 400) {
    await response.body?.cancel().catch(() => undefined)
    return { outcome: 'rejected', reason: `HTTP ${status}: redirects are not followed; enter the final URL` }
  }
  const said = await excerpt(response)
  const reason = said === '' ? `HTTP ${status}` : `HTTP ${status}: ${said}`
  if (status < 500 && !NOT_NOW.has(status)) return { outcome: 'rejected', reason }
  const notBefore = retryAfter(response.headers.get('retry-after'), now)
  return notBefore === undefined ? { outcome: 'retry', reason } : { outcome: 'retry', reason, notBefore }
}

/**
 * The beginning of the answer as one line, for the list of failed messages: its first chunk and no more, since a receiver
 * may send without end, or never. A body that breaks off costs only itself.
 */
async function excerpt(response: Response): Promise<string> {
  const reader = response.body?.getReader()
  if (!reader) return ''
  const cancel = () => reader.cancel().catch(() => undefined)
  const timer = setTimeout(() => void cancel(), EXCERPT_WAIT)
  const first = await reader.read().catch(() => null)
  clearTimeout(timer)
  await cancel()
  return Buffer.from(first?.value ?? [])
    .subarray(0, EXCERPT_BYTES)
    .toString('utf8')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .slice(0, EXCERPT_CHARACTERS)
}

/** `fetch failed` says nothing; its cause does. Judged by shape: a cause may be of any class. */
function whyNot(error: unknown): string {
  const { cause = error } = error as { readonly cause?: unknown }
  const { code, message } = cause as { readonly code?: unknown; readonly message?: unknown }
  const words = [code, message].filter(word => typeof word === 'string' && word !== '')
  return words.length > 0 ? words.join(' ') : String(cause)
}
