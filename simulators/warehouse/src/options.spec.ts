import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { readOptions } from './options.js'

const dir = mkdtempSync(join(tmpdir(), 'quantrac-options-'))
afterAll(() => rmSync(dir, { recursive: true }))
const SECRET = { WAREHOUSE_CLIENT_SECRET: 's' }
const file = (name: string, text: string): string => {
  writeFileSync(join(dir, name), text)
  return join(dir, name)
}

describe('options', () => {
  it('have defaults on loopback, and the secret from the environment', () => {
    expect(readOptions([], SECRET)).toMatchObject({
      host: '127.0.0.1',
      port: 8_090,
      adminPort: 8_091,
      client: { id: 'quantrac', secret: 's' },
      maxItems: 1_000
    })
  })

  it('take secret and certificates from files', () => {
    const args = ['--client-secret-file', file('secret', 'from a file\n'), '--tls-cert', file('c', 'C'), '--tls-key', file('k', 'K')]
    expect(readOptions(args, {})).toMatchObject({ client: { secret: 'from a file' }, tls: { cert: 'C', key: 'K' } })
    expect(readOptions([...args.slice(2), '--client-ca', file('a', 'A')], {})).toMatchObject({ client: null, tls: { clientCa: 'A' } })
  })

  it('take faults, numbers and text', () => {
    const { faults } = readOptions(['--fault', 'slowMs=200', '--fault', 'refuseStation=AG-017', '--fault', 'loseAnswer=0.1'], SECRET)!
    expect(faults).toMatchObject({ slowMs: 200, refuseStation: 'AG-017', loseAnswer: 0.1, busy: 0 })
  })

  it.each([
    ['nobody who may write', [], {}, /WAREHOUSE_CLIENT_SECRET/],
    ['an unknown option', ['--colour', 'red'], SECRET, /colour/],
    ['a port that is none', ['--port', 'x'], SECRET, /port/],
    ['half a certificate', ['--tls-cert', 'c'], SECRET, /go together/],
    ['an unknown fault', ['--fault', 'sleepy=1'], SECRET, /sleepy/],
    ['a fault beyond its measure', ['--fault', 'refuse=2'], SECRET, /refuse/],
    ['a file that is not there', ['--client-secret-file', join(dir, 'none')], {}, /ENOENT/]
  ])('are refused with %s', (_name, args, environment, message) => {
    expect(() => readOptions(args, environment)).toThrow(message)
  })

  it('are none when help is asked for', () => {
    expect(readOptions(['--help'], {})).toBeNull()
  })
})
