import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Agent, request as plainRequest } from 'node:http'
import { Agent as SecureAgent, request as secureRequest } from 'node:https'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { Millis } from '#libs/model'
import { SECOND } from '#libs/model'

/** Certificates of the connection; asked for at each request, so that renewed ones are taken. `TlsCertificates` of the platform is one. */
export interface ClientTls {
  readonly secureOptions: {
    readonly cert?: string | Buffer
    readonly key?: string | Buffer
    /** Authorities that the warehouse's certificate may be of; those of the system where missing. */
    readonly ca?: string | Buffer
  }
}

export interface Call {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface Response {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Above any answer to a batch, and any page of digests. */
const MAX_ANSWER_BYTES = 16 * 2 ** 20
/** Below this a body gains nothing by being packed. */
const WORTH_PACKING = 1_024
/** The fastest: level 6 takes three times as long for a tenth fewer bytes (measured on batches). */
const LEVEL = 1
const IDLE_SOCKETS = 4
const zip = promisify(gzip)
const unzip = promisify(gunzip)

/**
 * One HTTP request and its whole answer over a kept connection, packed both ways. Redirects are not followed: they would carry
 * figures and token to where nobody has sent them. Node's own client and not `fetch`, which takes no client certificate.
 */
export class Exchange {
  readonly #timeoutMs: Millis
  readonly #tls: ClientTls | undefined
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: IDLE_SOCKETS })
  readonly #secureAgent = new SecureAgent({ keepAlive: true, maxFreeSockets: IDLE_SOCKETS, minVersion: 'TLSv1.2' })

  constructor(timeoutMs: Millis, tls?: ClientTls) {
    this.#timeoutMs = timeoutMs
    this.#tls = tls
  }

  /** @throws Error whose message says why there is no answer */
  async call(call: Call, signal: AbortSignal): Promise<Response> {
    const body = call.body === undefined ? undefined : await pack(call.body)
    const limit = AbortSignal.timeout(this.#timeoutMs)
    const until = AbortSignal.any([signal, limit])
    try {
      return await this.#attempt(call, body, until).catch((error: unknown) => {
        // A kept connection may end just as it is used again: that says nothing of the other side.
        if (isStale(error) && !until.aborted) return this.#attempt(call, body, until)
        throw error
      })
    } catch (error) {
      if (limit.aborted) throw new Error(`no answer within ${this.#timeoutMs / SECOND} s`)
      throw signal.aborted ? new Error('broken off') : error
    }
  }

  close(): void {
    this.#agent.destroy()
    this.#secureAgent.destroy()
  }

  async #attempt({ method, url, headers }: Call, body: Packed | undefined, signal: AbortSignal): Promise<Response> {
    const secure = url.startsWith('https:')
    const options = {
      method,
      signal,
      agent: secure ? this.#secureAgent : this.#agent,
      headers: { 'user-agent': 'quantrac', 'accept-encoding': 'gzip', ...headers, ...body?.headers },
      ...(secure ? this.#tls?.secureOptions : {})
    }
    const request = (secure ? secureRequest : plainRequest)(url, options)
    const answer = new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve)
      request.once('error', (error: Error) => reject(Object.assign(error, { reused: request.reusedSocket })))
    })
    request.end(body?.bytes)
    return readAnswer(await answer)
  }
}

interface Packed {
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: Buffer
}

async function pack(text: string): Promise<Packed> {
  const plain = Buffer.from(text)
  const bytes = plain.length >= WORTH_PACKING ? await zip(plain, { level: LEVEL }) : plain
  return { bytes, headers: { 'content-length': String(bytes.length), ...(bytes === plain ? {} : { 'content-encoding': 'gzip' }) } }
}

async function readAnswer(answer: IncomingMessage): Promise<Response> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_ANSWER_BYTES) throw tooLarge()
    chunks.push(chunk)
  }
  const bytes = Buffer.concat(chunks)
  const packed = answer.headers['content-encoding'] === 'gzip'
  const body = packed && size > 0 ? await unpack(bytes) : bytes
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: body.toString('utf8') }
}

const unpack = (bytes: Buffer): Promise<Buffer> =>
  unzip(bytes, { maxOutputLength: MAX_ANSWER_BYTES }).catch((error: unknown) => {
    throw (error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge() : new Error('an answer that claims to be gzip is none')
  })

const tooLarge = (): Error => new Error(`an answer of more than ${MAX_ANSWER_BYTES / 2 ** 20} MiB`)

const isStale = (error: unknown): boolean => {
  const { reused, code } = error as { readonly reused?: boolean; readonly code?: string }
  return reused === true && (code === 'ECONNRESET' || code === 'EPIPE')
}
