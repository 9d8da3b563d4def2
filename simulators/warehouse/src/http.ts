import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'

const unzip = promisify(gunzip)
const zip = promisify(gzip)
/** Below this an answer gains nothing by being packed. */
const WORTH_PACKING = 1_024

/** What is answered instead of a result (RFC 9457). */
export class Problem extends Error {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail)
    this.status = status
    this.headers = headers
  }
}

/** The body, unpacked. @throws Problem 413, 415, 400 */
export async function bodyOf(request: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) throw tooLarge(maxBytes)
    chunks.push(chunk)
  }
  const bytes = Buffer.concat(chunks)
  const encoding = request.headers['content-encoding'] ?? 'identity'
  if (encoding === 'identity') return bytes.toString('utf8')
  if (encoding !== 'gzip') throw new Problem(415, `content-encoding ${encoding} is not taken; gzip is`)
  const unpacked = await unzip(bytes, { maxOutputLength: maxBytes }).catch((error: unknown) => {
    throw (error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(maxBytes) : new Problem(400, 'the body is no gzip')
  })
  return unpacked.toString('utf8')
}

const tooLarge = (maxBytes: number): Problem => new Problem(413, `a body has at most ${maxBytes} bytes, unpacked`)

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Problem(400, 'the body is no JSON')
  }
}

interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

/** Headers and bytes of an answer, packed where the client takes that. */
export async function packed(request: IncomingMessage, { status, headers = {}, body }: Answer) {
  const type = status >= 400 ? 'application/problem+json' : 'application/json'
  const fields: Record<string, string> = { 'content-type': type, ...headers }
  const pack = body.length >= WORTH_PACKING && /\bgzip\b/.test(request.headers['accept-encoding'] ?? '')
  if (pack) fields['content-encoding'] = 'gzip'
  const bytes = pack ? await zip(body) : Buffer.from(body)
  fields['content-length'] = String(bytes.length)
  return { status, fields, bytes }
}

export async function reply(request: IncomingMessage, response: ServerResponse, answer: Answer): Promise<void> {
  const { status, fields, bytes } = await packed(request, answer)
  response.writeHead(status, fields).end(bytes)
}

export const problemBody = ({ status, message }: Problem): string => JSON.stringify({ status, title: message })
