import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import type { ContractServer } from './contract-server.js'
import { Faults } from './faults.js'
import { bodyOf, Problem, parseJson, problemBody, reply } from './http.js'
import type { RowKey, WarehouseStore } from './store.js'

const HOST = '127.0.0.1'
const BODY_BYTES = 65_536
const PAGE = 1_000
const Vanish = z.strictObject({ ms: z.number().int().min(1).max(86_400_000) })

export interface AdminOptions {
  readonly port: number
  readonly store: WarehouseStore
  readonly contract: ContractServer
  readonly faults: { current: Faults }
  readonly expireTokens: () => void
}

/**
 * The wires behind the stage, on loopback: what the warehouse holds, and how it misbehaves.
 * `GET /rows?after&limit` (NDJSON), `GET /stats`, `GET|PUT|PATCH /faults`, `POST /tokens/expire`, `POST /vanish {"ms":…}`.
 */
export class AdminServer {
  readonly #server: Server
  readonly #options: AdminOptions

  private constructor(options: AdminOptions) {
    this.#options = options
    this.#server = createServer((request, response) => void this.#serve(request, response).catch(() => response.destroy()))
  }

  static async listen(options: AdminOptions): Promise<AdminServer> {
    const admin = new AdminServer(options)
    await new Promise<void>((resolve, reject) => admin.#server.once('error', reject).listen(options.port, HOST, resolve))
    return admin
  }

  get url(): string {
    return `http://${HOST}:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    const closed = new Promise(resolve => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const url = new URL(request.url ?? '/', 'http://admin')
      if (url.pathname === '/rows') await this.#dump(response, url.searchParams)
      else
        await reply(request, response, { status: 200, body: JSON.stringify(await this.#act(`${request.method} ${url.pathname}`, request)) })
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      await reply(request, response, { status: error.status, body: problemBody(error) })
    }
  }

  async #act(route: string, request: IncomingMessage): Promise<unknown> {
    const { contract, store, faults, expireTokens } = this.#options
    switch (route) {
      case 'GET /stats':
        return { ...contract.ledger.toJSON(), rows: store.count() }
      case 'GET /faults':
        return faults.current
      case 'PUT /faults':
        return (faults.current = await parsed(request, Faults))
      case 'PATCH /faults':
        return (faults.current = await parsed(request, Faults, faults.current))
      case 'POST /tokens/expire':
        expireTokens()
        return {}
      case 'POST /vanish':
        await contract.vanish((await parsed(request, Vanish)).ms)
        return {}
      default:
        throw new Problem(404, 'there is nothing here')
    }
  }

  /**
   * One item a line, instants as epoch milliseconds, ordered by period, end, station and parameter; `after` is these four of the
   * last item that the asker has, `hour/1795489200000/AG-017/COD`. A page at a time out of the file, so that memory stays flat.
   */
  async #dump(response: ServerResponse, params: URLSearchParams): Promise<void> {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    let left = Number(params.get('limit') ?? Number.POSITIVE_INFINITY)
    const [period = '', end = '', station = '', parameter = ''] = (params.get('after') ?? '').split('/')
    let after: RowKey = [period, Number(end), station, parameter]
    while (left > 0 && !response.destroyed) {
      const page = this.#options.store.rows(Math.min(PAGE, left), after)
      const last = page.at(-1)
      if (!last) break
      after = [last.period, last.end, last.station, last.parameter]
      left -= page.length
      if (response.write(page.map(item => `${JSON.stringify(item)}\n`).join(''))) await new Promise(setImmediate)
      else await drained(response)
    }
    response.end()
  }
}

/** Or closed. The listener that was not called goes too: a dump waits many times. */
async function drained(response: ServerResponse): Promise<void> {
  const over = new AbortController()
  const { signal } = over
  await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })]).finally(() => over.abort())
}

/** @throws Problem 400 naming what is wrong */
async function parsed<T>(request: IncomingMessage, schema: z.ZodType<T>, base: object = {}): Promise<T> {
  const body = parseJson((await bodyOf(request, BODY_BYTES)) || '{}')
  const { success, data, error } = schema.safeParse({ ...base, ...(body as object) })
  if (!success) throw new Problem(400, error.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`).join('; '))
  return data
}
