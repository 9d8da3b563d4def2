import { connect as connectTcp } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterEach, expect, it } from '@jest/globals'
import { generate } from 'mqtt-packet'
import { createWebSocketStream, WebSocket } from 'ws'
import { TlsCertificates } from '#libs/platform'
import { TestCertificates } from '#libs/testkit'
import { closeAll, onClose, temporaryDir, until } from '../test/harness.js'
import { ALL, quiet } from '../test/secure.js'
import { Counters } from './counters.js'
import { Entrance } from './entrance.js'
import { Gate } from './gate.js'
import { LoginPenalties } from './login-penalties.js'
import { DEFAULT_LIMITS } from './options.js'

afterEach(closeAll)

const open = {
  tcp: (port: number) => connectTcp(port, '127.0.0.1'),
  tls: (port: number) => connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }),
  ws: (port: number) => createWebSocketStream(new WebSocket(`ws://127.0.0.1:${port}/mqtt`, 'mqtt')),
  wss: (port: number) => createWebSocketStream(new WebSocket(`wss://127.0.0.1:${port}/mqtt`, 'mqtt', { rejectUnauthorized: false }))
}

it.each(['tcp', 'tls', 'ws', 'wss'] as const)('what a client sends before the doors open is not lost (%s)', async kind => {
  const made = await TestCertificates.in(join(await temporaryDir(), 'tls'))
  const certificates = await TlsCertificates.open({ ...made.server, clientCa: null }, { log: quiet, now: Date.now })
  const gate = new Gate(DEFAULT_LIMITS, new LoginPenalties(DEFAULT_LIMITS, Date.now))
  const parts = { gate, limits: DEFAULT_LIMITS, counters: new Counters(quiet, Date.now), certificates }
  let arrived = Buffer.alloc(0)
  const entrance = new Entrance({
    ...parts,
    onArrival: ({ stream }) => stream.on('data', (part: Buffer) => (arrived = Buffer.concat([arrived, part]))).on('error', () => undefined)
  })
  await entrance.listen('127.0.0.1', ALL)
  const client = open[kind](entrance.ports[kind] ?? 0)
  client.on('error', () => undefined)
  onClose(async () => {
    client.destroy()
    const ended = entrance.close()
    entrance.cut()
    await ended
    await certificates.close()
  })
  const sent = generate({ cmd: 'pingreq' })
  client.write(sent)
  await new Promise(resolve => setTimeout(resolve, 50)) // the first bytes are in the server's buffers
  expect(gate.open).toBe(0)
  entrance.open()
  await until(() => arrived.equals(sent))
})
