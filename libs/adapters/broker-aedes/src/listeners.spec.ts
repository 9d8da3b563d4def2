import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as connectTcp, createServer } from 'node:net'
import { join } from 'node:path'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { afterEach, describe, expect, it } from '@jest/globals'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { generate } from 'mqtt-packet'
import { WebSocket } from 'ws'
import { TlsCertificates } from '#libs/platform'
import { type PairFiles, TestCertificates } from '#libs/testkit'
import { closeAll, Harness, type HarnessOptions, onClose, SECRET, temporaryDir, topicOf, until } from '../test/harness.js'
import { publish, RawClient } from '../test/raw-client.js'
import type { RefusalReason } from './errors.js'
import type { ListenerKind } from './listener.js'

afterEach(closeAll)

const STATION = 'AG-017'
const ALL = { tcp: 0, tls: 0, ws: 0, wss: 0 }
const readings = topicOf(STATION, 'readings')
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }

interface Secure {
  readonly harness: Harness
  readonly made: TestCertificates
  readonly certificates: TlsCertificates
  readonly ca: Buffer
}

/** A broker with all four listeners that takes the certificates of one authority, as the wiring of the server does. */
async function openSecure(options: HarnessOptions = {}): Promise<Secure> {
  const made = await TestCertificates.in(join(await temporaryDir(), 'tls'))
  const certificates = await TlsCertificates.open({ ...made.server, clientCa: made.ca }, { log: quiet, now: Date.now, everyMs: 3_600_000 })
  onClose(() => certificates.close())
  const authenticate: HarnessOptions['authenticate'] = (user, password, certificate) => {
    if (certificate !== null) return user === undefined || user === certificate ? { kind: 'station', code: certificate } : null
    return user !== undefined && Buffer.from(password ?? []).toString() === SECRET ? { kind: 'station', code: user } : null
  }
  const harness = await Harness.open({ ports: ALL, certificates, authenticate, ...options })
  return { harness, made, certificates, ca: readFileSync(made.ca) }
}

const SCHEMES = { tcp: 'mqtt', tls: 'mqtts', ws: 'ws', wss: 'wss' } as const

async function connectBy(kind: ListenerKind, { harness, ca }: Secure, options: IClientOptions = {}): Promise<MqttClient> {
  const url = `${SCHEMES[kind]}://127.0.0.1:${harness.broker.ports[kind]}/mqtt`
  const client = await connectAsync(url, { ca, reconnectPeriod: 0, connectTimeout: 5_000, ...options }, false)
  onClose(() => client.endAsync(true))
  client.on('error', () => undefined)
  return client
}

const pemOf = ({ cert, key }: PairFiles) => ({ cert: readFileSync(cert), key: readFileSync(key) })
const byPassword = { username: STATION, password: SECRET }
const refused = ({ harness }: Secure, reason: RefusalReason): number => harness.broker.stats().refused[reason]

/** A bare TLS connection, its handshake finished. */
async function shake({ harness, ca }: Secure, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connectTls({ port: harness.broker.ports.tls ?? 0, host: '127.0.0.1', ca, ...options })
  onClose(() => socket.destroy())
  await once(socket, 'secureConnect')
  return socket
}

const closed = (socket: { once(event: 'close', done: () => void): unknown }) => new Promise<void>(resolve => socket.once('close', resolve))

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
    expect(refused(secure, 'connect-timeout') + refused(secure, 'tls-handshake')).toBe(1)
  })

  it('stopping ends the connection', async () => {
    const secure = await openSecure()
    const client = await connectBy(kind, secure, byPassword)
    const ended = closed(client)
    await secure.harness.broker.close()
    await ended
  })
})
