import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Closers } from './closers.js'
import { isLoopback, readConfig } from './config.js'
import { CodedError } from './errors.js'

describe('readConfig', () => {
  let dir: string
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'quantrac-config-'))
  })
  afterAll(() => rmSync(dir, { recursive: true }))

  it('listens on loopback alone and runs the demo when nothing is set', () => {
    const config = readConfig({})
    expect(config).toMatchObject({
      dataDir: './data',
      demo: true,
      http: { host: '127.0.0.1', port: 8080 },
      mqtt: { host: '127.0.0.1', port: 1883 },
      fault: null,
      smtp: null
    })
  })

  it('is no demo once a registry is named, unless the demo is asked for', () => {
    expect(readConfig({ QUANTRAC_REGISTRY_DIR: '/r' }).demo).toBe(false)
    expect(readConfig({ QUANTRAC_REGISTRY_DIR: '/r', QUANTRAC_DEMO: 'on' }).demo).toBe(true)
    expect(readConfig({ QUANTRAC_DEMO: 'off' }).demo).toBe(false)
  })

  it('moves time series, state and listeners by one setting each', () => {
    const influx = { url: 'http://127.0.0.1:8086', org: 'quantrac', bucket: 'quantrac', token: 't' }
    expect(readConfig({ QUANTRAC_INFLUX_URL: influx.url, QUANTRAC_INFLUX_TOKEN: 't' }).influx).toEqual(influx)
    expect(readConfig({ QUANTRAC_STATE_URL: 'postgres://q@127.0.0.1/q' }).stateUrl).toBe('postgres://q@127.0.0.1/q')
    const tls = { QUANTRAC_TLS_CERT: 'c.pem', QUANTRAC_TLS_KEY: 'k.pem' }
    const encrypted = readConfig({ ...tls, QUANTRAC_MQTT_PORT: 'off', QUANTRAC_MQTTS_PORT: '8883' })
    expect(encrypted.tls).toEqual({ cert: 'c.pem', key: 'k.pem', clientCa: null })
    expect(encrypted.mqtt).toMatchObject({ port: null, tlsPort: 8883, wsPort: null, wssPort: null })
  })

  it('the server needs a token of InfluxDB, the command that makes one does not', () => {
    const given = { QUANTRAC_INFLUX_URL: 'http://127.0.0.1:8086', QUANTRAC_INFLUX_ADMIN_TOKEN: 'a' }
    expect(() => readConfig(given)).toThrow('QUANTRAC_INFLUX_TOKEN: needed beside QUANTRAC_INFLUX_URL')
    const { influx, influxSetup } = readConfig(given, 'ops')
    expect(influx).toBeNull()
    expect(influxSetup).toEqual({ url: 'http://127.0.0.1:8086', org: 'quantrac', bucket: 'quantrac', adminToken: 'a' })
    expect(readConfig({}, 'ops').influxSetup).toBeNull()
  })

  it('reads a setting from the file that NAME_FILE names, without the line end', () => {
    const file = join(dir, 'url')
    writeFileSync(file, 'smtp://user:pass@127.0.0.1:2525\n')
    expect(readConfig({ QUANTRAC_SMTP_URL_FILE: file, QUANTRAC_SMTP_FROM: 'a@b.vn' }).smtp).toEqual({
      url: 'smtp://user:pass@127.0.0.1:2525',
      from: 'a@b.vn'
    })
  })

  it('names every problem in one message', () => {
    const read = () =>
      readConfig({
        QUANTRAC_HTTP_PORT: '99999',
        QUANTRAC_DEMO: 'perhaps',
        QUANTRAC_MQTT_PROT: '1',
        QUANTRAC_SMTP_URL_FILE: join(dir, 'absent')
      })
    const message = messageThrown(read)
    for (const name of ['QUANTRAC_HTTP_PORT', 'QUANTRAC_DEMO', 'QUANTRAC_MQTT_PROT: no such setting', 'QUANTRAC_SMTP_URL_FILE'])
      expect(message).toContain(name)
    expect(codeThrown(read)).toBe('QT_CONFIG_INVALID')
  })

  it('asks for a sender beside a mail server', () => {
    const complaint = (environment: Record<string, string>) => messageThrown(() => readConfig(environment))
    expect(complaint({ QUANTRAC_SMTP_URL: 'smtp://127.0.0.1:25' })).toContain('QUANTRAC_SMTP_FROM: needed')
    expect(complaint({ QUANTRAC_WAREHOUSE_TOKEN_URL: 'https://w.example' })).toMatch(
      /WAREHOUSE_URL: needed.*\n.*WAREHOUSE_CLIENT_SECRET: needed/
    )
    expect(complaint({ QUANTRAC_WAREHOUSE_TLS_CERT: 'a.pem' })).toContain('QUANTRAC_WAREHOUSE_TLS_KEY: needed')
    expect(complaint({ QUANTRAC_WAREHOUSE_URL: 'ftp://w.example' })).toContain('QUANTRAC_WAREHOUSE_URL')
    expect(complaint({ QUANTRAC_WAREHOUSE_COMPARE_AT: '24:00' })).toContain('QUANTRAC_WAREHOUSE_COMPARE_AT: hours and minutes')
    expect(complaint({ QUANTRAC_INFLUX_URL: 'http://127.0.0.1:8086' })).toContain('QUANTRAC_INFLUX_TOKEN: needed')
    expect(complaint({ QUANTRAC_MQTTS_PORT: '8883' })).toContain('QUANTRAC_TLS_CERT: needed')
    expect(complaint({ QUANTRAC_TLS_CERT: 'a.pem', QUANTRAC_HTTP_PORT: 'off' })).toMatch(/TLS_KEY: needed[\s\S]*HTTPS_PORT: needed/)
  })

  it('reads the warehouse, its credentials and the time of the comparison', () => {
    const environment = { QUANTRAC_WAREHOUSE_URL: 'https://w.example/api', QUANTRAC_WAREHOUSE_TOKEN_URL: 'https://w.example/t' }
    const { warehouse } = readConfig({ ...environment, QUANTRAC_WAREHOUSE_CLIENT_SECRET: 's', QUANTRAC_WAREHOUSE_COMPARE_AT: '03:15' })
    expect(warehouse).toMatchObject({
      client: { tokenUrl: 'https://w.example/t', id: 'quantrac', secret: 's', scope: null },
      maxItems: 1_000,
      compareAtMinute: 195
    })
    expect(readConfig({}).warehouse).toBeNull()
  })

  it('leaves the tests’ own variables and other programs’ alone', () => {
    expect(() => readConfig({ QUANTRAC_TEST_INFLUX_URL: 'x', PATH: '/bin', QUANTRAC_CI_CACHE: 'y' })).not.toThrow()
  })
})

describe('isLoopback', () => {
  it.each(['127.0.0.1', '127.8.9.1', '::1', 'localhost'])('%s is', host => expect(isLoopback(host)).toBe(true))
  it.each(['0.0.0.0', '::', '10.0.0.1', '127.evil.example', 'example.org'])('%s is not', host => expect(isLoopback(host)).toBe(false))
})

describe('Closers', () => {
  it('closes last in first out, goes on past a failure and tells of it, and does nothing the second time', async () => {
    const closers = new Closers()
    const order: string[] = []
    closers.add('first', { close: () => void order.push('first') })
    closers.defer('broken', () => {
      order.push('broken')
      throw new CodedError('QT_UNEXPECTED', 'stuck')
    })
    closers.add('last', { close: async () => void order.push('last') })
    expect(await closers.close()).toEqual([{ name: 'broken', code: 'QT_UNEXPECTED', message: 'stuck' }])
    expect(order).toEqual(['last', 'broken', 'first'])
    expect(await closers.close()).toEqual([])
    expect(order).toHaveLength(3)
  })
})

describe('faultAt and openLogger, in a process of their own', () => {
  const run = (script: string) => spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  const index = new URL('./index.js', import.meta.url).href

  it('kills the process at the n-th passing of the point and of no other', () => {
    const script = `import { faultAt } from '${index}'
      const fault = faultAt({ point: 'b', after: 2 })
      for (const point of ['a', 'b', 'a', 'b', 'a']) { process.stdout.write(point); fault(point) }`
    const { signal, stdout } = run(script)
    expect(signal).toBe('SIGKILL')
    expect(stdout).toBe('abab')
  })

  it('never writes a secret', () => {
    const script = `import { openLogger } from '${index}'
      openLogger({ level: 'info', format: 'json' }, 'test').info({ secret: 'hush', request: { authorization: 'hush', password: 'hush' } }, 'hello')`
    const { stdout } = run(script)
    expect(stdout).toContain('hello')
    expect(stdout).not.toContain('hush')
  })
})

function thrown(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

const messageThrown = (work: () => unknown): string => String(thrown(work))
const codeThrown = (work: () => unknown): string => (thrown(work) as CodedError).code
