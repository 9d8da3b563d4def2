import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Absent } from './absent.js'
import { findProgram, freePort, ServerProcess } from './child.js'

/** A real InfluxDB 2 with an organisation and an operator's token. */
export interface InfluxServer {
  readonly url: string
  readonly org: string
  /** May do everything. */
  readonly token: string
  /** Null for one that was given by its address: it cannot be killed. */
  readonly process: Pick<ServerProcess, 'start' | 'stop' | 'freeze' | 'thaw' | 'pid'> | null
  /** Where its files are; null for one whose files cannot be seen. */
  readonly dataDir: string | null
  dispose(): Promise<void>
}

const IMAGE = 'influxdb:2.7.12-alpine'
const ORG = 'quantrac'
const PORT = 8_086

/**
 * In this order: the server named by QUANTRAC_TEST_INFLUX_URL (with _TOKEN, and _ORG), a local `influxd` (named by
 * QUANTRAC_TEST_INFLUXD, or on the PATH) as a child process with data of its own, a container where there is an engine.
 */
export async function startInflux(): Promise<InfluxServer | Absent> {
  const { QUANTRAC_TEST_INFLUX_URL: url, QUANTRAC_TEST_INFLUX_TOKEN: token = '', QUANTRAC_TEST_INFLUX_ORG: org = ORG } = process.env
  if (url) return { url, org, token, process: null, dataDir: null, dispose: async () => {} }
  const program = process.env['QUANTRAC_TEST_INFLUXD'] || findProgram('influxd')
  return program ? startProgram(program) : startContainer()
}

async function startProgram(program: string): Promise<InfluxServer> {
  const dir = mkdtempSync(join(tmpdir(), 'quantrac-influxd-'))
  const url = `http://127.0.0.1:${await freePort()}`
  const files = ['--bolt-path', join(dir, 'bolt'), '--engine-path', join(dir, 'engine'), '--sqlite-path', join(dir, 'sqlite')]
  const options = ['--http-bind-address', new URL(url).host, '--reporting-disabled', '--log-level', 'error']
  const server = new ServerProcess([program, ...files, ...options], async () => (await fetch(`${url}/health`)).ok)
  const clear = () => rmSync(dir, { recursive: true, force: true, maxRetries: 3 })
  try {
    await server.start()
    return {
      ...(await setUp(url)),
      process: server,
      dataDir: dir,
      dispose: async () => {
        await server.stop('SIGKILL')
        clear()
      }
    }
  } catch (error) {
    await server.stop('SIGKILL')
    clear()
    throw error
  }
}

async function setUp(url: string): Promise<{ url: string; org: string; token: string }> {
  const token = randomBytes(32).toString('hex')
  const password = randomBytes(16).toString('hex')
  const response = await fetch(`${url}/api/v2/setup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'admin', password, org: ORG, bucket: 'first', token })
  })
  if (!response.ok) throw new Error(`InfluxDB could not be set up: ${response.status} ${await response.text()}`)
  return { url, org: ORG, token }
}

async function startContainer(): Promise<InfluxServer | Absent> {
  const { GenericContainer, getContainerRuntimeClient, Wait } = await import('testcontainers')
  const engine = await getContainerRuntimeClient().catch(() => null)
  if (!engine) return { absent: 'no QUANTRAC_TEST_INFLUX_URL, no influxd on the PATH, no container engine' }
  const container = await new GenericContainer(IMAGE).withExposedPorts(PORT).withWaitStrategy(Wait.forHttp('/health', PORT)).start()
  const url = `http://${container.getHost()}:${container.getMappedPort(PORT)}`
  return {
    ...(await setUp(url)),
    process: null,
    dataDir: null,
    dispose: async () => {
      await container.stop()
    }
  }
}
