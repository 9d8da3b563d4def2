import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export const RECEIVER_SECRET = 'a-secret-of-tests'

interface Dir {
  readonly path: string
}

/** The receiver of `simulators/warehouse` as a program of its own: the contract as somebody else has read it. */
export class WarehouseReceiver {
  readonly #dir: Dir
  readonly #args: readonly string[]
  readonly #secret: string
  #child: ChildProcess | undefined
  #url = ''
  #admin = ''

  private constructor(dir: Dir, args: readonly string[], secret: string) {
    this.#dir = dir
    this.#args = args
    this.#secret = secret
    // The one who started it may be killed by a time-out; the receiver must not outlive it.
    process.once('exit', () => this.#child?.kill('SIGKILL'))
  }

  static async start(dir: Dir, args: readonly string[] = [], { secret = RECEIVER_SECRET } = {}): Promise<WarehouseReceiver> {
    const receiver = new WarehouseReceiver(dir, args, secret)
    await receiver.#start(['--port', '0', '--admin-port', '0'])
    return receiver
  }

  get url(): string {
    return this.#url
  }

  /** How an `HttpWarehouse` finds it and is known there; what else is given stands beside. */
  settings<M extends object>(more: M = {} as M) {
    return { url: this.#url, client: { tokenUrl: `${this.#url}/oauth/token`, id: 'quantrac', secret: this.#secret }, ...more }
  }

  /** The same for a server. */
  get environment(): Record<string, string> {
    return {
      QUANTRAC_WAREHOUSE_URL: this.#url,
      QUANTRAC_WAREHOUSE_TOKEN_URL: `${this.#url}/oauth/token`,
      QUANTRAC_WAREHOUSE_CLIENT_SECRET: this.#secret
    }
  }

  async faults(faults: object): Promise<void> {
    await this.#ask('PUT', '/faults', faults)
  }

  async act(path: '/tokens/expire' | '/vanish', body: object = {}): Promise<void> {
    await this.#ask('POST', path, body)
  }

  stats(): Promise<Record<string, number>> {
    return this.#ask('GET', '/stats') as Promise<Record<string, number>>
  }

  /** What it holds, instants as epoch milliseconds. */
  async rows(): Promise<Record<string, unknown>[]> {
    const text = await (await fetch(`${this.#admin}/rows`)).text()
    return text.split('\n').flatMap(line => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>]))
  }

  /** Killed, and started again on the same port and data. */
  async kill(): Promise<void> {
    await this.stop('SIGKILL')
    await this.again()
  }

  /** Started again after a stop, on the same port and data. */
  async again(): Promise<void> {
    const portOf = (url: string) => new URL(url).port
    await this.#start(['--port', portOf(this.#url), '--admin-port', portOf(this.#admin)])
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (!child) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }

  async #start(ports: readonly string[]): Promise<void> {
    const args = ['dist/simulators/warehouse/src/main.js', ...ports, '--data-dir', this.#dir.path, ...this.#args]
    const env = { ...process.env, WAREHOUSE_CLIENT_SECRET: this.#secret }
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
    this.#child = child
    const lines = createInterface({ input: child.stdout })
    const [line] = (await Promise.race([once(lines, 'line'), once(child, 'exit')])) as [unknown]
    const [, url, admin] = /listens on (\S+), admin on (\S+)/.exec(String(line)) ?? []
    if (!url || !admin) throw new Error(`the receiver did not start: ${String(line)}`)
    this.#url = url
    this.#admin = admin
  }

  async #ask(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${this.#admin}${path}`, { method, ...(body ? { body: JSON.stringify(body) } : {}) })
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
    return response.json()
  }
}
