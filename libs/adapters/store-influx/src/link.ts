import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import type { Headers, ParameterizedQuery, Transport } from '@influxdata/influxdb-client'
import { InfluxDB } from '@influxdata/influxdb-client'
import { CLOCK_TOLERANCE, formatInstant } from '#libs/model'
import type { Clock } from '#libs/pipeline'
import { isLoopback } from '#libs/platform'
import { influxError } from './answers.js'
import { InfluxStoreError } from './errors.js'

/** Where an InfluxDB is and how to speak to it. */
export interface LinkOptions {
  readonly url: string
  readonly org: string
  readonly token: string
  /** For each request, from the first byte to the last of the answer. Milliseconds. */
  readonly timeoutMs: number
  readonly clock: Clock
  /** Whether long bodies go as gzip. Default: except to this machine itself, where it only costs. */
  readonly compresses?: boolean
}

type Precision = 'ms' | 'ns'

const compress = promisify(gzip)
/** Level 1: half the work of the usual 6 and nearly as small for lines that repeat themselves. */
const COMPRESSION = { level: constants.Z_BEST_SPEED }
const WORTH_COMPRESSING_BYTES = 1_024

/**
 * Requests to one InfluxDB through the client's transport: one attempt each (the caller's cursor is the retry), a time-out over the
 * whole exchange, gzip except on this machine, and an eye on the server's clock. Throws an InfluxStoreError, or a Refusal for lines.
 */
export class InfluxLink {
  readonly #transport: Transport
  readonly #options: LinkOptions
  readonly #agent: HttpAgent
  readonly #where: string
  readonly #compresses: boolean
  readonly #inFlight = new Set<AbortController>()
  #closed = false
  #skew = 0
  #quietUntil = 0

  /** Contacts nobody. */
  constructor(options: LinkOptions) {
    const { protocol, host, hostname } = new URL(options.url)
    this.#agent = protocol === 'https:' ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true })
    this.#transport = new InfluxDB({
      url: options.url,
      token: options.token,
      timeout: options.timeoutMs,
      transportOptions: { agent: this.#agent }
    }).transport
    this.#options = options
    this.#where = host
    this.#compresses = options.compresses ?? !isLoopback(hostname)
  }

  /** Writes lines of line protocol. Throws a Refusal where InfluxDB will never take some of them. */
  async write(bucket: string, lines: string, precision: Precision = 'ms'): Promise<void> {
    const query = new URLSearchParams({ org: this.#options.org, bucket, precision })
    const body = Buffer.from(lines)
    const small = !this.#compresses || body.length < WORTH_COMPRESSING_BYTES
    const headers: Record<string, string> = { 'content-type': 'text/plain; charset=utf-8' }
    if (!small) headers['content-encoding'] = 'gzip'
    await this.#exchange(`/api/v2/write?${query.toString()}`, 'POST', { body: small ? body : await compress(body, COMPRESSION), headers })
  }

  /** Annotated CSV without annotations: header lines and rows. */
  async query(query: ParameterizedQuery): Promise<string> {
    const body = JSON.stringify({ query: query.toString(), type: 'flux', dialect: { header: true, annotations: [] } })
    const headers: Record<string, string> = { accept: 'text/csv' }
    if (this.#compresses) headers['accept-encoding'] = 'gzip'
    return this.#exchange(`/api/v2/query?${new URLSearchParams({ org: this.#options.org }).toString()}`, 'POST', {
      body: Buffer.from(body),
      headers
    })
  }

  /** Throws QT_INFLUX_CLOCK while the server's clock is off. Asks it again where it was. */
  async checkClock(): Promise<void> {
    if (Math.abs(this.#skew) > CLOCK_TOLERANCE) await this.#exchange('/ping', 'GET', { body: Buffer.alloc(0), headers: {} })
    if (Math.abs(this.#skew) <= CLOCK_TOLERANCE) return
    const now = this.#options.clock()
    throw new InfluxStoreError(
      'QT_INFLUX_CLOCK',
      `InfluxDB at ${this.#where} says it is ${formatInstant(now + this.#skew)}, this machine ${formatInstant(now)}: set the clock that is wrong`
    )
  }

  close(): void {
    this.#closed = true
    for (const abort of this.#inFlight) abort.abort()
    this.#agent.destroy()
  }

  async #exchange(path: string, method: string, content: { body: Buffer; headers: Record<string, string> }): Promise<string> {
    if (this.#closed) throw new InfluxStoreError('QT_INFLUX_MISUSE', 'the store is closed')
    this.#respectPause()
    const abort = new AbortController()
    this.#inFlight.add(abort)
    let late = false
    const timer = setTimeout(() => {
      late = true
      abort.abort()
    }, this.#options.timeoutMs)
    try {
      return await this.#send(path, content.body, { method, headers: content.headers, signal: abort.signal })
    } catch (cause) {
      const error = influxError(cause, this.#where, late)
      if (error instanceof InfluxStoreError && error.retryAfterMs > 0) this.#quietUntil = performance.now() + error.retryAfterMs
      throw error
    } finally {
      clearTimeout(timer)
      this.#inFlight.delete(abort)
    }
  }

  #send(path: string, body: Buffer, options: { method: string; headers: Record<string, string>; signal: AbortSignal }): Promise<string> {
    return new Promise((resolve, reject) => {
      const chunks: Uint8Array[] = []
      // The transport makes a Buffer of what it is given, so bytes pass as they are; its type only names text.
      this.#transport.send(path, body as unknown as string, options, {
        responseStarted: headers => this.#readClock(headers),
        next: chunk => {
          chunks.push(chunk)
        },
        complete: () => resolve(Buffer.concat(chunks).toString('utf8')),
        error: reject
      })
    })
  }

  #readClock(headers: Headers): void {
    const theirs = Date.parse(String(headers['date'] ?? ''))
    if (!Number.isNaN(theirs)) this.#skew = theirs - this.#options.clock()
  }

  #respectPause(): void {
    const left = Math.ceil(this.#quietUntil - performance.now())
    if (left <= 0) return
    throw new InfluxStoreError('QT_INFLUX_BUSY', `InfluxDB at ${this.#where} asked to be left alone for ${left} ms more`, {
      retryAfterMs: left
    })
  }
}
