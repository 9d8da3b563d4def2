import type { ChildProcess } from 'node:child_process'
import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { MqttClient } from 'mqtt'
import { connect, connectAsync } from 'mqtt'
import { freePort } from '#libs/test-servers'

const MAIN = 'dist/apps/telemetry/src/main.js'
const OPS = 'dist/apps/ops/src/main.js'
const run = promisify(execFile)

/** A JSON answer: lists have items, everything else is looked up by name. */
export interface Body {
  readonly items: Record<string, unknown>[]
  readonly [name: string]: unknown
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: () => Body
}

/** The started program with a data directory of its own, used over its sockets like a stranger would. */
export class TestServer {
  readonly dataDir: string
  readonly httpPort: number
  readonly mqttPort: number
  readonly #environment: Record<string, string>
  #child: ChildProcess | null = null
  output = ''

  private constructor(dataDir: string, ports: [number, number], environment: Record<string, string>) {
    this.dataDir = dataDir
    ;[this.httpPort, this.mqttPort] = ports
    this.#environment = environment
  }

  /** A server that is not started yet. */
  static async prepare(environment: Record<string, string> = {}): Promise<TestServer> {
    const dataDir = mkdtempSync(join(tmpdir(), 'quantrac-test-'))
    return new TestServer(dataDir, [await freePort(), await freePort()], environment)
  }

  static async start(environment: Record<string, string> = {}): Promise<TestServer> {
    const server = await TestServer.prepare(environment)
    await server.start()
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${this.httpPort}`
  }

  get env(): Record<string, string> {
    const { PATH = '', HOME = '' } = process.env
    return {
      PATH,
      HOME,
      QUANTRAC_DATA_DIR: this.dataDir,
      QUANTRAC_DEMO: 'off',
      QUANTRAC_HTTP_PORT: String(this.httpPort),
      QUANTRAC_MQTT_PORT: String(this.mqttPort),
      ...this.#environment
    }
  }

  async start(): Promise<void> {
    const exited = this.launch()
    for (;;) {
      const ended = await Promise.race([exited, new Promise<null>(resolve => setTimeout(() => resolve(null), 30))])
      if (ended !== null) throw new Error(`the server ended with ${ended} before it was ready:\n${this.output}`)
      const ready = await fetch(`${this.url}/health/ready`).catch(() => null)
      if (ready?.status === 200) return
    }
  }

  /** Starts the process without waiting for it to be ready; resolves with its exit code. */
  launch(): Promise<number> {
    const child = spawn(process.execPath, ['--enable-source-maps', MAIN], { env: this.env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text
      })
    }
    return new Promise(resolve => child.once('close', (code, signal) => resolve(code ?? (signal === null ? -1 : 128))))
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number> {
    const child = this.#child
    this.#child = null
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? 0
    const exited = new Promise<number>(resolve => child.once('close', code => resolve(code ?? 128)))
    child.kill(signal)
    return exited
  }

  async dispose(): Promise<void> {
    await this.end('SIGKILL')
    rmSync(this.dataDir, { recursive: true, force: true })
  }

  async ops(...words: string[]): Promise<string> {
    const { stdout } = await run(process.execPath, [OPS, ...words], { env: this.env })
    return stdout.trim()
  }

  async request(
    method: string,
    path: string,
    options: { token?: string; body?: string | Uint8Array; headers?: Record<string, string> } = {}
  ): Promise<Answer> {
    const headers: Record<string, string> = { ...options.headers }
    if (options.token) headers['authorization'] = `Bearer ${options.token}`
    if (options.body !== undefined) headers['content-type'] ??= 'application/json'
    const init: RequestInit = { method, headers, redirect: 'manual' }
    if (options.body !== undefined) init.body = options.body as NonNullable<RequestInit['body']>
    const response = await fetch(this.url + path, init)
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) as Body }
  }

  get(path: string, token?: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.request('GET', path, token === undefined ? { headers } : { token, headers })
  }

  /** An MQTT client as a station or, with user name `token`, as a program. */
  connect(username: string, password: string, options: { clientId?: string; clean?: boolean } = {}): Promise<MqttClient> {
    return connectAsync(`mqtt://127.0.0.1:${this.mqttPort}`, { username, password, reconnectPeriod: 0, connectTimeout: 5_000, ...options })
  }

  /** The first message that a persistent session is given when it comes back. The listener stands before the session does. */
  async firstMessage(username: string, password: string, clientId: string): Promise<string> {
    const options = { username, password, clientId, clean: false, reconnectPeriod: 0 }
    const client = connect(`mqtt://127.0.0.1:${this.mqttPort}`, options)
    const payload = await new Promise<Buffer>((resolve, reject) => {
      client.once('message', (_topic, message) => resolve(message))
      client.once('error', reject)
    })
    await client.endAsync()
    return payload.toString()
  }
}

/** Asks until the answer is there; the deadline is a safety net, not an expectation of speed. */
export async function eventually<T>(ask: () => Promise<T | undefined | null | false>, what: string, deadlineMs = 10_000): Promise<T> {
  const end = Date.now() + deadlineMs
  for (;;) {
    const answer = await ask()
    if (answer) return answer
    if (Date.now() > end) throw new Error(`did not happen in ${deadlineMs} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
