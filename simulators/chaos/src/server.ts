import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { ProofError } from './errors.js'

export interface ServerOptions {
  /** The program, as arguments of Node. */
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly httpUrl: string
}

const READY_MS = 60_000
const REMEMBERED_BYTES = 4_000

/** One life of the server: a child process that is killed by its own id, never by a name. */
export class Server {
  readonly #options: ServerOptions
  readonly #child: ChildProcess
  readonly #exited: Promise<void>
  #output = ''
  #alive = true

  constructor(options: ServerOptions) {
    this.#options = options
    const { command, environment } = options
    this.#child = spawn(process.execPath, [...command], { env: inherit(environment), stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString()).slice(-REMEMBERED_BYTES)
      })
    }
    this.#exited = new Promise(resolve => {
      const over = (): void => {
        this.#alive = false
        resolve()
      }
      this.#child.once('exit', over)
      this.#child.once('error', over)
    })
  }

  get alive(): boolean {
    return this.#alive
  }

  /** The last of what it printed. */
  get output(): string {
    return this.#output
  }

  /** True once it is ready, false when it died before. Throws ProofError when neither comes in a minute. */
  async ready(): Promise<boolean> {
    const until = performance.now() + READY_MS
    while (this.#alive) {
      if (await this.#answersReady()) return true
      if (performance.now() > until)
        throw new ProofError('QT_PROOF_SERVER', `the server is not ready after ${READY_MS} ms:\n${this.#output}`)
      await sleep(25)
    }
    return false
  }

  async #answersReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.#options.httpUrl}/health/ready`, { signal: AbortSignal.timeout(2_000) })).ok
    } catch {
      return false
    }
  }

  /** Resolves when it has died, or after `ms`; says whether it has. */
  async diesWithin(ms: number): Promise<boolean> {
    const waiting = new AbortController()
    await Promise.race([this.#exited, sleep(ms, undefined, { signal: waiting.signal }).catch(() => undefined)])
    waiting.abort()
    return !this.#alive
  }

  /** SIGKILL, and waits until it is gone. */
  async kill(): Promise<void> {
    this.killNow()
    await this.#exited
  }

  /** SIGKILL without waiting: for the way out of this process. */
  killNow(): void {
    if (this.#alive) this.#child.kill('SIGKILL')
  }
}

/** This process's environment without settings of the server, which must not reach the child by accident. */
function inherit(settings: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('QUANTRAC_'))
  return { ...Object.fromEntries(kept), ...settings }
}
