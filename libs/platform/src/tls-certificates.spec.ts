import { X509Certificate } from 'node:crypto'
import { readFile, rename, symlink, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Authority } from '#libs/adapters/tls'
import { DAY } from '#libs/model'
import { type TempDir, TestCertificates, tempDir, validFor } from '#libs/testkit'
import type { TlsFiles } from './config.js'
import { TlsCertificates } from './tls-certificates.js'
import type { SecureOptions } from './tls-material.js'

interface Line {
  readonly level: string
  readonly message: string
  readonly code?: string
}

let dir: TempDir
let lines: Line[]
let open: TlsCertificates[]

beforeEach(async () => {
  dir = await tempDir()
  lines = []
  open = []
})
afterEach(async () => {
  for (const certificates of open) await certificates.close()
  await dir.remove()
})

/** Looks only when told to, unless `everyMs` says otherwise. */
async function openFiles(files: TlsFiles, { now = Date.now, everyMs = 3_600_000 } = {}): Promise<TlsCertificates> {
  const line = (level: string) => (fields: object, message: string) => void lines.push({ level, message, ...fields })
  const log = { info: line('info'), warn: line('warn'), error: line('error') }
  const certificates = await TlsCertificates.open(files, { log, now, everyMs })
  open.push(certificates)
  return certificates
}

const serialOf = (pem: string | Buffer): string => new X509Certificate(pem).serialNumber
const complaints = (): string[] => lines.flatMap(({ level, code }) => (level === 'info' ? [] : [`${level} ${code}`]))
const filesOf = (made: TestCertificates): TlsFiles => ({ ...made.server, clientCa: made.ca })

describe('certificates that change while in use', () => {
  let made: TestCertificates
  let certificates: TlsCertificates
  let taken: SecureOptions[]

  beforeEach(async () => {
    made = await TestCertificates.in(dir.path)
    certificates = await openFiles(filesOf(made))
    taken = []
    certificates.onChange(options => taken.push(options))
  })

  const serials = () => taken.map(({ cert }) => serialOf(cert))

  it('are taken when both files were renamed into place', async () => {
    const { cert } = await made.renew()
    await certificates.look()
    expect(serials()).toEqual([serialOf(cert)])
    expect(certificates.serial).toBe(serialOf(cert))
    await certificates.look()
    expect(taken).toHaveLength(1)
    expect(complaints()).toEqual([])
  })

  it('are taken when files were written over, also when size and time are the same', async () => {
    const { cert, key } = await made.issue()
    await writeFile(made.server.cert, cert)
    await writeFile(made.server.key, key)
    await certificates.look()
    expect(serials()).toEqual([serialOf(cert)])
  })

  it('of the clients’ authorities are taken too', async () => {
    const authority = await Authority.create('another', validFor(30))
    await writeFile(made.ca, authority.pem.cert)
    await certificates.look()
    expect(taken[0]?.ca?.toString()).toBe(authority.pem.cert)
  })

  it('half a pair is left alone, without a word, until the other half is there', async () => {
    const before = certificates.serial
    const { cert, key } = await made.issue()
    await writeFile(made.server.key, key)
    await certificates.look()
    expect(certificates.serial).toBe(before)
    await writeFile(made.server.cert, cert.slice(0, 200))
    await certificates.look()
    await writeFile(made.server.cert, cert)
    await certificates.look()
    expect(serials()).toEqual([serialOf(cert)])
    expect(complaints()).toEqual([])
  })

  it.each([
    ['a key of another pair', async () => writeFile(made.server.key, (await made.issue()).key), 'QT_TLS_KEY_MISMATCH'],
    ['a torn certificate', async () => writeFile(made.server.cert, (await made.issue()).cert.slice(0, 300)), 'QT_TLS_INVALID'],
    ['an empty key', () => writeFile(made.server.key, ''), 'QT_TLS_INVALID'],
    ['an authority that is none', () => writeFile(made.ca, 'nothing'), 'QT_TLS_INVALID'],
    ['a file that is gone', () => unlink(made.server.cert), 'QT_TLS_UNREADABLE'],
    ['a certificate that has ended, while ours has not', () => made.renew(-1), 'QT_TLS_EXPIRED']
  ])('%s keeps the old ones, is told once, and mended files are taken', async (_name, breakIt, code) => {
    const before = certificates.serial
    await breakIt()
    for (let looks = 0; looks < 5; looks++) await certificates.look()
    expect(complaints()).toEqual([`error ${code}`])
    expect(certificates).toMatchObject({ serial: before, filesRefused: true })
    expect(taken).toEqual([])
    await TestCertificates.in(dir.path)
    await certificates.look()
    expect(taken).toHaveLength(1)
    expect(certificates).toMatchObject({ serial: serials()[0], filesRefused: false })
  })

  it('the old files put back end the complaint', async () => {
    const { key } = made.server
    await rename(key, `${key}.aside`)
    for (let looks = 0; looks < 2; looks++) await certificates.look()
    await rename(`${key}.aside`, key)
    await certificates.look()
    expect(certificates.filesRefused).toBe(false)
    expect(taken).toEqual([])
    expect(lines.at(-1)).toMatchObject({ level: 'info' })
  })

  it('who has ended its interest is told no more', async () => {
    const later: SecureOptions[] = []
    certificates.onChange(options => later.push(options))()
    await made.renew()
    await certificates.look()
    expect(later).toEqual([])
  })
})

it('a symbolic link that is turned, as cert-manager and certbot do, is followed by the timer alone', async () => {
  await TestCertificates.in(join(dir.path, 'v1'))
  const second = await TestCertificates.in(join(dir.path, 'v2'))
  const live = join(dir.path, 'live')
  await symlink('v1', live)
  const files = { cert: join(live, 'server.pem'), key: join(live, 'server-key.pem'), clientCa: join(live, 'ca.pem') }
  const certificates = await openFiles(files, { everyMs: 5 })
  const changed = new Promise<SecureOptions>(resolve => certificates.onChange(resolve))
  await symlink('v2', `${live}.new`)
  await rename(`${live}.new`, live)
  expect((await changed).cert).toEqual(await readFile(second.server.cert))
})

describe('at the start', () => {
  it.each([
    ['a missing file', (made: TestCertificates) => unlink(made.server.key), 'QT_TLS_UNREADABLE', /QUANTRAC_TLS_KEY.*server-key/],
    [
      'a key that does not fit',
      async (made: TestCertificates) => writeFile(made.server.key, (await made.issue()).key),
      'QT_TLS_KEY_MISMATCH',
      /server-key/
    ],
    [
      'an encrypted key',
      (made: TestCertificates) => writeFile(made.server.key, '-----BEGIN ENCRYPTED PRIVATE KEY-----\n'),
      'QT_TLS_INVALID',
      /passphrase/
    ],
    [
      'key and certificate in each other’s place',
      async (made: TestCertificates) => rename(made.server.key, made.server.cert),
      'QT_TLS_UNREADABLE',
      /server-key/
    ]
  ])('%s is refused with a code and the file’s name', async (_name, breakIt, code, message) => {
    const made = await TestCertificates.in(dir.path)
    await breakIt(made)
    await expect(openFiles(filesOf(made))).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  it('a certificate that has ended is taken and complained of, since not everyone looks at dates', async () => {
    const certificates = await openFiles(filesOf(await TestCertificates.in(dir.path, { days: -1 })))
    expect(complaints()).toEqual(['error QT_TLS_EXPIRED'])
    expect(certificates.remaining()[0]).toMatchObject({ certificate: 'server' })
    expect(certificates.remaining()[0]?.ms).toBeLessThan(0)
  })

  it('tells how long each certificate lasts', async () => {
    const made = await TestCertificates.in(dir.path, { days: 90 })
    const certificates = await openFiles(filesOf(made))
    const [server, authority] = certificates.remaining()
    expect(Math.round((server?.ms ?? 0) / DAY)).toBe(90)
    expect(authority?.certificate).toBe('client-ca')
    expect(Math.round((authority?.ms ?? 0) / DAY)).toBe(3650)
  })
})

it('warns once a day from 21 days before the end, and no more after a renewal', async () => {
  const made = await TestCertificates.in(dir.path, { days: 30.5 })
  let now = Date.now()
  const certificates = await openFiles(filesOf(made), { now: () => now })
  for (let day = 0; day < 12; day++) {
    now += DAY
    await certificates.look()
    await certificates.look()
  }
  expect(complaints()).toEqual(Array.from({ length: 3 }, () => 'warn QT_TLS_EXPIRES_SOON'))
  await made.renew(90)
  now += DAY
  await certificates.look()
  now += DAY
  await certificates.look()
  expect(complaints()).toHaveLength(3)
})
