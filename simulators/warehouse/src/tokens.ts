import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Millis } from '#libs/model'

type Clock = () => Millis

export interface Client {
  readonly id: string
  readonly secret: string
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
/** Takes as long for a wrong text as for a right one. */
const isSame = (one: string, other: string): boolean => timingSafeEqual(digest(one), digest(other))

/** Issues and knows the tokens of one client (RFC 6749, 4.4: client credentials, sent by HTTP Basic as in 2.3.1). */
export class Tokens {
  readonly #client: Client
  readonly #clock: Clock
  readonly #issued = new Map<string, number>()

  constructor(client: Client, clock: Clock) {
    this.#client = client
    this.#clock = clock
  }

  /** A token for these seconds, or null when the header names not the client. */
  issue(authorization: string, seconds: number): string | null {
    const [, encoded = ''] = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(authorization) ?? []
    const [id = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':').map(decode)
    if (!isSame(id, this.#client.id) || !isSame(rest.join(':'), this.#client.secret)) return null
    const token = randomBytes(32).toString('base64url')
    const now = this.#clock()
    for (const [old, until] of this.#issued) if (until <= now) this.#issued.delete(old)
    this.#issued.set(token, now + seconds * 1_000)
    return token
  }

  isValid(authorization: string): boolean {
    const [, token = ''] = /^Bearer (\S+)$/i.exec(authorization) ?? []
    return (this.#issued.get(token) ?? 0) > this.#clock()
  }

  /** Every token stops being valid at once. */
  expire(): void {
    this.#issued.clear()
  }
}

/** RFC 6749, 2.3.1: both parts are form-encoded before they are joined. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}
