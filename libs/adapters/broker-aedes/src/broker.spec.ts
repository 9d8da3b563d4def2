import { afterEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { closeAll, Harness, messages, SECRET, TOKEN, topicOf, until } from '../test/harness.js'
import { publish, RawClient } from '../test/raw-client.js'

afterEach(closeAll)

const STATION = 'AG-017'
const readings = topicOf(STATION, 'readings')
const commands = topicOf(STATION, 'commands')
const status = topicOf(STATION, 'status')
const text = (payload: Uint8Array): string => Buffer.from(payload).toString()

describe('from a station', () => {
  it.each([0, 1, 2] as const)('a message of QoS %d is kept, then acknowledged', async qos => {
    const harness = await Harness.open()
    const { broker, received } = harness
    const client = await harness.connect(STATION)
    await client.publishAsync(readings, 'COD 82', { qos })
    await until(() => received.length === 1)
    expect(received[0]).toMatchObject({
      topic: readings,
      qos,
      duplicate: false,
      retain: false,
      clientId: 'AG-017-1',
      principal: { kind: 'station', code: STATION }
    })
    expect(text(received[0]?.payload ?? new Uint8Array())).toBe('COD 82')
    expect(broker.stats().received).toEqual({ qos0: 0, qos1: 0, qos2: 0, [`qos${qos}`]: 1 })
  })

  it('PUBACKs leave in the order of arrival, in whatever order the messages are kept', async () => {
    let settle: (() => void)[] = []
    const { port } = await Harness.open({ onPublish: () => new Promise(resolve => settle.push(resolve)) })
    const client = await RawClient.login(port, STATION)
    const permutation = fc.integer({ min: 1, max: 12 }).chain(count =>
      fc.shuffledSubarray(
        Array.from({ length: count }, (_, n) => n),
        { minLength: count }
      )
    )
    await fc.assert(
      fc.asyncProperty(permutation, async order => {
        settle = []
        const ids = order.map((_, n) => n + 1)
        client.send(Buffer.concat(ids.map(messageId => publish(STATION, `m${messageId}`, { messageId }))))
        await until(() => settle.length === order.length)
        for (const n of order) settle[n]?.()
        const acknowledged: unknown[] = []
        for (const _ of ids) acknowledged.push((await client.next('puback')).messageId)
        expect(acknowledged).toEqual(ids)
      }),
      { numRuns: 30 }
    )
  })

  it('a message that cannot be kept is not acknowledged, nor is one after it, and the connection is closed', async () => {
    const { broker, port, log } = await Harness.open({
      onPublish: ({ payload }) =>
        text(payload) === 'bad' ? Promise.reject(Object.assign(new Error('x'), { code: 'QT_JOURNAL_FULL' })) : Promise.resolve()
    })
    const client = await RawClient.login(port, STATION)
    const [first, second, third] = ['good', 'bad', 'good'].map((payload, n) => publish(STATION, payload, { messageId: n + 1 }))
    client.send(Buffer.concat([first as Buffer, second as Buffer, third as Buffer]))
    await client.closed
    expect(client.packets.slice(1).map(({ cmd, messageId }) => [cmd, messageId])).toEqual([['puback', 1]])
    expect(broker.stats().refused['not-kept']).toBe(1)
    expect(log.at(-1)?.fields).toMatchObject({ code: 'QT_JOURNAL_FULL', station: STATION })
  })

  it('a QoS 0 message that cannot be kept is counted, and the connection stays', async () => {
    const harness = await Harness.open({ onPublish: ({ qos }) => (qos === 0 ? Promise.reject(new Error('full')) : Promise.resolve()) })
    const client = await harness.connect(STATION)
    await client.publishAsync(readings, 'lost', { qos: 0 })
    await client.publishAsync(readings, 'kept', { qos: 1 })
    expect(client.connected).toBe(true)
    expect(harness.broker.stats().refused['not-kept']).toBe(1)
  })

  it('QoS 2 sent again before its release is acknowledged and not kept again; its identifier is free after the release', async () => {
    const harness = await Harness.open()
    const client = await RawClient.login(harness.port, STATION)
    client.send(publish(STATION, 'one', { qos: 2, messageId: 7 }))
    await client.next('pubrec')
    client.send(publish(STATION, 'one', { qos: 2, messageId: 7, dup: true }))
    await client.next('pubrec')
    client.send({ cmd: 'pubrel', messageId: 7 })
    await client.next('pubcomp')
    client.send(publish(STATION, 'two', { qos: 2, messageId: 7 }))
    await client.next('pubrec')
    expect(harness.payloads()).toEqual(['one', 'two'])
  })

  it('DUP is passed on', async () => {
    const harness = await Harness.open()
    const client = await RawClient.login(harness.port, STATION)
    client.send(publish(STATION, 'again', { dup: true }))
    await client.next('puback')
    expect(harness.received[0]?.duplicate).toBe(true)
  })

  it.each([topicOf('AG-018', 'readings'), '$SYS/broker/uptime', 'quantrac/v1/alarms/AG-017', 'readings'])(
    'publishing to %s closes the connection, and nothing is acknowledged or kept',
    async topic => {
      const harness = await Harness.open()
      const client = await RawClient.login(harness.port, STATION)
      client.send(publish(STATION, 'x', { topic }))
      await client.closed
      expect(client.packets).toHaveLength(1)
      expect(harness.received).toEqual([])
      expect(harness.broker.stats().refused['foreign-topic']).toBe(1)
    }
  )

  it('only its status may be retained', async () => {
    const harness = await Harness.open()
    const client = await harness.connect(STATION)
    await client.publishAsync(status, 'online', { qos: 1, retain: true })
    await client.publishAsync(readings, 'r', { qos: 1, retain: true })
    await until(() => harness.broker.stats().retained.messages === 1)
    const late = await harness.connect(STATION, { clientId: 'late' })
    const got = messages(late, 1)
    await late.subscribeAsync(topicOf(STATION, '#'), { qos: 1 })
    expect(await got).toEqual([`${status} online 1`])
    expect(harness.received.map(({ retain }) => retain)).toEqual([true, false])
    expect(harness.broker.stats().retained.messages).toBe(1)
  })
})

describe('wills', () => {
  const will = { topic: status, payload: Buffer.from('offline'), qos: 1 as const, retain: true }

  it('a connection that breaks has its will kept, with the station that it speaks for, and retained', async () => {
    const harness = await Harness.open()
    const client = await RawClient.login(harness.port, STATION, { will })
    client.socket.destroy()
    await until(() => harness.received.length === 1)
    expect(harness.received[0]).toMatchObject({ topic: status, clientId: `${STATION}-raw`, principal: { code: STATION }, retain: true })
    await until(() => harness.broker.stats().retained.messages === 1)
  })

  it('a client that says goodbye leaves none', async () => {
    const harness = await Harness.open()
    const client = await RawClient.login(harness.port, STATION, { will })
    client.send({ cmd: 'disconnect' })
    await client.closed
    await until(() => harness.broker.stats().connections === 0)
    await harness.restart()
    expect(harness.received).toEqual([])
  })

  it('one for another station is refused at the door', async () => {
    const harness = await Harness.open()
    const client = await RawClient.open(harness.port)
    const connack = await client.connect(STATION, { will: { ...will, topic: topicOf('AG-018', 'status') } })
    expect(connack.returnCode).toBe(5)
    await client.closed
    expect(harness.broker.stats().refused['foreign-will']).toBe(1)
  })

  it('those of clients that are connected when the server stops are published when it starts', async () => {
    const harness = await Harness.open()
    await RawClient.login(harness.port, STATION, { will })
    await harness.broker.close()
    expect(harness.received).toEqual([])
    await harness.start()
    expect(harness.payloads()).toEqual(['offline'])
    expect(harness.broker.stats().retained.messages).toBe(1)
  })

  it('one that cannot be kept now is kept and published at the next start', async () => {
    let full = true
    const harness = await Harness.open({ onPublish: () => (full ? Promise.reject(new Error('full')) : Promise.resolve()) })
    const client = await RawClient.login(harness.port, STATION, { will })
    client.socket.destroy()
    await until(() => harness.received.length === 1)
    full = false
    await harness.restart()
    expect(harness.payloads()).toEqual(['offline', 'offline'])
    await harness.restart()
    expect(harness.received).toHaveLength(2)
  })
})

describe('to subscribers', () => {
  it.each([
    [0, 0, 0],
    [1, 0, 0],
    [1, 1, 1],
    [2, 1, 1],
    [2, 2, 2]
  ] as const)('a message of QoS %d arrives at a subscription of QoS %d with QoS %d', async (qos, granted, arriving) => {
    const harness = await Harness.open()
    const subscribers = await Promise.all([true, false].map(clean => harness.connect(STATION, { clientId: `c-${clean}`, clean })))
    const got = subscribers.map(client => messages(client, 2))
    await Promise.all(subscribers.map(client => client.subscribeAsync(topicOf(STATION, '+'), { qos: granted })))
    await harness.broker.publish(commands, 'one', { qos })
    await harness.broker.publish(commands, 'two', { qos })
    const expected = [`${commands} one ${arriving}`, `${commands} two ${arriving}`]
    expect(await Promise.all(got)).toEqual([expected, expected])
    await until(() => harness.broker.stats().queued.messages === 0)
  })

  it("a station's message reaches those who subscribed it", async () => {
    const harness = await Harness.open()
    const subscriber = await harness.connect(STATION, { clientId: 'watch' })
    const got = messages(subscriber, 1)
    await subscriber.subscribeAsync(readings, { qos: 1 })
    const sender = await harness.connect(STATION)
    await sender.publishAsync(readings, 'COD 82', { qos: 1 })
    expect(await got).toEqual([`${readings} COD 82 1`])
  })

  it('a program with a reader token gets alarms, and nothing else', async () => {
    const harness = await Harness.open()
    const desk = await RawClient.login(harness.port, 'token', { password: Buffer.from(TOKEN) })
    const suback = await desk.subscribe(['quantrac/v1/alarms/#', '#', '$SYS/#', readings], 0)
    expect(suback.granted).toEqual([0, 128, 128, 128])
    await harness.broker.publish(readings, 'r')
    await harness.broker.publish('quantrac/v1/alarms/AG-017', 'raised')
    expect(await desk.next('publish')).toMatchObject({ topic: 'quantrac/v1/alarms/AG-017', qos: 0 })
    expect(harness.broker.stats().refused['foreign-filter']).toBe(3)
  })

  it.each(['quantrac/v1/alarms/#/x', 'quantrac/v1/alarms/+x', 'quantrac/v1/alarms/a#'])(
    'the filter %s closes the connection',
    async topic => {
      const harness = await Harness.open()
      const client = await RawClient.login(harness.port, 'token', { password: Buffer.from(TOKEN) })
      client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 1 }] })
      await client.closed
      expect(harness.broker.stats().refused['invalid-filter']).toBe(1)
    }
  )

  it('a filter that was refused is not kept with the session that asked for it', async () => {
    const harness = await Harness.open()
    const client = await RawClient.login(harness.port, STATION, { clean: false })
    const suback = await client.subscribe(['#', topicOf('AG-018', '#'), commands], 1)
    expect(suback.granted).toEqual([128, 128, 1])
    client.send({ cmd: 'disconnect' })
    await client.closed
    await harness.broker.publish(topicOf('AG-018', 'commands'), 'foreign', { qos: 1 })
    await harness.broker.publish(commands, 'own', { qos: 1 })
    expect(harness.broker.stats().queued.messages).toBe(1)
  })
})

describe('log-in', () => {
  it('a wrong password is refused with code 4, counted, and never written to the log', async () => {
    const harness = await Harness.open()
    const client = await RawClient.open(harness.port)
    const connack = await client.connect(STATION, { password: Buffer.from('guess-1234') })
    expect(connack.returnCode).toBe(4)
    await client.closed
    expect(harness.broker.stats().refused['bad-credentials']).toBe(1)
    expect(JSON.stringify(harness.log)).not.toContain('guess-1234')
  })

  it('when it cannot be told who that is, the client is asked to come back', async () => {
    const harness = await Harness.open({ authenticate: () => Promise.reject(new Error('database locked')) })
    const client = await RawClient.open(harness.port)
    expect((await client.connect(STATION)).returnCode).toBe(3)
    await client.closed
    expect(harness.broker.stats().refused['login-unavailable']).toBe(1)
  })

  it('two stations with one client identifier neither disconnect each other nor share a session', async () => {
    const harness = await Harness.open()
    const own = await harness.connect(STATION, { clientId: 'esp32', clean: false })
    await own.subscribeAsync(commands, { qos: 1 })
    const other = await harness.connect('AG-018', { clientId: 'esp32', clean: false })
    expect(own.connected).toBe(true)
    await own.endAsync()
    await harness.broker.publish(commands, 'secret order', { qos: 1 })
    await other.endAsync()
    const again = await RawClient.open(harness.port)
    await again.connect('AG-018', { clientId: 'esp32', clean: false })
    again.send({ cmd: 'pingreq' })
    await again.next('pingresp')
    expect(harness.broker.stats()).toMatchObject({ sessions: 2, queued: { messages: 1 } })
  })

  it('a second connection with the same identifier and the same station takes the first one over', async () => {
    const harness = await Harness.open()
    const first = await RawClient.login(harness.port, STATION)
    const second = await RawClient.login(harness.port, STATION)
    await first.closed
    second.send(publish(STATION, 'x'))
    await second.next('puback')
    expect(harness.broker.stats().clients).toBe(1)
  })

  it('a client of MQTT 5 is told so', async () => {
    const harness = await Harness.open()
    const client = await RawClient.open(harness.port)
    const connack = await client.connect(STATION, { protocolVersion: 5 })
    expect(connack.returnCode).toBe(1)
    await client.closed
    expect(harness.broker.stats().refused['protocol-version']).toBe(1)
  })

  it('no secret and no payload is logged', async () => {
    const harness = await Harness.open()
    const client = await RawClient.login(harness.port, STATION)
    client.send(publish(STATION, 'private-payload', { topic: 'elsewhere' }))
    await client.closed
    expect(JSON.stringify(harness.log)).not.toMatch(new RegExp(`private-payload|${SECRET}`))
  })
})
