import { fork } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from '@jest/globals'
import type { IPublishPacket } from 'mqtt-packet'
import { closeAll, connectHearing, Harness, messages, onClose, SECRET, topicOf, until } from '../test/harness.js'
import { publish, RawClient } from '../test/raw-client.js'

afterEach(closeAll)

const STATION = 'AG-017'
const commands = topicOf(STATION, 'commands')
const status = topicOf(STATION, 'status')
const numbered = (count: number, from = 0): string[] => Array.from({ length: count }, (_, n) => `m${from + n}`)

/** A subscriber's session that was left: what is published now waits for it. */
async function leaveSession(harness: Harness, qos: 0 | 1 | 2 = 1, clientId = 'keeper'): Promise<void> {
  const client = await RawClient.login(harness.port, STATION, { clean: false, clientId })
  await client.subscribe(commands, qos)
  client.send({ cmd: 'disconnect' })
  await client.closed
}

const comeBack = (harness: Harness, clientId = 'keeper'): Promise<RawClient> =>
  RawClient.login(harness.port, STATION, { clean: false, clientId })

async function nextPublish(client: RawClient): Promise<IPublishPacket> {
  return (await client.next('publish')) as IPublishPacket
}

describe('a session that was left', () => {
  it.each([1, 2] as const)('gets the messages of QoS %d of its absence, in order, also after a restart', async qos => {
    const harness = await Harness.open()
    await leaveSession(harness, 2)
    await Promise.all(numbered(20).map(payload => harness.broker.publish(commands, payload, { qos })))
    await harness.restart()
    await Promise.all(numbered(20, 20).map(payload => harness.broker.publish(commands, payload, { qos })))
    const client = await harness.connect(STATION, { clean: false, clientId: 'keeper' })
    expect(await messages(client, 40)).toEqual(numbered(40).map(payload => `${commands} ${payload} ${qos}`))
    await until(() => harness.broker.stats().queued.messages === 0)
  })

  it('gets no message of QoS 0 of its absence', async () => {
    const harness = await Harness.open()
    await leaveSession(harness)
    await harness.broker.publish(commands, 'zero', { qos: 0 })
    expect(harness.broker.stats().queued.messages).toBe(0)
  })

  it('gets what it did not acknowledge again: marked as repeated, with the same identifier', async () => {
    const harness = await Harness.open()
    await leaveSession(harness)
    const first = await comeBack(harness)
    await harness.broker.publish(commands, 'x', { qos: 1 })
    const sent = await nextPublish(first)
    expect(sent.dup).toBe(false)
    first.socket.destroy()
    await until(() => harness.broker.stats().clients === 0)
    await harness.restart()
    const again = await nextPublish(await comeBack(harness))
    expect(again).toMatchObject({ dup: true, messageId: sent.messageId })
  })

  it('goes on with QoS 2 where it stood: what was received is not sent again', async () => {
    const harness = await Harness.open()
    await leaveSession(harness, 2)
    const first = await comeBack(harness)
    await harness.broker.publish(commands, 'x', { qos: 2 })
    const { messageId } = await nextPublish(first)
    first.send({ cmd: 'pubrec', messageId: messageId as number })
    await first.next('pubrel')
    await harness.restart()
    const second = await comeBack(harness)
    expect(await second.next('pubrel')).toMatchObject({ messageId })
    second.send({ cmd: 'pubcomp', messageId: messageId as number })
    await until(() => harness.broker.stats().queued.messages === 0)
  })

  it('remembers what it sent with QoS 2, and says that it is there', async () => {
    const harness = await Harness.open()
    const first = await RawClient.login(harness.port, STATION, { clean: false })
    first.send(publish(STATION, 'x', { qos: 2, messageId: 5 }))
    await first.next('pubrec')
    await harness.restart()
    const second = await RawClient.open(harness.port)
    expect((await second.connect(STATION, { clean: false })).sessionPresent).toBe(true)
    second.send(publish(STATION, 'x', { qos: 2, messageId: 5, dup: true }))
    await second.next('pubrec')
    second.send({ cmd: 'pubrel', messageId: 5 })
    await second.next('pubcomp')
    expect(harness.payloads()).toEqual(['x'])
  })

  it('is not said to be there on its first connection, nor after a clean one, which ends it', async () => {
    const harness = await Harness.open()
    const present = async (clean: boolean): Promise<unknown> => {
      const client = await RawClient.open(harness.port)
      const { sessionPresent } = await client.connect(STATION, { clean })
      if (!clean) await client.subscribe(commands, 1)
      client.send({ cmd: 'disconnect' })
      await client.closed
      return sessionPresent
    }
    expect(await present(false)).toBe(false)
    expect(await present(false)).toBe(true)
    expect(await present(true)).toBe(false)
    expect(harness.broker.stats().sessions).toBe(0)
    expect(await present(false)).toBe(false)
  })

  it('keeps its order and repeats nothing while messages come in faster than they go out', async () => {
    const harness = await Harness.open({ limits: { window: 10 } })
    await leaveSession(harness)
    await Promise.all(numbered(100).map(payload => harness.broker.publish(commands, payload, { qos: 1 })))
    const client = await comeBack(harness)
    const seen: string[] = []
    for (let n = 0; n < 200; n++) {
      if (n < 100) await harness.broker.publish(commands, `m${100 + n}`, { qos: 1 })
      const { payload, messageId } = await nextPublish(client)
      seen.push(payload.toString())
      client.send({ cmd: 'puback', messageId: messageId as number })
    }
    expect(seen).toEqual(numbered(200))
    await until(() => harness.broker.stats().queued.messages === 0)
  })

  it('has no more than a window of messages unacknowledged', async () => {
    const harness = await Harness.open({ limits: { window: 5 } })
    await leaveSession(harness)
    await Promise.all(numbered(8).map(payload => harness.broker.publish(commands, payload, { qos: 1 })))
    const client = await comeBack(harness)
    const ids: number[] = []
    for (let n = 0; n < 5; n++) ids.push((await nextPublish(client)).messageId as number)
    client.send({ cmd: 'pingreq' })
    await client.next('pingresp')
    client.send({ cmd: 'puback', messageId: ids[0] as number })
    expect((await nextPublish(client)).payload.toString()).toBe('m5')
  })

  it('refuses the newest message when its queue is full, for itself alone', async () => {
    const harness = await Harness.open({ limits: { queuedMessages: 3 } })
    await leaveSession(harness, 1, 'full')
    for (const payload of numbered(3)) await harness.broker.publish(commands, payload, { qos: 1 })
    await leaveSession(harness, 1, 'empty')
    await harness.broker.publish(commands, 'm3', { qos: 1 })
    expect(harness.broker.stats()).toMatchObject({ queued: { messages: 4 }, refused: { 'queue-limit': 1 } })
    const full = await harness.connect(STATION, { clean: false, clientId: 'full' })
    expect(await messages(full, 3)).toEqual(numbered(3).map(payload => `${commands} ${payload} 1`))
  })

  it('is bounded in bytes as well, and so are all together', async () => {
    const own = await Harness.open({ limits: { queuedBytes: 4_000 } })
    await leaveSession(own)
    await own.broker.publish(commands, 'x'.repeat(3_000), { qos: 1 })
    await own.broker.publish(commands, 'y'.repeat(3_000), { qos: 1 })
    expect(own.broker.stats().refused['queue-limit']).toBe(1)
    const all = await Harness.open({ limits: { totalQueuedBytes: 4_000 } })
    await leaveSession(all, 1, 'a')
    await leaveSession(all, 1, 'b')
    await all.broker.publish(commands, 'x'.repeat(3_000), { qos: 1 })
    expect(all.broker.stats()).toMatchObject({ queued: { messages: 1 }, refused: { 'queue-limit': 1 } })
  })

  it('a connected client whose queue is full keeps its connection', async () => {
    const harness = await Harness.open({ limits: { queuedMessages: 2 } })
    await leaveSession(harness)
    const client = await comeBack(harness)
    for (const payload of numbered(4)) await harness.broker.publish(commands, payload, { qos: 1 })
    const first = await nextPublish(client)
    await nextPublish(client)
    client.send({ cmd: 'puback', messageId: first.messageId as number })
    await until(() => harness.broker.stats().queued.messages === 1)
    await harness.broker.publish(commands, 'm4', { qos: 1 })
    expect((await nextPublish(client)).payload.toString()).toBe('m4')
  })
})

describe('the number of sessions', () => {
  it('at its limit the one that was left longest ago and waits for nothing makes room; connected and waiting ones do not', async () => {
    let now = 1_000
    const harness = await Harness.open({ limits: { sessions: 3 }, now: () => now++ })
    await leaveSession(harness, 1, 'waiting')
    await harness.broker.publish(commands, 'x', { qos: 1 })
    await RawClient.login(harness.port, STATION, { clean: false, clientId: 'connected' })
    await leaveSession(harness, 2, 'idle')
    await RawClient.login(harness.port, STATION, { clean: false, clientId: 'newcomer' })
    const refused = await RawClient.open(harness.port)
    expect((await refused.connect(STATION, { clean: false, clientId: 'one-too-many' })).returnCode).toBe(3)
    await refused.closed
    expect(harness.broker.stats()).toMatchObject({ sessions: 3, queued: { messages: 1 }, refused: { 'session-limit': 1 } })
  })

  it('one that nobody used for too long is forgotten with its queue', async () => {
    let now = Date.now()
    const harness = await Harness.open({ now: () => now })
    await leaveSession(harness)
    await harness.broker.publish(commands, 'x', { qos: 1 })
    now += 29 * 86_400_000
    await harness.restart()
    expect(harness.broker.stats().sessions).toBe(1)
    now += 2 * 86_400_000
    await harness.restart()
    expect(harness.broker.stats()).toMatchObject({ sessions: 0, queued: { messages: 0, bytes: 0 } })
    await harness.restart()
    expect(harness.broker.stats().queued.messages).toBe(0)
  })
})

describe('retained messages', () => {
  it('survive a restart, the last of each topic, and an empty one takes them away', async () => {
    const harness = await Harness.open()
    const retained = { qos: 1, retain: true } as const
    await harness.broker.publish(status, 'old', retained)
    await harness.broker.publish(status, 'new', retained)
    await harness.broker.publish(commands, 'gone', retained)
    await harness.broker.publish(commands, '', retained)
    await harness.restart()
    const client = await harness.connect(STATION)
    const got = messages(client, 1)
    await client.subscribeAsync(topicOf(STATION, '#'), { qos: 1 })
    expect(await got).toEqual([`${status} new 1`])
    expect(harness.broker.stats().retained.messages).toBe(1)
  })

  it('are bounded: one more is delivered but not retained', async () => {
    const harness = await Harness.open({ limits: { retainedMessages: 1 } })
    await harness.broker.publish(status, 'a', { retain: true })
    await harness.broker.publish(commands, 'b', { retain: true })
    await harness.broker.publish(status, 'c', { retain: true })
    expect(harness.broker.stats()).toMatchObject({ retained: { messages: 1 }, refused: { 'retained-limit': 1 } })
  })
})

describe('killed with SIGKILL', () => {
  interface Child {
    readonly port: number
    /** What its `onPublish` was given. */
    readonly kept: string[]
    /** Payloads whose `publish` has resolved. */
    readonly confirmed: string[]
    send(message: { topic: string; payload: string; retain: boolean }): void
    kill(): Promise<void>
  }

  async function startChild(dir: string, confirmed: string[] = []): Promise<Child> {
    const process = fork(new URL('../test/child-broker.js', import.meta.url), [dir])
    onClose(() => process.kill('SIGKILL'))
    const kept: string[] = []
    const port = await new Promise<number>(resolve => {
      process.on('message', (message: { kept?: string; published?: string; port?: number }) => {
        if (message.kept !== undefined) kept.push(message.kept)
        if (message.published !== undefined) confirmed.push(message.published)
        if (message.port !== undefined) resolve(message.port)
      })
    })
    const kill = async (): Promise<void> => {
      process.kill('SIGKILL')
      await once(process, 'exit')
    }
    return { port, kept, confirmed, send: message => void process.send(message), kill }
  }

  it('subscriptions, queued and retained messages are there again, and wills of the dead are published once', async () => {
    const { dir, broker } = await Harness.open()
    await broker.close()
    const first = await startChild(dir)
    const subscriber = await RawClient.login(first.port, STATION, { clean: false, clientId: 'keeper' })
    await subscriber.subscribe(commands, 1)
    subscriber.send({ cmd: 'disconnect' })
    await subscriber.closed
    const will = { topic: topicOf('AG-018', 'status'), payload: Buffer.from('offline'), qos: 1 as const, retain: true }
    await RawClient.login(first.port, 'AG-018', { will })
    first.send({ topic: commands, payload: 'order', retain: false })
    first.send({ topic: status, payload: 'online', retain: true })
    await until(() => first.confirmed.length === 2)
    await first.kill()
    const second = await startChild(dir)
    expect(second.kept).toEqual(['quantrac/v1/AG-018/status offline'])
    const session = { clientId: 'keeper', clean: false, username: STATION, password: SECRET }
    const queued: string[] = []
    const again = await connectHearing(second.port, session, (topic, payload, { qos }) =>
      queued.push(`${topic} ${payload.toString()} ${qos}`)
    )
    await until(() => queued.length > 0)
    expect(queued).toEqual([`${commands} order 1`])
    const got = messages(again, 1)
    await again.subscribeAsync(status)
    expect(await got).toEqual([`${status} online 0`])
    await second.kill()
    const third = await startChild(dir)
    expect(third.kept).toEqual([])
    await third.kill()
  }, 60_000)

  it('nothing that publish() had confirmed is missing, wherever the kill hits', async () => {
    const { dir, broker } = await Harness.open()
    await broker.close()
    let child = await startChild(dir)
    const subscriber = await RawClient.login(child.port, STATION, { clean: false, clientId: 'keeper' })
    await subscriber.subscribe(commands, 1)
    subscriber.socket.destroy()
    let next = 0
    for (const killAfter of [1, 40, 90]) {
      const enough = child.confirmed.length + killAfter
      for (let n = 0; n < 300; n++) child.send({ topic: commands, payload: `m${next++}`, retain: false })
      await until(() => child.confirmed.length >= enough)
      await child.kill()
      child = await startChild(dir, child.confirmed)
    }
    const confirmed = new Set(child.confirmed)
    expect(confirmed.size).toBeGreaterThan(130)
    const session = { clientId: 'keeper', clean: false, username: STATION, password: SECRET }
    await connectHearing(child.port, session, (_topic, payload) => confirmed.delete(payload.toString()))
    await until(() => confirmed.size === 0)
    await child.kill()
  }, 60_000)
})
