import { once } from 'node:events'
import { createServer } from 'node:net'
import { afterEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { IConnackPacket } from 'mqtt-packet'
import { closeAll, Harness, messages, onClose, TOKEN, topicOf, until } from '../test/harness.js'
import { publish, RawClient } from '../test/raw-client.js'
import type { RefusalReason } from './errors.js'

afterEach(closeAll)

const STATION = 'AG-017'
const commands = topicOf(STATION, 'commands')
const readings = topicOf(STATION, 'readings')

/** The others are served as before. */
async function expectServes(harness: Harness): Promise<void> {
  const client = await harness.connect('AG-099', { clientId: `probe-${Math.random()}` })
  await client.publishAsync(topicOf('AG-099', 'readings'), 'still here', { qos: 1 })
  await client.endAsync()
}

const refused = (harness: Harness, reason: RefusalReason): number => harness.broker.stats().refused[reason]

describe('size and form', () => {
  it('a packet of 10 MB is cut at its header, before its body is sent', async () => {
    const harness = await Harness.open()
    const client = await RawClient.login(harness.port, STATION)
    client.send(Buffer.from([0x32, 0x80, 0xad, 0xe2, 0x04])) // PUBLISH, remaining length 10,000,000
    await client.closed
    expect(refused(harness, 'packet-too-large')).toBe(1)
    await expectServes(harness)
  })

  it('a reading of 256 KiB passes', async () => {
    const harness = await Harness.open()
    const client = await harness.connect(STATION)
    await client.publishAsync(readings, Buffer.alloc(256 * 1024, 0x20), { qos: 1 })
    expect(harness.received[0]?.payload).toHaveLength(256 * 1024)
  })

  it('a stranger may send less than a station: a CONNECT over 16 KiB is cut', async () => {
    const harness = await Harness.open()
    const client = await RawClient.open(harness.port)
    client.send(Buffer.from([0x10, 0x81, 0x80, 0x01])) // CONNECT, remaining length 16,385
    await client.closed
    expect(refused(harness, 'packet-too-large')).toBe(1)
  })

  it('a topic with 500 levels closes the connection that sent it', async () => {
    const harness = await Harness.open()
    const client = await RawClient.login(harness.port, STATION)
    client.send(publish(STATION, 'x', { topic: Array.from({ length: 500 }, () => 'a').join('/') }))
    await client.closed
    expect(refused(harness, 'topic-levels')).toBe(1)
    await expectServes(harness)
  })

  it('a client identifier of 129 characters is rejected with code 2', async () => {
    const harness = await Harness.open()
    const client = await RawClient.open(harness.port)
    expect((await client.connect(STATION, { clientId: 'x'.repeat(129) })).returnCode).toBe(2)
    await client.closed
    expect(refused(harness, 'client-id')).toBe(1)
  })

  it('a session that is to be kept needs a client identifier [MQTT-3.1.3-8]', async () => {
    const harness = await Harness.open()
    const client = await RawClient.open(harness.port)
    client.send(Buffer.from([0x10, 0x0c, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 0, 0, 60, 0, 0])) // no clean session, no identifier
    expect(((await client.next('connack')) as IConnackPacket).returnCode).toBe(2)
  })

  it('a client without an identifier gets one', async () => {
    const harness = await Harness.open()
    const clients = await Promise.all([1, 2].map(() => RawClient.open(harness.port)))
    for (const client of clients) expect((await client.connect(STATION, { clientId: '' })).returnCode).toBe(0)
    expect(harness.broker.stats().clients).toBe(2)
  })

  it('binary noise is cut, whatever it is, before and after the log-in', async () => {
    const harness = await Harness.open()
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 64, maxLength: 2_000 }), fc.boolean(), async (noise, loggedIn) => {
        const client = loggedIn ? await RawClient.login(harness.port, STATION) : await RawClient.open(harness.port)
        client.send(Buffer.concat([noise, Buffer.alloc(4, 0xff)]))
        client.socket.end()
        await client.closed
      }),
      { numRuns: 40 }
    )
    await expectServes(harness)
    await until(() => harness.broker.stats().connections === 0)
  })
})

describe('silence', () => {
  it('nothing but a part of a CONNECT ends after the time for it', async () => {
    const harness = await Harness.open({ limits: { connectTimeoutMs: 50 } })
    const client = await RawClient.open(harness.port)
    client.send(Buffer.from([0x10, 0x20, 0x00]))
    await client.closed
    expect(refused(harness, 'connect-timeout')).toBe(1)
  })

  it.each([
    ['its own keep-alive', 1, 3_600],
    ['the longest that is allowed, if it asked for none', 0, 1],
    ['the longest that is allowed, if it asked for more', 9_000, 1]
  ])('a peer that is gone without a word is dropped after %s', async (_name, keepalive, keepAliveSeconds) => {
    const harness = await Harness.open({ limits: { keepAliveSeconds } })
    const client = await RawClient.login(harness.port, STATION, { keepalive })
    await client.closed
    expect(refused(harness, 'keep-alive')).toBe(1)
  })

  it('a standard client keeps its connection by its own pings', async () => {
    const harness = await Harness.open({ limits: { keepAliveSeconds: 2 } })
    const client = await harness.connect(STATION, { keepalive: 1 })
    await new Promise(resolve => client.on('packetreceive', ({ cmd }) => cmd === 'pingresp' && resolve(cmd)))
    expect(client.connected).toBe(true)
  })
})

describe('numbers', () => {
  it.each([
    ['address', { connectionsPerAddress: 2 }, 'address-connections'],
    ['all', { connections: 2 }, 'total-connections']
  ] as const)('connections by %s: one more is closed, and there is room again when one leaves', async (_name, limits, reason) => {
    const harness = await Harness.open({ limits })
    const [first] = [await RawClient.login(harness.port, STATION), await RawClient.login(harness.port, 'AG-018')]
    await (await RawClient.open(harness.port)).closed
    expect(refused(harness, reason)).toBe(1)
    first.socket.destroy()
    await until(() => harness.broker.stats().connections === 1)
    await RawClient.login(harness.port, STATION)
  })

  it('subscriptions: one more is answered with failure, and there is room again after an UNSUBSCRIBE', async () => {
    const harness = await Harness.open({ limits: { subscriptions: 2 } })
    const desk = await RawClient.login(harness.port, 'token', { password: Buffer.from(TOKEN), clean: false })
    const filters = ['a', 'b', 'c'].map(name => `quantrac/v1/alarms/${name}`)
    expect((await desk.subscribe(filters, 1)).granted).toEqual([1, 1, 128])
    await harness.broker.publish(filters[2] as string, 'x', { qos: 1 })
    expect(harness.broker.stats()).toMatchObject({ queued: { messages: 0 }, refused: { 'subscription-limit': 1 } })
    desk.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: [filters[0] as string] })
    await desk.next('unsuback')
    expect((await desk.subscribe(filters[2] as string, 1)).granted).toEqual([1])
  })

  it.each([true, false])('QoS 2 messages that are never released: one more closes the connection (clean session %s)', async clean => {
    const harness = await Harness.open({ limits: { inboundInFlight: 3 } })
    const client = await RawClient.login(harness.port, STATION, { clean })
    for (const messageId of [1, 2, 3]) {
      client.send(publish(STATION, 'x', { qos: 2, messageId }))
      await client.next('pubrec')
    }
    client.send(publish(STATION, 'x', { qos: 2, messageId: 4 }))
    await client.closed
    expect(refused(harness, 'inflight-limit')).toBe(1)
  })

  it('QoS 2 messages of an earlier connection count as well', async () => {
    const harness = await Harness.open({ limits: { inboundInFlight: 2 } })
    for (const messageId of [1, 2]) {
      const client = await RawClient.login(harness.port, STATION, { clean: false })
      client.send(publish(STATION, 'x', { qos: 2, messageId }))
      await client.next('pubrec')
    }
    const client = await RawClient.login(harness.port, STATION, { clean: false })
    client.send(publish(STATION, 'x', { qos: 2, messageId: 3 }))
    await client.closed
    expect(refused(harness, 'inflight-limit')).toBe(1)
  })
})

describe('failed log-ins', () => {
  const wrong = { password: Buffer.from('wrong') }

  it('after some the address is shut out for a time that grows; a success forgives all', async () => {
    let now = 0
    const limits = { loginFailures: 2, loginBlockMs: 1_000, loginMaxBlockMs: 60_000 }
    const harness = await Harness.open({ limits, now: () => now })
    const fail = async (): Promise<void> => {
      const client = await RawClient.open(harness.port)
      expect((await client.connect(STATION, wrong)).returnCode).toBe(4)
      await client.closed
    }
    const shutOut = async (): Promise<void> => (await RawClient.open(harness.port)).closed
    await fail()
    await fail()
    await shutOut()
    now += 1_001
    await fail()
    now += 1_001
    await shutOut()
    expect(refused(harness, 'address-blocked')).toBe(2)
    now += 1_000
    await RawClient.login(harness.port, STATION)
    await fail()
    await RawClient.login(harness.port, STATION)
  })
})

describe('a subscriber that never reads', () => {
  it('is cut off; meanwhile publishers and other subscribers go on', async () => {
    const harness = await Harness.open({ limits: { unreadBytes: 256 * 1024 } })
    const [reading, standing] = await Promise.all(['good', 'stuck'].map(clientId => RawClient.login(harness.port, STATION, { clientId })))
    for (const client of [reading, standing]) await client?.subscribe(readings, 1)
    standing?.socket.pause()
    const sender = await harness.connect(STATION)
    const payload = Buffer.alloc(64 * 1024, 0x20)
    let sent = 0
    while (refused(harness, 'slow-reader') === 0) {
      await sender.publishAsync(readings, payload, { qos: 1 })
      sent++
    }
    await sender.publishAsync(readings, 'after', { qos: 1 })
    for (let n = 0; n < sent; n++) await reading?.next('publish')
    expect(await reading?.next('publish')).toMatchObject({ payload: Buffer.from('after') })
    expect(harness.received).toHaveLength(sent + 1)
  })

  it('delays nobody before it is cut off', async () => {
    const harness = await Harness.open({ limits: { unreadBytes: 64 * 2 ** 20, unreadMs: 60_000 } })
    const standing = await RawClient.login(harness.port, STATION, { clientId: 'stuck' })
    await standing.subscribe(readings, 0)
    standing.socket.pause()
    const watch = await harness.connect(STATION, { clientId: 'watch' })
    await watch.subscribeAsync(readings, { qos: 0 })
    const sender = await harness.connect(STATION)
    const count = 250 // 16 MB: more than the system's own buffers take
    const got = messages(watch, count)
    for (let n = 0; n < count; n++) await sender.publishAsync(readings, Buffer.alloc(64_000, 0x20), { qos: 1 })
    expect(await got).toHaveLength(count)
    expect(refused(harness, 'slow-reader')).toBe(0)
  })

  it('is cut off when it leaves a full socket unread for too long', async () => {
    const harness = await Harness.open({ limits: { unreadMs: 50 } })
    const client = await RawClient.login(harness.port, STATION)
    await client.subscribe(commands, 1)
    client.socket.pause()
    // Past what the system's own buffers take, below the limit in bytes.
    while (harness.broker.stats().clients === 1) await harness.broker.publish(commands, Buffer.alloc(512 * 1024), { qos: 1 })
    expect(refused(harness, 'slow-reader')).toBe(1)
  })
})

describe('keeping that is slower than sending', () => {
  it.each([
    [6_000, 1_000, 'at once'],
    [1_000, 1_000, 'one by one'],
    [40, 200_000, 'one by one']
  ] as const)(
    'holds the sender of %d messages of %d bytes, sent %s, back: what is taken in and not kept yet stays bounded',
    async (total, bytes, how) => {
      let release: (() => void)[] = []
      const harness = await Harness.open({ onPublish: () => new Promise(resolve => release.push(resolve)) })
      const client = await RawClient.login(harness.port, STATION)
      client.socket.setNoDelay()
      const payload = 'x'.repeat(bytes)
      const messages = Array.from({ length: total }, (_, n) => publish(STATION, payload, { messageId: n + 1 }))
      for (const message of messages) {
        client.send(message)
        if (how === 'one by one') await new Promise(resolve => setImmediate(resolve))
      }
      await new Promise(resolve => setTimeout(resolve, 100)) // nothing is kept meanwhile
      let most = 0
      let kept = 0
      while (kept < total) {
        await new Promise(resolve => setTimeout(resolve, 1))
        most = Math.max(most, harness.broker.stats().pending)
        kept += release.length
        for (const resolve of release.splice(0)) resolve()
        release = []
      }
      for (let n = 1; n <= total; n++) expect((await client.next('puback')).messageId).toBe(n)
      expect(most * bytes).toBeLessThanOrEqual(128 * 1024 + Math.max(2 * 65_536, 2 * bytes)) // the limit, and a read beyond it
    }
  )

  it('a sender that is held back gets its answers to other things afterwards', async () => {
    let keep: () => void = () => undefined
    const harness = await Harness.open({ limits: { unkeptBytes: 10 }, onPublish: () => new Promise(resolve => (keep = resolve)) })
    const client = await RawClient.login(harness.port, STATION)
    client.send(publish(STATION, 'more than ten bytes'))
    await until(() => harness.received.length === 1)
    client.send({ cmd: 'pingreq' })
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(client.packets).toHaveLength(1)
    keep()
    await client.next('puback')
    await client.next('pingresp')
  })
})

describe('a full session file', () => {
  it('closes the connections of those who are promised something, with a code in the log, and serves the others', async () => {
    const harness = await Harness.open({ limits: { sessionFileBytes: 80_000, connectBytes: 65_000 } })
    const will = { topic: topicOf(STATION, 'status'), payload: Buffer.alloc(60_000), qos: 1 as const, retain: true }
    const client = await RawClient.open(harness.port)
    await expect(Promise.race([client.connect(STATION, { will }), client.closed])).resolves.toBeUndefined()
    expect(harness.log.at(-1)?.fields).toMatchObject({ reason: 'not-kept', code: 'QT_MQTT_SESSIONS_FULL', station: STATION })
    await expectServes(harness)
  })
})

describe('starting', () => {
  it('a port in use is told as such', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    onClose(() => server.close())
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    await expect(Harness.open({ ports: { tcp: port } })).rejects.toMatchObject({
      code: 'QT_MQTT_PORT_IN_USE',
      message: expect.stringContaining(String(port))
    })
  })

  it('a second broker on the same data directory is refused, and the first goes on', async () => {
    const harness = await Harness.open()
    await expect(Harness.open({ dir: harness.dir })).rejects.toMatchObject({ code: 'QT_MQTT_SESSIONS_LOCKED' })
    await expectServes(harness)
  })
})
