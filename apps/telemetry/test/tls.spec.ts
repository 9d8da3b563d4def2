import { execFile, execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:https'
import { connect as connectTcp, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { Authority } from '#libs/adapters/tls'
import { freePort } from '#libs/test-servers'
import { TestCertificates, validFor } from '#libs/testkit'
import { eventually, TestServer } from './server.js'

const STATION = 'AG-KCN-BINHHOA-01'
const OTHER = 'AG-KCN-BINHLONG-01'
const HOST = '127.0.0.1'
const MOSQUITTO = 'mosquitto_pub'
const topicOf = (station: string): string => `quantrac/v1/${station}/readings`

/** Debian's clients, as an operator uses them. */
const withMosquitto = hasMosquitto() ? describe : describe.skip
if (!hasMosquitto()) console.warn('mosquitto_pub is not on PATH: the tests that publish with it are skipped')

function hasMosquitto(): boolean {
  try {
    execFileSync(MOSQUITTO, ['--help'], { stdio: 'ignore' })
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT' // it has no exit code 0 for its help
  }
  return true
}

const disposals: (() => Promise<void> | void)[] = []
async function dispose(): Promise<void> {
  for (const step of disposals.splice(0).reverse()) await step()
}

interface Ports {
  readonly https: number
  readonly mqtts: number
  readonly ws: number
  readonly wss: number
}

/** The started program with every listener on, and certificates as the operator's command makes them. */
interface Installation {
  readonly server: TestServer
  readonly dir: string
  readonly ca: Buffer
  readonly ports: Ports
}

const file = ({ dir }: Pick<Installation, 'dir'>, name: string): string => join(dir, name)

async function install(environment: Record<string, string> = {}): Promise<Installation> {
  const dir = temporaryDir()
  const ports = { https: await freePort(), mqtts: await freePort(), ws: await freePort(), wss: await freePort() }
  const server = await TestServer.prepare({
    QUANTRAC_TLS_CERT: join(dir, 'server.pem'),
    QUANTRAC_TLS_KEY: join(dir, 'server-key.pem'),
    QUANTRAC_TLS_CLIENT_CA: join(dir, 'ca.pem'),
    QUANTRAC_HTTPS_PORT: String(ports.https),
    QUANTRAC_MQTTS_PORT: String(ports.mqtts),
    QUANTRAC_MQTT_WS_PORT: String(ports.ws),
    QUANTRAC_MQTT_WSS_PORT: String(ports.wss),
    ...environment
  })
  disposals.push(() => server.dispose())
  made ??= await selfSigned(server)
  cpSync(made.dir, dir, { recursive: true })
  return { server, dir, ca: readFileSync(join(dir, 'ca.pem')), ports }
}

/** The folder that `ops tls self-signed` made, and what it printed; a process for each test would take seconds. */
let made: { readonly dir: string; readonly printed: string } | undefined
afterAll(() => {
  if (made) rmSync(made.dir, { recursive: true })
})

async function selfSigned(server: TestServer): Promise<{ dir: string; printed: string }> {
  const dir = mkdtempSync(join(tmpdir(), 'quantrac-tls-'))
  return { dir, printed: await server.ops('tls', 'self-signed', '--dir', dir, '--station', STATION, OTHER) }
}

function temporaryDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'quantrac-tls-'))
  disposals.push(() => rmSync(dir, { recursive: true }))
  return dir
}

/** The operator's own authority, to sign what the command would not. */
const authorityOf = ({ dir }: Pick<Installation, 'dir'>): Promise<Authority> =>
  Authority.load({ cert: readFileSync(join(dir, 'ca.pem'), 'utf8'), key: readFileSync(join(dir, 'ca-key.pem'), 'utf8') })

interface HttpsAnswer {
  readonly status: number
  readonly text: string
  readonly items: Record<string, unknown>[]
  /** Local port of the connection that carried it. */
  readonly by: number
}

interface HttpsCall {
  readonly token?: string
  readonly body?: string
  readonly agent?: Agent
}

function callHttps({ ca, ports }: Installation, path: string, { token, body, agent }: HttpsCall = {}): Promise<HttpsAnswer> {
  const headers = { ...(token ? { authorization: `Bearer ${token}` } : {}), ...(body ? { 'content-type': 'application/json' } : {}) }
  return new Promise((resolve, reject) => {
    const call = request(
      { host: HOST, port: ports.https, path, method: body ? 'POST' : 'GET', headers, ca, agent: agent ?? false },
      answer => {
        const by = answer.socket.localPort ?? 0
        let text = ''
        answer.setEncoding('utf8').on('data', (part: string) => {
          text += part
        })
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text, items: itemsIn(text), by }))
      }
    )
    call.on('error', reject)
    call.end(body)
  })
}

function itemsIn(text: string): Record<string, unknown>[] {
  return text.startsWith('{"items"') ? (JSON.parse(text) as { items: Record<string, unknown>[] }).items : []
}

/** Serial number of the certificate that a new connection is shown. */
async function serialSeen(port: number, options: ConnectionOptions): Promise<string> {
  const socket = connectTls({ port, host: HOST, ...options })
  await once(socket, 'secureConnect')
  const serial = socket.getPeerCertificate().serialNumber
  socket.destroy()
  return serial
}

const serialIn = (path: string): string => new X509Certificate(readFileSync(path)).serialNumber

interface Published {
  readonly code: number
  readonly error: string
}

function mosquitto(port: number, options: readonly string[], message: { station?: string; at: number }): Promise<Published> {
  const { station = STATION, at } = message
  const payload = JSON.stringify({ at, readings: { COD: 41 } })
  const args = ['-h', HOST, '-p', String(port), '-q', '1', '-t', topicOf(station), '-m', payload, ...options]
  return new Promise(resolve => {
    execFile(MOSQUITTO, args, { timeout: 10_000 }, (failure, _out, error) => {
      resolve({ code: failure ? Number(failure.code ?? -1) : 0, error })
    })
  })
}

/** Whether a reading of this instant is answered. */
async function isKept(server: TestServer, token: string, at: number): Promise<boolean> {
  return (await server.get(`/api/v1/series/${STATION}/COD/readings?from=${at}&to=${at + 1}`, token)).json().items.length === 1
}

/** What was acknowledged to one client, and whether its connection has held. */
interface Sender {
  readonly client: MqttClient
  readonly acknowledged: number[]
  dropped: boolean
}

describe('a station and its certificate', () => {
  let here: Installation
  let reader: string
  let secret: string

  beforeAll(async () => {
    here = await install()
    await here.server.start()
    reader = await here.server.ops('token', 'add', 'desk', '--role', 'operator')
    secret = await here.server.ops('station', 'secret', STATION)
  })
  afterAll(dispose)

  const known = (at: number) => eventually(() => isKept(here.server, reader, at), 'the reading is answered')
  const pair = (name: string): string[] => ['--cert', file(here, `${name}.pem`), '--key', file(here, `${name}-key.pem`)]
  const trust = (): string[] => ['--cafile', file(here, 'ca.pem')]
  const refusals = async (reason: string): Promise<number> => {
    const text = (await here.server.get('/metrics')).text
    return Number(new RegExp(`quantrac_mqtt_refused_total{reason="${reason}"} (\\d+)`).exec(text)?.[1])
  }
  let clock = Date.now() - 3_600_000
  const newInstant = (): number => (clock += 1_000)

  withMosquitto('with mosquitto_pub', () => {
    it('publishes by its certificate alone, without user name and password', async () => {
      const at = newInstant()
      expect(await mosquitto(here.ports.mqtts, [...trust(), ...pair(STATION)], { at })).toMatchObject({ code: 0 })
      await known(at)
    })

    it('publishes by the line that the operator’s command prints', async () => {
      const line = made?.printed.split('\n').find(text => text.includes(`-t ${topicOf(STATION)}`)) ?? ''
      const before = Math.floor(Date.now() / 1_000) * 1_000
      execFileSync('sh', ['-c', line.replace('-p 8883', `-p ${here.ports.mqtts}`)], { timeout: 10_000 })
      const path = `/api/v1/series/${STATION}/COD/readings?from=${before}`
      const kept = await eventually(async () => (await here.server.get(path, reader)).json().items[0], 'the reading is answered')
      expect(kept).toMatchObject({ value: 60.5, road: 'mqtt' })
    })

    it('may say its user name, and no other', async () => {
      const at = newInstant()
      expect((await mosquitto(here.ports.mqtts, [...trust(), ...pair(STATION), '-u', STATION], { at })).code).toBe(0)
      await known(at)
      const foreign = await mosquitto(here.ports.mqtts, [...trust(), ...pair(STATION), '-u', OTHER, '-P', secret], { at: newInstant() })
      expect(foreign.code).not.toBe(0)
    })

    it('publishes by password over TLS, and is refused with a wrong one', async () => {
      const at = newInstant()
      expect((await mosquitto(here.ports.mqtts, [...trust(), '-u', STATION, '-P', secret], { at })).code).toBe(0)
      await known(at)
      expect((await mosquitto(here.ports.mqtts, [...trust(), '-u', STATION, '-P', 'wrong'], { at: newInstant() })).code).not.toBe(0)
      expect((await mosquitto(here.ports.mqtts, trust(), { at: newInstant() })).code).not.toBe(0)
    })

    it('does not trust a server whose authority it does not know', async () => {
      const stranger = await TestCertificates.in(join(here.dir, 'stranger'))
      const before = await refusals('tls-handshake')
      const { code, error } = await mosquitto(here.ports.mqtts, ['--cafile', stranger.ca, ...pair(STATION)], { at: newInstant() })
      expect(code).not.toBe(0)
      expect(error).toMatch(/TLS|certificate/i)
      await eventually(async () => (await refusals('tls-handshake')) === before + 1, 'the handshake is counted')
    })

    it.each([
      ['an expired certificate', 'expired'],
      ['a certificate of another authority', 'foreign'],
      ['a server’s certificate', 'server']
    ])('%s is refused, whatever it says, and counted', async (_name, kind) => {
      const authority = await authorityOf(here)
      const stranger = await Authority.create('quantrac trial authority', validFor(30))
      const made = {
        expired: () => authority.client(STATION, validFor(-1)),
        foreign: () => stranger.client(STATION, validFor(30)),
        server: () => authority.server([STATION], validFor(30))
      }[kind]
      const { cert = '', key = '' } = (await made?.()) ?? {}
      await writeFile(file(here, `${kind}-try.pem`), cert)
      await writeFile(file(here, `${kind}-try-key.pem`), key)
      const before = await refusals('client-certificate')
      const at = newInstant()
      expect((await mosquitto(here.ports.mqtts, [...trust(), ...pair(`${kind}-try`), '-u', STATION, '-P', secret], { at })).code).not.toBe(
        0
      )
      expect(await refusals('client-certificate')).toBe(before + 1)
      expect(await isKept(here.server, reader, at)).toBe(false)
    })

    it('another station’s certificate opens only that station’s topics', async () => {
      const before = await refusals('foreign-topic')
      const at = newInstant()
      expect((await mosquitto(here.ports.mqtts, [...trust(), ...pair(OTHER)], { at })).code).not.toBe(0)
      expect(await refusals('foreign-topic')).toBe(before + 1)
      expect(await isKept(here.server, reader, at)).toBe(false)
    })

    it('a certificate of ours that names no station of the registry is refused', async () => {
      const authority = await authorityOf(here)
      const { cert, key } = await authority.client('AG-NOBODY-01', validFor(30))
      await writeFile(file(here, 'nobody.pem'), cert)
      await writeFile(file(here, 'nobody-key.pem'), key)
      expect((await mosquitto(here.ports.mqtts, [...trust(), ...pair('nobody')], { at: newInstant() })).code).not.toBe(0)
    })
  })

  it('TLS 1.1 is refused, 1.2 and 1.3 are taken', async () => {
    const speak = (version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3') =>
      serialSeen(here.ports.mqtts, { ca: here.ca, minVersion: version, maxVersion: version, ciphers: 'ALL:@SECLEVEL=0' })
    await expect(speak('TLSv1.1')).rejects.toMatchObject({ code: expect.stringContaining('PROTOCOL_VERSION') })
    expect(await speak('TLSv1.2')).toBe(await speak('TLSv1.3'))
  })

  it.each(['ws', 'wss'] as const)('publishes over WebSocket (%s)', async scheme => {
    const at = newInstant()
    const login: IClientOptions =
      scheme === 'ws'
        ? { username: STATION, password: secret }
        : { ca: here.ca, cert: readFileSync(file(here, `${STATION}.pem`)), key: readFileSync(file(here, `${STATION}-key.pem`)) }
    const client = await connectAsync(`${scheme}://${HOST}:${here.ports[scheme]}/mqtt`, { ...login, reconnectPeriod: 0 }, false)
    await client.publishAsync(topicOf(STATION), JSON.stringify({ at, readings: { COD: 42 } }), { qos: 1 })
    await client.endAsync()
    await known(at)
  })

  it('the metrics tell how long the certificates last', async () => {
    const { text } = await here.server.get('/metrics')
    const seconds = Number(/quantrac_tls_certificate_expires_seconds{certificate="server"} ([\d.]+)/.exec(text)?.[1])
    expect(Math.round(seconds / 86_400)).toBe(365)
    expect(text).toContain('quantrac_tls_files_refused 0')
  })

  it('the API answers over HTTPS as it does over HTTP, with the same limits', async () => {
    const at = newInstant()
    const writer = await here.server.ops('token', 'add', 'feed', '--role', 'ingest')
    const body = JSON.stringify({ at, readings: { COD: 43 } })
    expect((await callHttps(here, `/api/v1/readings/${STATION}`, { token: writer, body })).status).toBe(202)
    await known(at)
    expect((await callHttps(here, '/api/v1/stations')).status).toBe(401)
    expect((await callHttps(here, '/api/v1/stations', { token: reader })).items.length).toBeGreaterThan(1)
    const socket = connectTls({ port: here.ports.https, host: HOST, ca: here.ca })
    const head = `POST /api/v1/readings/${STATION} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer ${writer}\r\nContent-Type: application/json\r\n`
    socket.write(`${head}Content-Length: 300000\r\n\r\n`)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 /)
    socket.destroy()
  })

  it('certificates renewed under load drop no connection, lose nothing acknowledged, and the next connection sees them', async () => {
    const { server, ca, ports } = here
    const certified = { ca, cert: readFileSync(file(here, `${STATION}.pem`)), key: readFileSync(file(here, `${STATION}-key.pem`)) }
    const byPassword = { ca, username: STATION, password: secret }
    const urls = { mqtts: `mqtts://${HOST}:${ports.mqtts}`, wss: `wss://${HOST}:${ports.wss}/mqtt` }
    const base = Date.UTC(2026, 0, 1)
    let sending = true
    const start = async (n: number, url: string, login: IClientOptions): Promise<Sender> => {
      const client = await connectAsync(url, { ...login, clientId: `load-${n}`, reconnectPeriod: 0 }, false)
      const sender: Sender = { client, acknowledged: [], dropped: false }
      client.on('close', () => {
        sender.dropped ||= sending
      })
      return sender
    }
    const senders = await Promise.all([
      start(0, urls.mqtts, certified),
      start(1, urls.mqtts, byPassword),
      start(2, urls.wss, certified),
      start(3, urls.wss, byPassword)
    ])
    const keepSending = async ({ client, acknowledged }: Sender, n: number): Promise<void> => {
      for (let count = 0; sending; count++) {
        const at = base + count * 10 + n
        await client.publishAsync(topicOf(STATION), JSON.stringify({ at, readings: { COD: count % 50 } }), { qos: 1 })
        acknowledged.push(at)
        await new Promise(resolve => setTimeout(resolve, 5))
      }
    }
    const sent = Promise.all(senders.map(keepSending))
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    disposals.push(() => agent.destroy())
    const first = await callHttps(here, '/health/ready', { agent })
    const serials: string[] = []
    const authority = await authorityOf(here)
    for (let renewal = 0; renewal < 3; renewal++) {
      const fresh = await authority.server(['localhost', HOST], validFor(90))
      for (const [name, text] of Object.entries({ 'server.pem': fresh.cert, 'server-key.pem': fresh.key })) {
        await writeFile(file(here, `${name}.new`), text)
        await rename(file(here, `${name}.new`), file(here, name))
      }
      const serial = serialIn(file(here, 'server.pem'))
      for (const port of [ports.mqtts, ports.wss, ports.https])
        await eventually(async () => (await serialSeen(port, { ca })) === serial, `port ${port} shows the new certificate`)
      serials.push(serial)
      const before = senders.map(({ acknowledged }) => acknowledged.length)
      await eventually(async () => senders.every((sender, n) => sender.acknowledged.length > (before[n] ?? 0)), 'all senders go on')
    }
    expect(new Set(serials).size).toBe(3)
    expect((await callHttps(here, '/health/ready', { agent })).by).toBe(first.by)
    sending = false
    await sent
    expect(senders.map(({ dropped }) => dropped)).toEqual([false, false, false, false])
    for (const { client } of senders) await client.endAsync()
    const acknowledged = senders.flatMap(sender => sender.acknowledged)
    const last = Math.max(...acknowledged)
    await eventually(() => isKept(server, reader, last), 'the last reading is answered')
    const kept = new Set<number>()
    for (let after = ''; ; ) {
      const path = `/api/v1/series/${STATION}/COD/readings?from=${base}&to=${last + 1}&limit=1000${after}`
      const page = (await server.get(path, reader)).json()
      for (const item of page.items) kept.add(Date.parse(String(item['at'])))
      if (typeof page['next'] !== 'string') break
      after = `&after=${page['next']}`
    }
    expect(acknowledged.filter(at => !kept.has(at))).toEqual([])
    expect(acknowledged.length).toBeGreaterThan(100)
  })

  it('HTTPS asks no client for a certificate, and offers HTTP/1.1', async () => {
    const socket = connectTls({ port: here.ports.https, host: HOST, ca: here.ca, ALPNProtocols: ['h2', 'http/1.1'] })
    await once(socket, 'secureConnect')
    expect(socket.alpnProtocol).toBe('http/1.1')
    socket.write('nonsense\r\n\r\n')
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString()).toContain('400 Bad Request')
    socket.destroy()
  })
})

describe('plain listeners switched off', () => {
  afterEach(dispose)

  it('leave the encrypted ones; one that is open beyond this machine is warned of; the server stops in order', async () => {
    const here = await install({ QUANTRAC_MQTT_PORT: 'off', QUANTRAC_HTTP_PORT: 'off', QUANTRAC_MQTT_HOST: '0.0.0.0' })
    const { server, ports, ca } = here
    const token = await server.ops('token', 'add', 'desk', '--role', 'reader')
    const ended = server.launch()
    await eventually(async () => (await callHttps(here, '/health/ready').catch(() => null))?.status === 200, 'HTTPS answers', 25_000)
    for (const port of [server.httpPort, server.mqttPort]) {
      const socket = connectTcp(port, HOST)
      await expect(once(socket, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    }
    expect(await serialSeen(ports.mqtts, { ca })).toBe(serialIn(file(here, 'server.pem')))
    const warning = await eventually(async () => /.*QT_LISTEN_PLAIN.*/.exec(server.output)?.[0], 'the warning')
    expect(warning).toContain('QUANTRAC_MQTT_WSS_PORT')
    expect(warning).not.toContain('HTTP')
    const [idle, stream] = [connectTls({ port: ports.https, host: HOST, ca }), connectTls({ port: ports.https, host: HOST, ca })]
    for (const socket of [idle, stream])
      await once(
        socket.on('error', () => undefined),
        'secureConnect'
      )
    stream.write(`GET /api/v1/stream HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer ${token}\r\n\r\n`)
    expect(String(await once(stream, 'data'))).toContain('text/event-stream')
    expect(await server.end('SIGTERM')).toBe(0)
    expect(await ended).toBe(0)
  })
})

describe('the start with certificates', () => {
  afterEach(dispose)

  const refused = async (here: Installation): Promise<string> => {
    expect(await here.server.launch()).toBe(1)
    return here.server.output
  }

  it('is refused with files that cannot be used, naming them', async () => {
    const here = await install()
    await rename(file(here, 'server-key.pem'), file(here, 'aside.pem'))
    expect(await refused(here)).toMatch(/QUANTRAC_TLS_KEY: .*server-key\.pem.*\[QT_TLS_UNREADABLE\]/)
  })

  it('is refused with a port in use, naming its setting', async () => {
    const here = await install()
    const holder = createServer().listen(here.ports.https, HOST)
    disposals.push(() => void holder.close())
    await once(holder, 'listening')
    expect(await refused(here)).toMatch(/set QUANTRAC_HTTPS_PORT .*\[QT_HTTP_PORT_IN_USE\]/)
  })
})
