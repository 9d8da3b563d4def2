import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { TestServer } from './server.js'

const disposals: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const dispose of disposals.splice(0).reverse()) await dispose()
})

async function refused(environment: Record<string, string>): Promise<string> {
  const server = await TestServer.prepare(environment)
  disposals.push(() => server.dispose())
  expect(await server.launch()).toBe(1)
  return server.output
}

describe('the start refuses, with a code and what to do', () => {
  it('settings that cannot be, all in one message', async () => {
    const output = await refused({ QUANTRAC_HTTP_PORT: 'eighty', QUANTRAC_LOG_LEVEL: 'loud' })
    expect(output).toContain('QUANTRAC_HTTP_PORT')
    expect(output).toContain('QUANTRAC_LOG_LEVEL')
    expect(output).toContain('[QT_CONFIG_INVALID]')
  })

  it('a registry with an unknown parameter, every problem in one message', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'quantrac-registry-'))
    disposals.push(() => rmSync(dir, { recursive: true }))
    cpSync('devices/registry', dir, { recursive: true })
    const rules = readFileSync(join(dir, 'rules.yaml'), 'utf8').replace('parameter: COD', 'parameter: Gold')
    writeFileSync(join(dir, 'rules.yaml'), rules.replace(/(id: salinity-1[\s\S]*?unit: )g\/L/, '$1furlong'))
    const output = await refused({ QUANTRAC_REGISTRY_DIR: dir })
    expect(output).toContain('Gold')
    expect(output).toContain('furlong')
    expect(output).toContain('[QT_REGISTRY_INVALID]')
  })

  it('a data directory that cannot be written', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'quantrac-file-'))
    disposals.push(() => rmSync(dir, { recursive: true }))
    writeFileSync(join(dir, 'file'), '')
    expect(await refused({ QUANTRAC_DATA_DIR: join(dir, 'file', 'data') })).toContain('[QT_DATA_DIR_UNWRITABLE]')
  })

  it('a port in use', async () => {
    const holder = createServer()
    await new Promise<void>(resolve => holder.listen(0, '127.0.0.1', resolve))
    disposals.push(() => void holder.close())
    const { port } = holder.address() as { port: number }
    expect(await refused({ QUANTRAC_HTTP_PORT: String(port) })).toContain('[QT_HTTP_PORT_IN_USE]')
    expect(await refused({ QUANTRAC_MQTT_PORT: String(port) })).toContain('[QT_MQTT_PORT_IN_USE]')
  })

  it('listening beyond this machine while nobody needs a credential', async () => {
    expect(await refused({ QUANTRAC_HTTP_HOST: '0.0.0.0' })).toContain('[QT_NO_CREDENTIALS]')
    expect(await refused({ QUANTRAC_MQTT_HOST: '0.0.0.0', QUANTRAC_DEMO: 'on' })).toContain('[QT_DEMO_NOT_LOOPBACK]')
  })

  it('a second server on one data directory; the first goes on', async () => {
    const first = await TestServer.start()
    disposals.push(() => first.dispose())
    expect(await refused({ QUANTRAC_DATA_DIR: first.dataDir })).toContain('[QT_DATA_DIR_IN_USE]')
    expect((await first.get('/health/ready')).json()['status']).toBe('ready')
    await first.end('SIGKILL')
    await first.start()
  })
})
