import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import { parseInstant } from '#libs/model'
import { Batch, type Item, readItem } from './contract.js'
import type { Faults } from './faults.js'
import { bodyOf, Problem, packed, parseJson, problemBody, reply } from './http.js'
import { Ledger } from './ledger.js'
import type { Rejected, Taken, WarehouseStore } from './store.js'
import type { Tokens } from './tokens.js'

export interface Tls {
  readonly cert: string
  readonly key: string
  /** Authorities whose clients are let in; without it nobody is asked for a certificate. */
  readonly clientCa?: string
}

export interface ContractOptions {
  readonly store: WarehouseStore
  /** Null: a client certificate is enough. */
  readonly tokens: Tokens | null
  readonly faults: () => Faults
  readonly host: string
  readonly port: number
  readonly tls?: Tls
  readonly maxItems: number
  readonly maxBytes: number
  /** 0 <= random() < 1. */
  readonly random: () => number
}

const Query = z.object({
  period: z.enum(['hour', 'day', 'month']),
  from: z.string(),
  to: z.string(),
  limit: z.coerce.number().int().min(1).max(1_000).default(1_000),
  after: z.string().default('')
})

type Answered = Taken & { readonly key: string }

/** The warehouse's side of the contract: tokens, batches, digests; and the faults that it was told. */
export class ContractServer {
  readonly ledger = new Ledger()
  readonly #options: ContractOptions
  #server: Server
  #port: number
  #back: NodeJS.Timeout | undefined

  private constructor(options: ContractOptions) {
    this.#options = options
    this.#port = options.port
    this.#server = this.#makeServer()
  }

  static async listen(options: ContractOptions): Promise<ContractServer> {
    const server = new ContractServer(options)
    await server.#listen()
    return server
  }

  get url(): string {
    return `${this.#options.tls ? 'https' : 'http'}://${this.#options.host}:${this.#port}`
  }

  /** Is not there for so long: connections break, and new ones are refused. */
  async vanish(millis: number): Promise<void> {
    clearTimeout(this.#back)
    await this.#hangUp()
    this.#back = setTimeout(() => {
      this.#server = this.#makeServer()
      void this.#listen()
    }, millis)
  }

  async close(): Promise<void> {
    clearTimeout(this.#back)
    await this.#hangUp()
  }

  #makeServer(): Server {
    const handle: RequestListener = (request, response) => void this.#serve(request, response).catch(() => response.destroy())
    const { tls } = this.#options
    if (!tls) return createServer(handle)
    const { cert, key, clientCa } = tls
    return createSecureServer({ cert, key, ...(clientCa ? { ca: clientCa, requestCert: true, rejectUnauthorized: true } : {}) }, handle)
  }

  async #listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(this.#port, this.#options.host, resolve)
    })
    this.#port = (this.#server.address() as AddressInfo).port
  }

  async #hangUp(): Promise<void> {
    if (!this.#server.listening) return
    const closed = new Promise(resolve => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.ledger.requests += 1
    const { slowMs } = this.#options.faults()
    if (slowMs > 0) await new Promise(resolve => setTimeout(resolve, slowMs).unref())
    try {
      await this.#route(request, response)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      await reply(request, response, { status: error.status, headers: error.headers, body: problemBody(error) })
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://warehouse')
    const route = `${request.method} ${url.pathname}`
    if (route === 'POST /oauth/token') return this.#issueToken(request, response)
    this.#authorise(request)
    this.#stumble(request)
    if (route === 'POST /v1/aggregates') return this.#takeBatch(request, response)
    if (route === 'GET /v1/digests') return this.#tellDigests(request, response, url.searchParams)
    throw new Problem(404, 'there is nothing here')
  }

  async #issueToken(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { tokens, maxBytes, faults } = this.#options
    const form = new URLSearchParams(await bodyOf(request, maxBytes))
    if (!tokens || form.get('grant_type') !== 'client_credentials') throw new Problem(400, 'unsupported_grant_type')
    const { tokenSeconds } = faults()
    const token = tokens.issue(request.headers.authorization ?? '', tokenSeconds)
    if (token === null) throw new Problem(401, 'invalid_client', { 'www-authenticate': 'Basic realm="warehouse"' })
    this.ledger.tokens += 1
    const body = JSON.stringify({ access_token: token, token_type: 'Bearer', expires_in: tokenSeconds })
    await reply(request, response, { status: 200, headers: { 'cache-control': 'no-store' }, body })
  }

  #authorise(request: IncomingMessage): void {
    const { tokens } = this.#options
    if (tokens === null || tokens.isValid(request.headers.authorization ?? '')) return
    throw new Problem(401, 'no valid token', { 'www-authenticate': 'Bearer error="invalid_token"' })
  }

  #happens(share: number): boolean {
    return this.#options.random() < share
  }

  /** Faults before anything is stored. */
  #stumble(request: IncomingMessage): void {
    const faults = this.#options.faults()
    const retry = { 'retry-after': String(faults.retryAfterSeconds) }
    if (this.#happens(faults.cutRequest)) {
      request.socket.destroy()
      throw new Error('cut while the request came in')
    }
    if (this.#happens(faults.error500)) throw new Problem(500, 'something broke here')
    if (this.#happens(faults.busy)) throw new Problem(503, 'busy', retry)
    if (this.#happens(faults.throttle)) throw new Problem(429, 'too many requests', retry)
  }

  async #takeBatch(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { maxItems, maxBytes } = this.#options
    const idempotencyKey = request.headers['idempotency-key']
    if (typeof idempotencyKey !== 'string') throw new Problem(400, 'a batch has an Idempotency-Key')
    const batch = Batch.safeParse(parseJson(await bodyOf(request, maxBytes)))
    if (!batch.success) throw new Problem(400, 'a batch is {"items": [ … ]}, each with a key')
    const { items } = batch.data
    if (items.length > maxItems) throw new Problem(413, `a batch has at most ${maxItems} items`)
    this.ledger.noteBatch(
      idempotencyKey,
      items.map(({ key }) => key)
    )
    const { skip } = this.#options.faults()
    const answers = this.#take(skip > 0 ? items.filter(() => !this.#happens(skip)) : items)
    this.ledger.noteAnswers(answers)
    await this.#answer(request, response, answers)
  }

  #take(items: readonly { readonly key: string }[]): Answered[] {
    const read = items.map(raw => this.#refused(readItem(raw)))
    const taken = this.#options.store.take(read.filter((item): item is Item => !('outcome' in item)))
    return read.map((item, n) => ({ key: items[n]?.key ?? '', ...('outcome' in item ? item : (taken.shift() as Taken)) }))
  }

  #refused(item: Item | string): Item | Rejected {
    if (typeof item === 'string') return { outcome: 'rejected', reason: item }
    const { refuse, refuseStation } = this.#options.faults()
    if (item.station === refuseStation) return { outcome: 'rejected', reason: `station ${item.station} is unknown here` }
    return this.#happens(refuse) ? { outcome: 'rejected', reason: 'refused because it was told to' } : item
  }

  async #answer(request: IncomingMessage, response: ServerResponse, answers: readonly Answered[]): Promise<void> {
    const faults = this.#options.faults()
    if (this.#happens(faults.loseAnswer)) {
      request.socket.destroy()
      return
    }
    if (this.#happens(faults.babble)) {
      await reply(request, response, { status: 200, body: '<html>Bảo trì hệ thống</html>' })
      return
    }
    const told = faults.omit > 0 ? answers.filter(() => !this.#happens(faults.omit)) : answers
    const { status, fields, bytes } = await packed(request, { status: 200, body: JSON.stringify({ items: told }) })
    response.writeHead(status, fields)
    if (!this.#happens(faults.cutAnswer)) {
      response.end(bytes)
      return
    }
    response.write(bytes.subarray(0, bytes.length / 2), () => request.socket.destroy())
  }

  async #tellDigests(request: IncomingMessage, response: ServerResponse, params: URLSearchParams): Promise<void> {
    const query = Query.safeParse(Object.fromEntries(params))
    const [from, to] = [parseInstant(params.get('from') ?? ''), parseInstant(params.get('to') ?? '')]
    if (!query.success || from === undefined || to === undefined) throw new Problem(400, 'period, from and to are needed')
    const { period, limit, after } = query.data
    const [station = '', date = ''] = Buffer.from(after, 'base64url').toString('utf8').split('|')
    const items = this.#options.store.digests({ period, from, to, limit, after: [station, date] })
    const last = items.length === limit ? items.at(-1) : undefined
    const next = last ? Buffer.from(`${last.station}|${last.date}`).toString('base64url') : null
    await reply(request, response, { status: 200, body: JSON.stringify({ items, next }) })
  }
}
