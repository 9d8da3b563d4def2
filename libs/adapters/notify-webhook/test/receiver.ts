import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A receiver of webhooks on a port of its own. It remembers what came and answers as `answer` says. */
export class Receiver {
  readonly received: Received[] = []
  readonly #server: Server
  /** Connections that brought a request and are closed. The fetch of Node 24 opens another one at once, and closes it. */
  #closed = 0

  private constructor(answer: (response: ServerResponse) => void) {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.socket.once('close', () => (this.#closed += 1))
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8')
        this.received.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers, body })
        answer(response)
      })
    })
    this.#server.on('connection', socket => socket.on('error', () => undefined))
  }

  static async start(answer: (response: ServerResponse) => void): Promise<Receiver> {
    const receiver = new Receiver(answer)
    await new Promise<void>(resolve => receiver.#server.listen(0, '127.0.0.1', resolve))
    return receiver
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`
  }

  get closed(): number {
    return this.#closed
  }

  async stop(): Promise<void> {
    const closed = new Promise(resolve => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }
}
