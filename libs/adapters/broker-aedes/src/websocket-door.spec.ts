import { once } from 'node:events'
import { afterEach, describe, expect, it } from '@jest/globals'
import { generate } from 'mqtt-packet'
import { WebSocket } from 'ws'
import { closeAll, onClose, SECRET, until } from '../test/harness.js'
import { publish, RawClient } from '../test/raw-client.js'
import { byPassword, closed, openSecure, refused, type Secure, STATION } from '../test/secure.js'

afterEach(closeAll)

const logIn = generate({ cmd: 'connect', clientId: 'x', clean: true, keepalive: 60, ...byPassword, password: Buffer.from(SECRET) })

describe('WebSocket', () => {
  const ask = async ({ harness }: Secure, text: string): Promise<string> => {
    const client = await RawClient.open(harness.broker.ports.ws ?? 0, { parses: false })
    let answer = ''
    client.socket.on('data', (part: Buffer) => {
      answer += part.toString()
    })
    client.send(Buffer.from(text))
    await client.closed
    return answer.split('\r\n')[0] ?? ''
  }
  const upgrade = (path: string, protocol: string): string =>
    [
      `GET ${path} HTTP/1.1`,
      'Host: here',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      protocol,
      '',
      ''
    ].join('\r\n')

  it.each([
    ['a page', 'GET /mqtt HTTP/1.1\r\nHost: here\r\n\r\n', '426 Upgrade Required'],
    ['another path', upgrade('/', 'Sec-WebSocket-Protocol: mqtt'), '404 Not Found'],
    ['no path', upgrade('//', 'Sec-WebSocket-Protocol: mqtt'), '404 Not Found'],
    ['another sub-protocol', upgrade('/mqtt', 'Sec-WebSocket-Protocol: chat, mqttx'), '400 Bad Request'],
    ['no sub-protocol', upgrade('/mqtt', 'X-None: x'), '400 Bad Request'],
    ['another version', upgrade('/mqtt', 'Sec-WebSocket-Protocol: mqtt').replace('13', '7'), '400 Bad Request'],
    ['another upgrade', upgrade('/mqtt', 'Sec-WebSocket-Protocol: mqtt').replace('websocket', 'h2c'), '400 Bad Request'],
    ['headers without an end', `GET /mqtt HTTP/1.1\r\nHost: ${'x'.repeat(10_000)}`, '400 Bad Request'],
    ['MQTT', publish(STATION, 'bare').toString('latin1'), '400 Bad Request']
  ])('%s is answered and closed', async (_name, request, status) => {
    const secure = await openSecure()
    expect(await ask(secure, request)).toBe(`HTTP/1.1 ${status}`)
    await until(() => secure.harness.broker.stats().connections === 0)
    expect(refused(secure, 'websocket')).toBe(1)
  })

  const open = async ({ harness }: Secure): Promise<WebSocket> => {
    const socket = new WebSocket(`ws://127.0.0.1:${harness.broker.ports.ws}/mqtt?from=a-browser`, ['mqttv3.1', 'mqtt'])
    onClose(() => socket.terminate())
    socket.on('error', () => undefined)
    await once(socket, 'open')
    return socket
  }

  it('chooses the sub-protocol, and no compression', async () => {
    const socket = await open(await openSecure())
    expect(socket).toMatchObject({ protocol: 'mqtt', extensions: '' })
  })

  it('packets may come in any pieces [MQTT-6.0.0-2]', async () => {
    const secure = await openSecure()
    const socket = await open(secure)
    const bytes = Buffer.concat([logIn, publish(STATION, 'in pieces')])
    for (const byte of bytes) socket.send(Buffer.of(byte))
    await until(() => secure.harness.received.length === 1)
  })

  it('text is cut [MQTT-6.0.0-1]', async () => {
    const secure = await openSecure()
    const socket = await open(secure)
    socket.send(logIn)
    socket.send(publish(STATION, 'as text').toString('latin1'))
    await closed(socket)
    expect(refused(secure, 'protocol-error')).toBe(1)
    expect(secure.harness.received).toEqual([])
  })

  it('a message larger than a packet may be is cut before it is read', async () => {
    const secure = await openSecure({ limits: { packetBytes: 1_000 } })
    const socket = await open(secure)
    socket.send(Buffer.alloc(3_000))
    await closed(socket)
    await until(() => refused(secure, 'packet-too-large') === 1)
  })

  it('a peer that vanished is let go of by its keep-alive', async () => {
    const secure = await openSecure({ limits: { keepAliveSeconds: 1 } })
    const socket = await open(secure)
    socket.send(logIn)
    await closed(socket)
    await until(() => secure.harness.broker.stats().connections === 0)
    expect(refused(secure, 'keep-alive')).toBe(1)
  })
})
