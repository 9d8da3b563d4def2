import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { z } from 'zod'

/** One of so many messages gets no answer after it was taken: the sender cannot know and must send it again, with its key. */
const UNANSWERED = 23

const Body = z.object({ transition: z.object({ id: z.string() }) })

/** The far side of the webhook: outlives every server, and remembers each message by its Idempotency-Key. */
export class WebhookReceiver {
  readonly #server: Server
  /** The transition's id by key, and how often the key came. */
  readonly #byKey = new Map<string, { transition: string; times: number }>()
  readonly #faults = new Set<string>()
  #count = 0

  private constructor() {
    this.#server = createServer((request, response) => {
      void this.#take(request, response).catch(() => response.destroy())
    })
  }

  static async listen(): Promise<WebhookReceiver> {
    const receiver = new WebhookReceiver()
    await new Promise<void>(resolve => receiver.#server.listen(0, '127.0.0.1', resolve))
    return receiver
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/alarms`
  }

  /** Keys that came, each for one transition. */
  get keys(): number {
    return this.#byKey.size
  }

  /** Messages beyond the first of their key. */
  get repeats(): number {
    return [...this.#byKey.values()].reduce((sum, { times }) => sum + times - 1, 0)
  }

  /** What was wrong with messages, each kind of it once. */
  get faults(): string[] {
    return [...this.#faults]
  }

  /** Ids of the transitions that arrived, one per key. */
  get transitions(): string[] {
    return [...this.#byKey.values()].map(({ transition }) => transition)
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const key = request.headers['idempotency-key']
    const body = Body.safeParse(JSON.parse(await text(request)))
    if (typeof key !== 'string' || !body.success) {
      this.#faults.add('a message without Idempotency-Key, or in a form that is not understood')
      response.writeHead(400).end()
      return
    }
    this.#note(key, body.data.transition.id)
    if (++this.#count % UNANSWERED === 0) response.destroy()
    else response.writeHead(204).end()
  }

  #note(key: string, transition: string): void {
    const known = this.#byKey.get(key)
    if (known && known.transition !== transition) this.#faults.add(`key ${key} came for two transitions`)
    if (known) known.times++
    else this.#byKey.set(key, { transition, times: 1 })
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>(resolve => this.#server.close(() => resolve()))
  }
}
