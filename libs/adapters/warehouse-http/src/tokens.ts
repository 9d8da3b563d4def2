import { type Millis, SECOND } from '#libs/model'
import type { Clock } from '#libs/pipeline'
import type { WarehouseHttpConfig } from './config.js'
import type { Exchange } from './exchange.js'
import { NO_ANSWER, type Refusal, refusalOf } from './refusal.js'

type Client = NonNullable<WarehouseHttpConfig['client']>

/** A token is given up this long before its end, or a tenth of its life before where that is less. */
const MARGIN: Millis = 60 * SECOND
/** RFC 6749, 5.1: `expires_in` may be missing. */
const UNTOLD_SECONDS = 300

/** Access tokens by client credentials (RFC 6749, 4.4), one at a time. */
export class Tokens {
  readonly #client: Client
  readonly #exchange: Exchange
  readonly #clock: Clock
  #current: { readonly token: string; readonly until: Millis } | null = null

  constructor(client: Client, exchange: Exchange, clock: Clock) {
    this.#client = client
    this.#exchange = exchange
    this.#clock = clock
  }

  /** The header's value, or why there is none. @throws Error when there is no answer */
  async authorization(signal: AbortSignal): Promise<string | Refusal> {
    if (this.#current && this.#clock() < this.#current.until) return `Bearer ${this.#current.token}`
    const { tokenUrl, id, secret, scope } = this.#client
    const response = await this.#exchange.call(
      {
        method: 'POST',
        url: tokenUrl,
        // RFC 6749, 2.3.1: both are form-encoded first.
        headers: {
          authorization: `Basic ${Buffer.from(`${formEncode(id)}:${formEncode(secret)}`).toString('base64')}`,
          'content-type': 'application/x-www-form-urlencoded',
          accept: 'application/json'
        },
        body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope ? { scope } : {}) }).toString()
      },
      signal
    )
    if (response.status !== 200) return { ...refusalOf(response, 'token: ', this.#clock()), status: NO_ANSWER }
    return this.#keep(response.body)
  }

  /** This token was refused: the next call asks for another one. */
  drop(authorization: string): void {
    if (authorization === `Bearer ${this.#current?.token}`) this.#current = null
  }

  /** What must never be told. */
  get secrets(): string[] {
    return [this.#client.secret, ...(this.#current ? [this.#current.token] : [])]
  }

  #keep(body: string): string | Refusal {
    const answer = tokenIn(body)
    if (!answer) return { status: NO_ANSWER, reason: 'token: the answer is none of RFC 6749, 5.1' }
    const life = answer.seconds * SECOND
    this.#current = { token: answer.token, until: this.#clock() + life - Math.min(MARGIN, life / 10) }
    return `Bearer ${answer.token}`
  }
}

const formEncode = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1)

function tokenIn(body: string): { readonly token: string; readonly seconds: number } | null {
  try {
    const { access_token: token, token_type: type, expires_in: seconds = UNTOLD_SECONDS } = JSON.parse(body) as Record<string, unknown>
    const life = Number(seconds)
    // RFC 6750, 2.1: nothing else may stand in the header.
    const sound = typeof token === 'string' && /^[\x21-\x7e]+$/.test(token) && /^bearer$/i.test(String(type)) && life > 0
    return sound ? { token, seconds: life } : null
  } catch {
    return null
  }
}
