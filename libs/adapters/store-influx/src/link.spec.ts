import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { flux } from '@influxdata/influxdb-client'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { HOUR } from '#libs/model'
import { Refusal } from './errors.js'
import { InfluxLink } from './link.js'

interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Ends the connection in the middle of the body. */
  readonly broken?: boolean
}

/** Answers as it is told: what InfluxDB says when it is well, and what others in its place may say. */
describe('requests to InfluxDB', () => {
  let answer: Answer | null
  const received: { path: string; headers: IncomingMessage['headers']; body: Buffer }[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk as Buffer))
    request.on('end', () => {
      received.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) })
      if (!answer) return
      response.writeHead(answer.status, { ...answer.headers, ...(answer.broken && { 'content-length': '9999' }) })
      if (answer.broken) response.write('half', () => response.destroy())
      else response.end(answer.body)
    })
  })
  let link: InfluxLink
  const open = (more: { compresses?: boolean; timeoutMs?: number } = {}): InfluxLink => {
    const { port } = server.address() as AddressInfo
    return new InfluxLink({ url: `http://127.0.0.1:${port}`, org: 'q', token: 'secret', timeoutMs: 5_000, clock: Date.now, ...more })
  }

  beforeEach(async () => {
    received.length = 0
    answer = { status: 204 }
    await once(server.listen(0, '127.0.0.1'), 'listening')
    link = open()
  })
  afterEach(async () => {
    link.close()
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })

  const json = (code: string, message: string): string => JSON.stringify({ code, message })
  const isJson = { 'content-type': 'application/json; charset=utf-8' }
  const failure = (work: Promise<unknown>): Promise<{ code?: string; message: string; retryAfterMs?: number }> =>
    work.then(
      () => ({ message: 'done' }),
      (error: unknown) => error as Error
    )

  it('send lines with organisation, bucket, precision and token', async () => {
    await link.write('b', 'm v=1 1')
    expect(received.map(({ path, headers, body }) => [path, headers.authorization, String(body)])).toEqual([
      ['/api/v2/write?org=q&bucket=b&precision=ms', 'Token secret', 'm v=1 1']
    ])
  })

  it('compress long bodies, and only those', async () => {
    link.close()
    link = open({ compresses: true })
    const long = 'm v=1 1\n'.repeat(1_000)
    await link.write('b', 'm v=1 1')
    await link.write('b', long)
    expect(received.map(({ headers }) => headers['content-encoding'])).toEqual([undefined, 'gzip'])
    expect(gunzipSync(received[1]?.body ?? Buffer.alloc(0)).toString()).toBe(long)
    expect(received[1]?.body.length).toBeLessThan(200)
  })

  it('never carry a value that could end a text of Flux', async () => {
    answer = { status: 200, headers: { 'content-type': 'text/csv' } }
    await link.query(flux`from(bucket: ${'a") |> drop() //'})`)
    expect(JSON.parse(String(received[0]?.body))).toMatchObject({ query: 'from(bucket: "a\\") |> drop() //")' })
  })

  it.each([
    [422, json('unprocessable entity', 'partial write: dropped 1 points outside retention policy dropped=1'), true],
    [422, json('unprocessable entity', 'failure writing points to database: partial write: field type conflict dropped=1'), true],
    [400, json('invalid', "unable to parse 'm v': missing field value"), false],
    [413, json('request too large', 'too much'), false]
  ])('%d %s is about the lines', async (status, body, partial) => {
    answer = { status, headers: isJson, body }
    const error = await failure(link.write('b', 'm v'))
    expect(error).toBeInstanceOf(Refusal)
    expect((error as unknown as Refusal).partial).toBe(partial)
  })

  it.each<[Answer, string]>([
    [{ status: 400, body: 'Bad Request' }, 'QT_INFLUX_FAILED'],
    [{ status: 400, headers: isJson, body: json('invalid', 'undefined identifier') }, 'QT_INFLUX_FAILED'],
    [{ status: 401, headers: isJson, body: json('unauthorized', 'unauthorized access') }, 'QT_INFLUX_UNAUTHORIZED'],
    [{ status: 404, headers: isJson, body: json('not found', 'bucket "b" not found') }, 'QT_INFLUX_NO_BUCKET'],
    [{ status: 408 }, 'QT_INFLUX_SLOW'],
    [{ status: 429 }, 'QT_INFLUX_BUSY'],
    [{ status: 503 }, 'QT_INFLUX_BUSY'],
    [{ status: 504 }, 'QT_INFLUX_SLOW'],
    [{ status: 500 }, 'QT_INFLUX_FAILED'],
    [{ status: 302, headers: { location: 'https://example.org' } }, 'QT_INFLUX_FAILED'],
    [{ status: 200, broken: true }, 'QT_INFLUX_UNREACHABLE']
  ])('%j is %s', async (given, code) => {
    answer = given
    const error = await failure(link.write('b', 'm v=1 1'))
    expect(error.code).toBe(code)
    expect(error.message).not.toContain('secret')
  })

  it('end at the time-out, which covers the whole answer', async () => {
    link.close()
    link = open({ timeoutMs: 100 })
    answer = null
    expect((await failure(link.write('b', 'm v=1 1'))).code).toBe('QT_INFLUX_SLOW')
  })

  it.each(['120', new Date(Date.now() + HOUR).toUTCString()])('wait as Retry-After %s says, but not for ever', async retryAfter => {
    answer = { status: 503, headers: { 'retry-after': retryAfter } }
    expect((await failure(link.write('b', 'm v=1 1'))).retryAfterMs).toBe(60_000)
    answer = { status: 204 }
    expect((await failure(link.write('b', 'm v=1 1'))).code).toBe('QT_INFLUX_BUSY')
    expect(received).toHaveLength(1)
  })

  it('look at the clock, and go on once it is right', async () => {
    answer = { status: 204, headers: { date: new Date(Date.now() - HOUR).toUTCString() } }
    await link.write('b', 'm v=1 1')
    expect((await failure(link.checkClock())).code).toBe('QT_INFLUX_CLOCK')
    answer = { status: 204 }
    await link.checkClock()
    expect(received.map(({ path }) => path).slice(1)).toEqual(['/ping', '/ping'])
  })

  it('end when the store is closed', async () => {
    answer = null
    const pending = failure(link.write('b', 'm v=1 1'))
    while (received.length === 0) await new Promise(resolve => setTimeout(resolve, 5))
    link.close()
    expect((await pending).code).toBe('QT_INFLUX_UNREACHABLE')
    expect((await failure(link.write('b', 'm v=1 1'))).code).toBe('QT_INFLUX_MISUSE')
  })
})
