import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { afterEach, describe, expect, it } from '@jest/globals'
import { TlsCertificates } from '#libs/platform'
import { TestCertificates } from '#libs/testkit'
import { closeAll, Harness, onClose, SECRET, temporaryDir, until } from '../test/harness.js'
import { publish, RawClient } from '../test/raw-client.js'
import {
  ALL,
  byPassword,
  closed,
  connectBy,
  foreign,
  openSecure,
  pemOf,
  quiet,
  readings,
  refused,
  STATION,
  shake,
  talk
} from '../test/secure.js'

afterEach(closeAll)

describe('client certificates', () => {
  it('one of ours is the log-in: its name reaches authenticate', async () => {
    const secure = await openSecure()
    const own = pemOf(await secure.made.client(STATION))
    for (const kind of ['tls', 'wss'] as const) {
      const client = await connectBy(kind, secure, own)
      await client.publishAsync(readings, kind, { qos: 1 })
    }
    expect(secure.harness.received.map(({ principal }) => principal)).toEqual(Array(2).fill({ kind: 'station', code: STATION }))
    await expect(connectBy('tls', secure, { ...own, username: 'AG-018', password: SECRET })).rejects.toMatchObject({ code: 4 })
  })

  it.each([
    ['of another authority', async (_made: TestCertificates) => (await foreign()).client(STATION)],
    ['that has ended', (made: TestCertificates) => made.client(STATION, -1)],
    ['made for servers', async (made: TestCertificates) => made.server]
  ])('one %s ends the connection, also with a good password beside it', async (_name, make) => {
    const secure = await openSecure()
    const pem = pemOf(await make(secure.made))
    await expect(connectBy('tls', secure, { ...pem, ...byPassword })).rejects.toThrow()
    expect(refused(secure, 'client-certificate')).toBe(1)
    expect(secure.harness.log.at(-1)?.fields).toMatchObject({
      reason: 'client-certificate',
      address: '127.0.0.1',
      code: expect.any(String)
    })
    await connectBy('tls', secure, byPassword)
  })

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('a resumed session (%s) is the same station, and none without a certificate', async version => {
    const secure = await openSecure()
    const versions = { minVersion: version, maxVersion: version }
    const resume = async (options: ConnectionOptions, login: object): Promise<{ reused: boolean; returnCode: number | undefined }> => {
      const first = await shake(secure, { ...versions, ...options })
      const [session] = (await Promise.all([
        version === 'TLSv1.2' ? [first.getSession()] : once(first, 'session'),
        talk(first, login)
      ])) as [Buffer[], unknown]
      const second = await shake(secure, { ...versions, ...options, session: session[0] as Buffer })
      const { returnCode } = (await talk(second, login)) as { returnCode?: number }
      return { reused: second.isSessionReused(), returnCode }
    }
    expect(await resume(pemOf(await secure.made.client(STATION)), {})).toEqual({ reused: true, returnCode: 0 })
    expect(await resume({}, { username: STATION, password: Buffer.from('wrong') })).toEqual({ reused: true, returnCode: 4 })
  })

  it('without authorities nobody is asked for one', async () => {
    const made = await TestCertificates.in(join(await temporaryDir(), 'tls'))
    const certificates = await TlsCertificates.open({ ...made.server, clientCa: null }, { log: quiet, now: Date.now })
    onClose(() => certificates.close())
    const seen: unknown[] = []
    const harness = await Harness.open({
      ports: ALL,
      certificates,
      authenticate: (user, _password, name) => {
        seen.push(name)
        return user ? { kind: 'station', code: user } : null
      }
    })
    await connectBy(
      'tls',
      { harness, made, certificates, ca: readFileSync(made.ca) },
      { ...pemOf(await made.client('AG-018')), ...byPassword }
    )
    expect(seen).toEqual([null])
  })
})

describe('certificates that are renewed', () => {
  it('are shown to the next connection, and end none', async () => {
    const secure = await openSecure()
    const clients = [await connectBy('tls', secure, byPassword), await connectBy('wss', secure, byPassword)]
    const serial = (socket: TLSSocket) => socket.getPeerCertificate().serialNumber
    const before = serial(await shake(secure))
    await secure.made.renew()
    await secure.certificates.look()
    const after = serial(await shake(secure))
    expect(after).toBe(secure.certificates.serial)
    expect(after).not.toBe(before)
    for (const client of clients) await client.publishAsync(readings, 'after', { qos: 1 })
    expect(secure.harness.received).toHaveLength(2)
  })

  it('an authority that is taken away lets its stations in no more, resumed sessions included', async () => {
    const secure = await openSecure()
    const own = pemOf(await secure.made.client(STATION))
    const first = await shake(secure, own)
    const [session] = (await once(first, 'session')) as [Buffer]
    await writeFile(secure.made.ca, readFileSync((await foreign()).ca))
    await secure.certificates.look()
    const second = await shake(secure, { ...own, session })
    second.on('error', () => undefined)
    expect(second.isSessionReused()).toBe(false)
    await closed(second)
    expect(refused(secure, 'client-certificate')).toBe(1)
  })
})

describe('handshakes', () => {
  it('TLS 1.1 is refused', async () => {
    const secure = await openSecure()
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const
    await expect(shake(secure, old)).rejects.toMatchObject({ code: expect.stringContaining('PROTOCOL_VERSION') })
    await until(() => refused(secure, 'tls-handshake') === 1)
  })

  it.each(['tls', 'wss'] as const)('what is no TLS is cut (%s)', async kind => {
    const secure = await openSecure()
    const client = await RawClient.open(secure.harness.broker.ports[kind] ?? 0)
    client.send(publish(STATION, 'x'))
    await client.closed
    expect(refused(secure, 'tls-handshake')).toBe(1)
  })

  it('under way at one time are so many; there is room again when one ends', async () => {
    const secure = await openSecure({ limits: { handshakes: 2 } })
    const port = secure.harness.broker.ports.tls ?? 0
    const first = await RawClient.open(port)
    await RawClient.open(port)
    await until(() => secure.harness.broker.stats().connections === 2)
    await (await RawClient.open(secure.harness.broker.ports.wss ?? 0)).closed
    expect(refused(secure, 'handshake-limit')).toBe(1)
    await connectBy('tcp', secure, byPassword)
    first.socket.destroy()
    await until(() => secure.harness.broker.stats().connections === 2)
    await connectBy('tls', secure, byPassword)
  })

  it('an unfinished one does not hold up the stop', async () => {
    const secure = await openSecure()
    const clients = await Promise.all((['tls', 'ws', 'wss'] as const).map(kind => RawClient.open(secure.harness.broker.ports[kind] ?? 0)))
    await until(() => secure.harness.broker.stats().connections === 3)
    await secure.harness.broker.close()
    for (const client of clients) await client.closed
  })
})
