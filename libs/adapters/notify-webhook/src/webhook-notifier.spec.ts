import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:net'
import { afterEach, describe, expect, it } from '@jest/globals'
import { HOUR, MINUTE, SECOND } from '#libs/model'
import type { OutboxMessage } from '#libs/pipeline'
import { alarm, messageTo, NOW, RAISED_AT, raised, text } from '../test/fixtures.js'
import { Receiver } from '../test/receiver.js'
import { WebhookNotifier } from './index.js'

const SECRET = 'qtw_a-secret-of-one-recipient'
const receivers: Receiver[] = []
let unanswered = new AbortController()

const start = async (answer: (response: ServerResponse) => void): Promise<Receiver> => {
  const receiver = await Receiver.start(answer)
  receivers.push(receiver)
  return receiver
}
const answering = (status: number, headers: Record<string, string> = {}, body = '') =>
  start(response => response.writeHead(status, headers).end(body))

const notifier = (secret: string | null = SECRET, now = NOW) =>
  new WebhookNotifier({ secretOf: async () => secret, text, clock: () => now })
const deliver = (target: string, more: Partial<OutboxMessage> = {}) => notifier().deliver(messageTo(target, more), unanswered.signal)
const retryAfter = async (header: string) => {
  const { url } = await answering(429, { 'retry-after': header })
  return deliver(url)
}

afterEach(async () => {
  unanswered = new AbortController()
  await Promise.all(receivers.splice(0).map(receiver => receiver.stop()))
})

describe('what is posted', () => {
  it('says what happened to the alarm, in both languages, with instants in Vietnam time', async () => {
    const receiver = await answering(204)
    expect(await deliver(receiver.url)).toEqual({ outcome: 'delivered' })
    const [{ method, path, headers, body }] = receiver.received as [Receiver['received'][number]]
    expect([method, path, headers['content-type']]).toEqual(['POST', '/hook', 'application/json; charset=utf-8'])
    expect(JSON.parse(body)).toEqual({
      id: messageTo('').key,
      type: 'alarm.raised',
      sentAt: '2026-11-24T10:06:30+07:00',
      transition: { id: raised.id, kind: 'raised', at: '2026-11-24T10:05:00+07:00', level: 'exceeds' },
      alarm: { ...alarm, raisedAt: '2026-11-24T10:05:00+07:00' },
      text: {
        vi: { subject: '[BÁO ĐỘNG] AG-X', body: 'Trạm AG-X: vượt giới hạn' },
        en: { subject: '[ALARM] AG-X', body: 'Station AG-X: raised, above the limit' }
      }
    })
  })

  it('writes every instant of an alarm that is over', async () => {
    const receiver = await answering(200)
    const over = { ...alarm, clearedAt: RAISED_AT + HOUR, acknowledgedAt: RAISED_AT + MINUTE, acknowledgedBy: 'trực ban' }
    await deliver(receiver.url, { transition: { id: 'x', kind: 'cleared', at: RAISED_AT + HOUR, alarm: over } })
    const { type, alarm: told } = JSON.parse(receiver.received[0]!.body) as { type: string; alarm: Record<string, unknown> }
    expect([type, told['clearedAt'], told['acknowledgedAt'], told['acknowledgedBy']]).toEqual([
      'alarm.cleared',
      '2026-11-24T11:05:00+07:00',
      '2026-11-24T10:06:00+07:00',
      'trực ban'
    ])
  })

  it('is signed over its time and its very bytes with the key of its target', async () => {
    const receiver = await answering(200)
    const asked: string[] = []
    const secretOf = async (target: string) => {
      asked.push(target)
      return SECRET
    }
    await new WebhookNotifier({ secretOf, text, clock: () => NOW }).deliver(messageTo(receiver.url), unanswered.signal)
    const { headers, body } = receiver.received[0]!
    const mac = createHmac('sha256', SECRET)
      .update(`${NOW / SECOND}.${body}`)
      .digest('hex')
    expect(headers['x-quantrac-signature']).toBe(`t=${NOW / SECOND},v1=${mac}`)
    expect(asked).toEqual([receiver.url])
  })

  it('has the same idempotency key and id when it is sent again, and a fresh signature', async () => {
    const receiver = await answering(200)
    for (const now of [NOW, NOW + MINUTE]) await notifier(SECRET, now).deliver(messageTo(receiver.url), unanswered.signal)
    const [first, second] = receiver.received as [Receiver['received'][number], Receiver['received'][number]]
    expect(first.headers['idempotency-key']).toBe(messageTo('').key)
    expect(second.headers['idempotency-key']).toBe(messageTo('').key)
    expect((JSON.parse(second.body) as { id: string }).id).toBe(messageTo('').key)
    expect(second.headers['x-quantrac-signature']).toMatch(`t=${(NOW + MINUTE) / SECOND},`)
  })

  it('is verified by the code that the README gives to receivers, and nothing else is', async () => {
    const receiver = await answering(200)
    await deliver(receiver.url)
    const { headers, body } = receiver.received[0]!
    const signature = String(headers['x-quantrac-signature'])
    const isGenuine = await verifierOfReadme()
    const seconds = NOW / SECOND
    expect(isGenuine(SECRET, signature, Buffer.from(body), seconds + 299)).toBe(true)
    expect(isGenuine(SECRET, signature, Buffer.from(body), seconds + 301)).toBe(false)
    expect(isGenuine(SECRET, signature, Buffer.from(body.replace('95.35', '9.535')), seconds)).toBe(false)
    expect(isGenuine(SECRET, signature.replace(`t=${seconds}`, `t=${seconds + 1}`), Buffer.from(body), seconds)).toBe(false)
    expect(isGenuine('qtw_other', signature, Buffer.from(body), seconds)).toBe(false)
    expect(isGenuine(SECRET, 't=1,v1=', Buffer.from(body), seconds)).toBe(false)
    expect(isGenuine(SECRET, '', Buffer.from(body), seconds)).toBe(false)
  })
})

describe('what becomes of it', () => {
  it.each([200, 201, 202, 204])('is delivered with %i', async status => {
    expect(await deliver((await answering(status)).url)).toEqual({ outcome: 'delivered' })
  })

  it.each([500, 502, 503, 429, 408, 425])('is tried again after %i', async status => {
    expect(await deliver((await answering(status)).url)).toEqual({ outcome: 'retry', reason: `HTTP ${status}` })
  })

  it.each([400, 401, 404, 410, 422])('is rejected with %i', async status => {
    expect(await deliver((await answering(status)).url)).toEqual({ outcome: 'rejected', reason: `HTTP ${status}` })
  })

  it('keeps the beginning of a refusal as one line, as its reason', async () => {
    const { url } = await answering(404, {}, `không có\r\nở đây\u0000 ${'x'.repeat(5_000)}`)
    const { reason } = (await deliver(url)) as { reason: string }
    expect(reason).toMatch(/^HTTP 404: không có ở đây x+$/)
    expect(reason).toHaveLength('HTTP 404: '.length + 200)
  })

  it.each([301, 302, 303, 307, 308])('is rejected with %i, and goes nowhere else', async status => {
    const elsewhere = await answering(200)
    const { url } = await answering(status, { location: elsewhere.url })
    expect(await deliver(url)).toEqual({
      outcome: 'rejected',
      reason: expect.stringContaining(`HTTP ${status}: redirects are not followed`)
    })
    expect(elsewhere.received).toEqual([])
  })

  it('is not sent to a receiver that was removed', async () => {
    const receiver = await answering(200)
    const delivery = await notifier(null).deliver(messageTo(receiver.url), unanswered.signal)
    expect(delivery).toEqual({ outcome: 'rejected', reason: 'the recipient was removed' })
    expect(receiver.received).toEqual([])
  })

  it('is tried again when nobody listens', async () => {
    const { url } = await answering(200)
    await receivers.pop()!.stop()
    expect(await deliver(url)).toEqual({ outcome: 'retry', reason: expect.stringContaining('ECONNREFUSED') })
  })

  it('is tried again when the connection breaks before the answer', async () => {
    const { url } = await start(response => response.destroy())
    expect(await deliver(url)).toEqual({ outcome: 'retry', reason: expect.any(String) })
  })

  it('is tried again when what answers does not speak HTTP', async () => {
    const server = createServer(socket => socket.resume().end('220 mail.example ESMTP\r\n')).listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    expect(await deliver(`http://127.0.0.1:${port}/`)).toEqual({ outcome: 'retry', reason: expect.any(String) })
    await new Promise(resolve => server.close(resolve))
  })

  it('is tried again when the signal ends a wait without an answer, and the connection with it', async () => {
    const receiver = await start(() => unanswered.abort())
    expect(await deliver(receiver.url)).toEqual({ outcome: 'retry', reason: 'no answer in time' })
    await until(() => receiver.closed === 1)
  })
})

describe('Retry-After', () => {
  it('in seconds is when it is tried again', async () => {
    expect(await retryAfter('120')).toEqual({ outcome: 'retry', reason: 'HTTP 429', notBefore: NOW + 120 * SECOND })
  })

  it('as a date is when it is tried again', async () => {
    const delivery = await retryAfter(new Date(NOW + 5 * MINUTE).toUTCString())
    expect(delivery).toEqual({ outcome: 'retry', reason: 'HTTP 429', notBefore: NOW + 5 * MINUTE })
  })

  it('is heeded with a 503 too', async () => {
    const { url } = await answering(503, { 'retry-after': '30' })
    expect(await deliver(url)).toEqual({ outcome: 'retry', reason: 'HTTP 503', notBefore: NOW + 30 * SECOND })
  })

  it.each(['999999', 'Fri, 01 Jan 2100 00:00:00 GMT'])('puts a message off by an hour at most: %s', async header => {
    expect(await retryAfter(header)).toMatchObject({ notBefore: NOW + HOUR })
  })

  it.each(['soon', '-5', '1.5', '2026-11-25', '0', 'Tue, 24 Nov 2020 03:00:00 GMT'])(
    'that names no later instant is nothing: %s',
    async header => {
      expect(await retryAfter(header)).toEqual({ outcome: 'retry', reason: 'HTTP 429' })
    }
  )
})

describe('a receiver that goes on talking', () => {
  /** Writes as fast as the connection takes it, without end. */
  const flood = (status: number) => (response: ServerResponse) => {
    const chunk = Buffer.alloc(16 * 1024, 'x')
    const more = (): void => {
      while (!response.destroyed && response.write(chunk));
    }
    response.writeHead(status).on('drain', more)
    more()
  }

  it.each([
    [200, { outcome: 'delivered' }],
    [302, { outcome: 'rejected' }],
    [404, { outcome: 'rejected' }],
    [500, { outcome: 'retry' }]
  ])('is hung up on after its %i', async (status, outcome) => {
    const receiver = await start(flood(status))
    expect(await deliver(receiver.url)).toMatchObject(outcome)
    await until(() => receiver.closed === 1)
  })

  it('or that begins an answer and falls silent does not hold the verdict of its status', async () => {
    const receiver = await start(response => response.writeHead(410).flushHeaders())
    expect(await deliver(receiver.url)).toEqual({ outcome: 'rejected', reason: 'HTTP 410' })
    await until(() => receiver.closed === 1)
  })
})

/** Waits for what must come; the test's own time-out is the bound. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 5))
}

type Verifier = (secret: string, signature: string, body: Uint8Array, now: number) => boolean

async function verifierOfReadme(): Promise<Verifier> {
  const readme = readFileSync('libs/adapters/notify-webhook/README.md', 'utf8')
  const [, code = ''] = /```js\n(.*?)```/s.exec(readme) ?? []
  const { isGenuine } = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as { isGenuine: Verifier }
  return isGenuine
}
