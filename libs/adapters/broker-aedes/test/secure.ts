/** A broker with all four listeners and certificates, and clients for each of them. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { TlsCertificates } from '#libs/platform'
import { type PairFiles, TestCertificates } from '#libs/testkit'
import type { ListenerPorts, RefusalReason } from '../src/index.js'
import { Harness, type HarnessOptions, onClose, SECRET, temporaryDir, topicOf } from './harness.js'
import { RawClient } from './raw-client.js'

type ListenerKind = keyof ListenerPorts

export const STATION = 'AG-017'
export const ALL = { tcp: 0, tls: 0, ws: 0, wss: 0 }
export const readings = topicOf(STATION, 'readings')
export const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }

export interface Secure {
  readonly harness: Harness
  readonly made: TestCertificates
  readonly certificates: TlsCertificates
  readonly ca: Buffer
}

/** A broker with all four listeners that takes the certificates of one authority, as the wiring of the server does. */
export async function openSecure(options: HarnessOptions = {}): Promise<Secure> {
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

export async function connectBy(kind: ListenerKind, { harness, ca }: Secure, options: IClientOptions = {}): Promise<MqttClient> {
  const url = `${SCHEMES[kind]}://127.0.0.1:${harness.broker.ports[kind]}/mqtt`
  const client = await connectAsync(url, { ca, reconnectPeriod: 0, connectTimeout: 5_000, ...options }, false)
  onClose(() => client.endAsync(true))
  client.on('error', () => undefined)
  return client
}

export const pemOf = ({ cert, key }: PairFiles) => ({ cert: readFileSync(cert), key: readFileSync(key) })
export const byPassword = { username: STATION, password: SECRET }
export const refused = ({ harness }: Secure, reason: RefusalReason): number => harness.broker.stats().refused[reason]

/** A bare TLS connection, its handshake finished. */
export async function shake({ harness, ca }: Secure, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connectTls({ port: harness.broker.ports.tls ?? 0, host: '127.0.0.1', ca, ...options })
  onClose(() => socket.destroy())
  await once(socket, 'secureConnect')
  return socket
}

export const foreign = async (): Promise<TestCertificates> => TestCertificates.in(join(await temporaryDir(), 'foreign'))

/** Sends a CONNECT; resolves with the CONNACK. */
export function talk(socket: TLSSocket, login: object): Promise<unknown> {
  return new RawClient(socket).connect(STATION, { username: undefined, password: undefined, ...login } as object)
}

export const closed = (socket: { once(event: 'close', done: () => void): unknown }) =>
  new Promise<void>(resolve => socket.once('close', resolve))
