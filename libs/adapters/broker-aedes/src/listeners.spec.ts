import { once } from 'node:events'
import { connect as connectTcp, createServer } from 'node:net'
import { afterEach, describe, expect, it } from '@jest/globals'
import { closeAll, onClose, topicOf, until } from '../test/harness.js'
import { ALL, byPassword, closed, connectBy, openSecure, readings, refused } from '../test/secure.js'

afterEach(closeAll)

describe.each(['tcp', 'tls', 'ws', 'wss'] as const)('over %s', kind => {
  it('a standard client publishes and is acknowledged, and a large reading passes', async () => {
    const secure = await openSecure()
    const client = await connectBy(kind, secure, byPassword)
    await client.publishAsync(readings, 'COD 82', { qos: 1 })
    await client.publishAsync(readings, Buffer.alloc(256 * 1024, 0x20), { qos: 2 })
    expect(secure.harness.received.map(({ payload }) => payload.length)).toEqual([6, 256 * 1024])
    await client.endAsync()
    await until(() => secure.harness.broker.stats().connections === 0)
  })

  it('acknowledgements of what came before a fault are not lost with the connection', async () => {
    const secure = await openSecure()
    const client = await connectBy(kind, secure, byPassword)
    const acknowledged = client.publishAsync(readings, 'kept', { qos: 1 })
    client.publishAsync(topicOf('AG-018', 'readings'), 'foreign', { qos: 1 }).catch(() => undefined)
    await acknowledged
    await closed(client)
  })

  it('the limits are those of plain TCP, and counted over all listeners', async () => {
    const secure = await openSecure({ limits: { connectionsPerAddress: 1 } })
    await connectBy('tcp', secure, byPassword)
    await expect(connectBy(kind, secure, byPassword)).rejects.toThrow()
    expect(refused(secure, 'address-connections')).toBe(1)
  })

  it('a packet that is too large closes the connection', async () => {
    const secure = await openSecure({ limits: { packetBytes: 10_000 } })
    const client = await connectBy(kind, secure, byPassword)
    client.publishAsync(readings, Buffer.alloc(20_000), { qos: 1 }).catch(() => undefined)
    await closed(client)
    await until(() => refused(secure, 'packet-too-large') === 1)
    expect(secure.harness.received).toEqual([])
  })

  it('silence is ended after the time for a CONNECT', async () => {
    const secure = await openSecure({ limits: { connectTimeoutMs: 50 } })
    const socket = connectTcp(secure.harness.broker.ports[kind] ?? 0, '127.0.0.1')
    socket.on('error', () => undefined).resume()
    await closed(socket)
    await until(() => secure.harness.broker.stats().connections === 0)
    expect(refused(secure, 'connect-timeout')).toBe(1)
    expect(refused(secure, 'tls-handshake')).toBe(0)
  })

  it('stopping ends the connection', async () => {
    const secure = await openSecure()
    const client = await connectBy(kind, secure, byPassword)
    const ended = closed(client)
    await secure.harness.broker.close()
    await ended
  })
})

describe('starting', () => {
  it.each([
    ['tcp', 'QUANTRAC_MQTT_PORT'],
    ['tls', 'QUANTRAC_MQTTS_PORT'],
    ['ws', 'QUANTRAC_MQTT_WS_PORT'],
    ['wss', 'QUANTRAC_MQTT_WSS_PORT']
  ] as const)('a port in use for %s names %s', async (kind, setting) => {
    const holder = createServer().listen(0, '127.0.0.1')
    onClose(() => holder.close())
    await once(holder, 'listening')
    const { port } = holder.address() as { port: number }
    const message = expect.stringMatching(new RegExp(`${port} is in use.*set ${setting}\\.`))
    await expect(openSecure({ ports: { ...ALL, [kind]: port } })).rejects.toMatchObject({ code: 'QT_MQTT_PORT_IN_USE', message })
  })

  it('listeners that are off have no port', async () => {
    const { harness } = await openSecure({ ports: { tcp: null, tls: 0 } })
    expect(harness.broker.ports).toEqual({ tcp: null, tls: expect.any(Number), ws: null, wss: null })
  })
})
