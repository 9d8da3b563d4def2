import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Server } from './server.js'

/** Ready at its second question; says its settings; dies when told to. */
const PROGRAM = `
import { createServer } from 'node:http'
let asked = 0
console.log('registry', process.env.QUANTRAC_REGISTRY_DIR, 'other', process.env.QUANTRAC_OTHER)
createServer((request, response) => {
  if (request.url === '/die') process.exit(3)
  response.writeHead(++asked > 1 ? 200 : 503).end()
}).listen(Number(process.env.QUANTRAC_HTTP_PORT), '127.0.0.1')
`

describe('Server', () => {
  let dir: string
  let port: number
  let server: Server | undefined

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'quantrac-kill-server-'))
    await writeFile(join(dir, 'server.mjs'), PROGRAM)
    await writeFile(join(dir, 'broken.mjs'), "console.error('no room'); process.exit(1)")
    const probe = createServer()
    await new Promise<void>(resolve => probe.listen(0, '127.0.0.1', resolve))
    port = (probe.address() as AddressInfo).port
    await new Promise<void>(resolve => probe.close(() => resolve()))
  })

  afterEach(async () => {
    await server?.kill()
    await rm(dir, { recursive: true })
  })

  function start(program: string): Server {
    const environment = { QUANTRAC_HTTP_PORT: String(port), QUANTRAC_REGISTRY_DIR: 'mine' }
    server = new Server({ command: [join(dir, program)], environment, httpUrl: `http://127.0.0.1:${port}` })
    return server
  }

  it('waits until it is ready, and passes on no setting of its own environment', async () => {
    process.env['QUANTRAC_OTHER'] = 'leaked'
    const started = start('server.mjs')
    delete process.env['QUANTRAC_OTHER']
    expect(await started.ready()).toBe(true)
    expect(started.output).toContain('registry mine other undefined')
    expect(started.alive).toBe(true)
  })

  it('is dead after a kill', async () => {
    const started = start('server.mjs')
    await started.ready()
    expect(await started.diesWithin(20)).toBe(false)
    await started.kill()
    expect(started.alive).toBe(false)
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow()
  })

  it('tells when it died by itself', async () => {
    const started = start('server.mjs')
    await started.ready()
    await fetch(`http://127.0.0.1:${port}/die`).catch(() => undefined)
    expect(await started.diesWithin(5_000)).toBe(true)
  })

  it('tells that it never came up, and what it said', async () => {
    const started = start('broken.mjs')
    expect(await started.ready()).toBe(false)
    expect(started.output).toContain('no room')
  })
})
