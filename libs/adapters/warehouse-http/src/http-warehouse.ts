import { formatInstant, type Millis, messageOf } from '#libs/model'
import type { Aggregate, Clock, DigestQuery, ItemAnswer, SinkAnswer, WarehouseDigest, WarehouseSink } from '#libs/pipeline'
import { CodedError } from '#libs/platform'
import { readAnswers } from './answers.js'
import { fitting, type Item, idempotencyKey, toBody, toItem } from './batch.js'
import { parseWarehouseHttp, type WarehouseHttpConfig, type WarehouseHttpSettings } from './config.js'
import { readDigests } from './digests.js'
import { type Call, type ClientTls, Exchange, type Response } from './exchange.js'
import { NO_ANSWER, type Refusal, refusalOf } from './refusal.js'
import { Tokens } from './tokens.js'

export interface HttpWarehouseOptions {
  /** Certificates of the connection; a client certificate is one way to be known there. */
  readonly tls?: ClientTls
  readonly clock?: Clock
}

const TOO_LARGE = 413
/** The request is too large or cannot be read (RFC 9110): one item of it may be why. */
const OF_ITEMS = new Set([TOO_LARGE, 400, 422])
const UNAUTHORIZED = 401
/** That many items refused alone, and none taken: it is not the items. */
const SAME_FAULT = 3
/** More pages of digests than any warehouse has. */
const MAX_PAGES = 10_000

/** What came of one request. */
type Posted = readonly ItemAnswer[] | Refusal

/**
 * The provincial warehouse over HTTP: `apps/telemetry/docs/warehouse.md` is the contract.
 *
 * - A request holds at most `maxItems` items and `maxBytes` bytes, and has an Idempotency-Key made from its items. An answer that
 *   was lost is therefore asked for by the same request.
 * - Each item is answered by its key. What an answer leaves out is a `retry` of its own.
 * - 413 halves the request, and those after it. 400 and 422 halve it until the item that is refused stands alone; where
 *   every item is, it is not the items, and nothing is given up.
 * - 401 takes a new token once. Everything else is a `retry`, not before `Retry-After`.
 * - It logs nothing, and no reason holds a secret or a token.
 */
export class HttpWarehouse implements WarehouseSink {
  readonly name = 'warehouse-http'
  readonly #config: WarehouseHttpConfig
  readonly #clock: Clock
  readonly #exchange: Exchange
  readonly #tokens: Tokens | null
  #maxItems: number

  /** Opens nothing. @throws CodedError QT_WAREHOUSE_CONFIG_INVALID */
  constructor(settings: WarehouseHttpSettings, { tls, clock = Date.now }: HttpWarehouseOptions = {}) {
    this.#config = parseWarehouseHttp(settings, tls?.secureOptions.cert !== undefined)
    this.#clock = clock
    this.#exchange = new Exchange(this.#config.timeoutMs, tls)
    this.#tokens = this.#config.client ? new Tokens(this.#config.client, this.#exchange, clock) : null
    this.#maxItems = this.#config.maxItems
  }

  get limit(): number {
    return this.#maxItems
  }

  async send(aggregates: readonly Aggregate[], signal: AbortSignal): Promise<SinkAnswer> {
    const items = aggregates.map(toItem)
    const answers: ItemAnswer[] = []
    let size = items.length
    let taken = false
    while (answers.length < items.length) {
      const from = answers.length
      size = Math.min(size, fitting(items, from, { maxItems: this.#maxItems, maxBytes: this.#config.maxBytes }))
      const posted = await this.#post(items.slice(from, from + size), signal)
      if (isAnswers(posted)) {
        answers.push(...posted)
        size = items.length
        taken = true
      } else if (!OF_ITEMS.has(posted.status)) {
        return this.#stopAt(posted, answers, items.length)
      } else if (!taken && from === SAME_FAULT) {
        return this.#stopAt(posted, [], items.length)
      } else if (size > 1) {
        size = Math.ceil(size / 2)
        if (posted.status === TOO_LARGE) this.#maxItems = Math.min(this.#maxItems, size)
      } else {
        answers.push({ outcome: 'rejected', reason: this.#redact(posted.reason) })
      }
    }
    return { outcome: 'answered', items: answers }
  }

  async digest({ period, from, to }: DigestQuery, signal: AbortSignal): Promise<readonly WarehouseDigest[]> {
    const digests: WarehouseDigest[] = []
    let after: string | null = null
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const query = new URLSearchParams({ period, from: formatInstant(from), to: formatInstant(to), ...(after === null ? {} : { after }) })
      const found = readDigests(await this.#ask(`/v1/digests?${query.toString()}`, signal), period)
      if (!found) throw digestError('its answer is none of the contract')
      digests.push(...found.digests)
      if (found.next === null) return digests
      after = found.next
    }
    throw digestError('its list does not end')
  }

  async close(): Promise<void> {
    this.#exchange.close()
  }

  async #post(items: readonly Item[], signal: AbortSignal): Promise<Posted> {
    const headers = { 'content-type': 'application/json', 'idempotency-key': idempotencyKey(items) }
    const response = await this.#call({ method: 'POST', url: this.#address('/v1/aggregates'), headers, body: toBody(items) }, signal)
    if (!('body' in response)) return response
    if (response.status !== 200) return refusalOf(response, '', this.#clock())
    return readAnswers(response.body, items) ?? { status: 200, reason: 'HTTP 200 with an answer that is none of the contract' }
  }

  async #ask(path: string, signal: AbortSignal): Promise<string> {
    const response = await this.#call({ method: 'GET', url: this.#address(path) }, signal)
    if ('body' in response && response.status === 200) return response.body
    const { reason } = 'body' in response ? refusalOf(response, '', this.#clock()) : response
    throw digestError(this.#redact(reason))
  }

  /** With a token; with another one when that is refused. */
  async #call(call: Call, signal: AbortSignal): Promise<Response | Refusal> {
    try {
      const first = await this.#callOnce(call, signal)
      return first.status === UNAUTHORIZED && this.#tokens ? await this.#callOnce(call, signal) : first
    } catch (error) {
      return { status: NO_ANSWER, reason: whyNot(error) }
    }
  }

  async #callOnce(call: Call, signal: AbortSignal): Promise<Response | Refusal> {
    if (!this.#tokens) return this.#exchange.call(call, signal)
    const authorization = await this.#tokens.authorization(signal)
    if (typeof authorization !== 'string') return authorization
    const response = await this.#exchange.call({ ...call, headers: { ...call.headers, authorization } }, signal)
    if (response.status === UNAUTHORIZED) this.#tokens.drop(authorization)
    return response
  }

  #address(path: string): string {
    return `${this.#config.url.replace(/\/+$/, '')}${path}`
  }

  #stopAt({ reason, notBefore }: Refusal, answers: readonly ItemAnswer[], count: number): SinkAnswer {
    const when: { notBefore?: Millis } = notBefore === undefined ? {} : { notBefore }
    const why = this.#redact(reason)
    if (answers.length === 0) return { outcome: 'retry', reason: why, ...when }
    const rest = Array.from({ length: count - answers.length }, (): ItemAnswer => ({ outcome: 'retry', reason: why }))
    return { outcome: 'answered', items: [...answers, ...rest], ...when }
  }

  /** A warehouse may say back what it was told. */
  #redact(reason: string): string {
    return (this.#tokens?.secrets ?? []).reduce((text, secret) => text.replaceAll(secret, '[secret]'), reason)
  }
}

const isAnswers = (posted: Posted): posted is readonly ItemAnswer[] => Array.isArray(posted)

const digestError = (reason: string): CodedError =>
  new CodedError('QT_WAREHOUSE_DIGEST', `the warehouse could not be asked what it holds: ${reason}`)

/** Some of Node's errors say nothing but their code. */
function whyNot(error: unknown): string {
  const { code } = error as { readonly code?: unknown }
  const message = messageOf(error)
  return typeof code === 'string' && !message.includes(code) ? `${code} ${message}`.trim() : message
}
