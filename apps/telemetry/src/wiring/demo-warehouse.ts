import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { newSecret } from '#libs/adapters/state'
import type { Closers, Config, WarehouseSettings } from '#libs/platform'
import { CodedError, openLogger } from '#libs/platform'

const PROGRAM = fileURLToPath(new URL('../../../../simulators/warehouse/src/main.js', import.meta.url))
const STARTED = /^warehouse listens on (\S+), admin on (\S+)$/
const START_MS = 15_000

interface DemoWarehouse {
  readonly settings: WarehouseSettings
  readonly adminUrl: string
}

/** The simulated warehouse, for the demo: a process of its own on free ports, ended with the server. Null when it does not start. */
export async function startDemoWarehouse(config: Config, closers: Closers): Promise<DemoWarehouse | null> {
  const secret = newSecret()
  const args = ['--port', '0', '--admin-port', '0', '--while-stdin', '--data-dir', join(config.dataDir, 'warehouse')]
  const child = spawn(process.execPath, ['--enable-source-maps', PROGRAM, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'], WAREHOUSE_CLIENT_SECRET: secret }
  })
  child.stdin.on('error', () => {}) // told by 'exit'
  closers.defer('simulated warehouse', () => endChild(child))
  try {
    const [url, adminUrl] = await addresses(child)
    const client = { tokenUrl: `${url}/oauth/token`, id: 'quantrac', secret, scope: null }
    return { settings: { ...DEFAULTS, url, client }, adminUrl }
  } catch (error) {
    openLogger(config.log, 'telemetry').error({ code: 'QT_DEMO_WAREHOUSE' }, String(error))
    return null
  }
}

const DEFAULTS = {
  tls: { cert: null, key: null, ca: null },
  maxItems: 1_000,
  maxBytes: 2 ** 20,
  maxPerSecond: 1_000_000,
  compareAtMinute: 150
}

async function addresses(child: ChildProcess): Promise<[url: string, adminUrl: string]> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new CodedError('QT_DEMO_WAREHOUSE', `the simulated warehouse ${why}`))
    const timer = setTimeout(() => fail('did not start in time'), START_MS)
    child.once('error', error => fail(`could not be started: ${error.message}`))
    child.once('exit', code => fail(`ended with code ${code}`))
    if (child.stdout)
      createInterface(child.stdout).on('line', line => {
        const [, url, adminUrl] = STARTED.exec(line) ?? []
        if (!url || !adminUrl) return
        clearTimeout(timer)
        resolve([url, adminUrl])
      })
  })
}

/** Ends a process that ends with its standard input; by force after a while. */
export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()))
  child.stdin?.end()
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await exited
  clearTimeout(timer)
}
