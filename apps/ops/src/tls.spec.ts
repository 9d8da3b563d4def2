import { X509Certificate } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { DAY } from '#libs/model'
import { readConfig } from '#libs/platform'
import { type TempDir, tempDir } from '#libs/testkit'
import { dispatch } from './command.js'
import { tlsCommands } from './tls.js'

const STATION = 'AG-KCN-BINHHOA-01'
const OTHER = 'AG-KCN-BINHLONG-01'

let dir: TempDir
beforeEach(async () => {
  dir = await tempDir()
})
afterEach(() => dir.remove())

/** Runs the command as the command line does; returns what it printed. */
async function selfSigned(...words: string[]): Promise<string> {
  const lines: string[] = []
  const call = { config: readConfig({ QUANTRAC_DATA_DIR: dir.path }), print: (line: string) => void lines.push(line) }
  expect(await dispatch(tlsCommands, ['tls', 'self-signed', ...words], call)).toBe(0)
  return lines.join('\n')
}

const at = (name: string): string => join(dir.path, 'tls', name)
const certificate = (name: string): X509Certificate => new X509Certificate(readFileSync(at(name)))

describe('tls self-signed', () => {
  it('makes authority, server and stations, whose keys only their owner reads', async () => {
    await selfSigned('--station', `${STATION},${OTHER}`)
    const authority = certificate('ca.pem')
    expect(authority.ca).toBe(true)
    for (const name of ['server.pem', `${STATION}.pem`, `${OTHER}.pem`]) {
      expect(certificate(name).verify(authority.publicKey)).toBe(true)
      expect(certificate(name).ca).toBe(false)
    }
    expect(certificate(`${STATION}.pem`).subject).toBe(`CN=${STATION}`)
    expect(certificate('server.pem').subjectAltName).toContain('DNS:localhost')
    expect(certificate('server.pem').subjectAltName).toContain('IP Address:127.0.0.1')
    const keys = readdirSync(join(dir.path, 'tls')).filter(name => name.endsWith('-key.pem'))
    expect(keys).toHaveLength(4)
    for (const name of keys) expect(statSync(at(name)).mode & 0o777).toBe(0o600)
  })

  it('takes names, addresses and days, and prints settings and a line that publishes', async () => {
    const printed = await selfSigned('--host', 'monitor.example,10.0.0.7', '--days', '7', '--station', STATION)
    expect(certificate('server.pem').subjectAltName).toBe('DNS:monitor.example, IP Address:10.0.0.7')
    expect(Math.round((Date.parse(certificate('server.pem').validTo) - Date.now()) / DAY)).toBe(7)
    expect(printed).toContain(`QUANTRAC_TLS_CERT=${at('server.pem')}`)
    expect(printed).toContain(`QUANTRAC_TLS_CLIENT_CA=${at('ca.pem')}`)
    expect(printed).toContain(`mosquitto_pub -h monitor.example -p 8883 --cafile ${at('ca.pem')} --cert ${at(`${STATION}.pem`)}`)
  })

  it('overwrites nothing unasked, and then not the authority', async () => {
    await selfSigned('--station', STATION)
    const before = new Map(readdirSync(join(dir.path, 'tls')).map(name => [name, readFileSync(at(name), 'utf8')]))
    for (const words of [[], ['--station', STATION], ['--station', OTHER, '--host', 'other']])
      await expect(selfSigned(...words)).rejects.toMatchObject({ code: 'QT_OPS_TLS_EXISTS' })
    for (const [name, text] of before) expect(readFileSync(at(name), 'utf8')).toBe(text)
    await selfSigned('--force', '--station', STATION)
    const changed = [...before].filter(([name, text]) => readFileSync(at(name), 'utf8') !== text).map(([name]) => name)
    expect(changed.sort()).toEqual([`${STATION}-key.pem`, `${STATION}.pem`, 'server-key.pem', 'server.pem'])
    expect(certificate('server.pem').verify(certificate('ca.pem').publicKey)).toBe(true)
  })

  it('adds a station to what is there', async () => {
    await selfSigned()
    const { serialNumber } = certificate('server.pem')
    await selfSigned('--station', OTHER)
    expect(certificate(`${OTHER}.pem`).verify(certificate('ca.pem').publicKey)).toBe(true)
    expect(certificate('server.pem').serialNumber).toBe(serialNumber)
  })

  it.each([
    [['--station', 'AG-NOBODY-01'], 'QT_OPS_UNKNOWN_STATION'],
    [['--days', 'many'], 'QT_OPS_USAGE'],
    [['--days', '0'], 'QT_OPS_USAGE']
  ])('%j is refused before anything is written', async (words, code) => {
    await expect(selfSigned(...words)).rejects.toMatchObject({ code })
    expect(readdirSync(dir.path)).toEqual([])
  })

  it('an authority without its key is not replaced', async () => {
    await selfSigned()
    rmSync(at('ca-key.pem'))
    await expect(selfSigned('--force')).rejects.toMatchObject({ code: 'QT_OPS_TLS_EXISTS' })
  })
})
