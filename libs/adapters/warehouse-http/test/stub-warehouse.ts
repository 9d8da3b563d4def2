import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'

export interface Seen {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  /** Unpacked. */
  readonly body: string
}

/** A server that says what a test wants of it; tokens are had at `/token`. */
export class StubWarehouse {
  readonly seen: Seen[] = []
  readonly #server: Server

  private constructor(answer: (seen: Seen, response: ServerResponse) => void, token: object) {
    this.#server = createServer((request, response) => {
      void this.#note(request).then(seen => (seen.path === '/token' ? response.end(JSON.stringify(token)) : answer(seen, response)))
    })
  }

  static async start(answer: (seen: Seen, response: ServerResponse) => void, token: object = TOKEN): Promise<StubWarehouse> {
    const stub = new StubWarehouse(answer, token)
    await new Promise<void>(resolve => stub.#server.listen(0, '127.0.0.1', resolve))
    return stub
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get batches(): Seen[] {
    return this.seen.filter(({ path }) => path !== '/token')
  }

  async #note(request: IncomingMessage): Promise<Seen> {
    const bytes = await buffer(request)
    const body = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString('utf8')
    const seen = { path: request.url ?? '', headers: request.headers, body }
    this.seen.push(seen)
    return seen
  }

  async stop(): Promise<void> {
    const closed = new Promise(resolve => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }
}

export const TOKEN = { access_token: 'token-of-tests', token_type: 'Bearer', expires_in: 3_600 }

export const keysIn = ({ body }: Seen): string[] => (JSON.parse(body) as { items: { key: string }[] }).items.map(({ key }) => key)
