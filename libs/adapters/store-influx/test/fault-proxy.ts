import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What happens to one request. */
export type Fault =
  | { readonly kind: 'pass' }
  /** Takes the connection and never answers. */
  | { readonly kind: 'silent' }
  /** Answers so, and forwards nothing. */
  | { readonly kind: 'answer'; readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  /** Forwards, and answers so whatever came back: the effect is there, its answer lost. */
  | { readonly kind: 'lost'; readonly status: number }
  /** Forwards the first half of the lines (some shards written), and breaks the connection. */
  | { readonly kind: 'half' }
  /** Breaks the connection: before forwarding, or after. */
  | { readonly kind: 'cut'; readonly forwarded: boolean }
  /** Forwards, and answers with another clock. */
  | { readonly kind: 'clock'; readonly offsetMs: number }

export interface FaultProxy {
  readonly url: string
  /** Asked once for each request. */
  fault: (path: string) => Fault
  /** Paths that came, without their query. */
  readonly requests: string[]
  /** Nobody listens any more, until `listen`. */
  down(): Promise<void>
  up(): Promise<void>
  close(): Promise<void>
}

/** A proxy before an InfluxDB that can misbehave. */
export async function faultProxy(target: string): Promise<FaultProxy> {
  const server = createServer((incoming, outgoing) => void handle(incoming, outgoing))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo

  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const path = incoming.url ?? ''
    const fault = proxy.fault(path)
    proxy.requests.push(path.replace(/\?.*/, ''))
    const body = await bodyOf(incoming)
    if (fault.kind === 'silent') return
    if (fault.kind === 'answer') {
      outgoing.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers }).end(fault.body ?? '{}')
      return
    }
    const isForwarded = fault.kind !== 'cut' || fault.forwarded
    const answer = isForwarded ? await forward(target, incoming, fault.kind === 'half' ? firstHalf(incoming, body) : body) : null
    if (!answer || fault.kind === 'cut' || fault.kind === 'half') {
      incoming.socket.destroy()
      return
    }
    const headers = { ...answer.headers }
    if (fault.kind === 'clock') headers['date'] = new Date(Date.now() + fault.offsetMs).toUTCString()
    outgoing.writeHead(fault.kind === 'lost' ? fault.status : answer.status, headers).end(answer.body)
  }

  const down = async (): Promise<void> => {
    if (!server.listening) return
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  const proxy: FaultProxy = {
    url: `http://127.0.0.1:${port}`,
    fault: () => ({ kind: 'pass' }),
    requests: [],
    down,
    up: async () => {
      await once(server.listen(port, '127.0.0.1'), 'listening')
    },
    close: down
  }
  return proxy
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of message) chunks.push(chunk as Buffer)
  } catch {
    // the other side gave up
  }
  return Buffer.concat(chunks)
}

function firstHalf(incoming: IncomingMessage, body: Buffer): Buffer {
  if (!incoming.url?.startsWith('/api/v2/write')) return body
  const lines = body.toString('utf8').split('\n') // nothing is compressed on loopback
  return Buffer.from(lines.slice(0, Math.ceil(lines.length / 2)).join('\n'))
}

interface Answer {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: Buffer
}

/** Null where the target is away itself. */
async function forward(target: string, incoming: IncomingMessage, body: Buffer): Promise<Answer | null> {
  const { 'transfer-encoding': _, ...headers } = incoming.headers
  const outgoing = request(`${target}${incoming.url ?? ''}`, {
    method: incoming.method ?? 'GET',
    headers: { ...headers, 'content-length': body.length }
  })
  outgoing.end(body)
  try {
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
    const { 'transfer-encoding': __, ...kept } = answer.headers
    return { status: answer.statusCode ?? 500, headers: kept, body: await bodyOf(answer) }
  } catch {
    return null
  }
}
