import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { delimiter, join } from 'node:path'

/** How long a server may take until it answers. */
const READY_MS = 60_000
const OUTPUT_KEPT = 16_384

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** A program by its name, looked for on the PATH and in further folders. */
export function findProgram(name: string, folders: readonly string[] = []): string | null {
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), ...folders]) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // the next one
    }
  }
  return null
}

/** A server as a child process that can be killed, frozen and started again on the same data. */
export class ServerProcess {
  readonly #command: readonly string[]
  readonly #options: SpawnOptions
  readonly #answers: () => Promise<boolean>
  #child: ChildProcess | null = null
  #output = ''

  constructor(command: readonly string[], answers: () => Promise<boolean>, options: SpawnOptions = {}) {
    this.#command = command
    this.#answers = answers
    this.#options = options
    // The one who started it may be killed by a test's time-out; the server must not outlive it.
    process.once('exit', () => this.#child?.kill('SIGKILL'))
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Starts it and waits until it answers. */
  async start(): Promise<void> {
    const [program = '', ...args] = this.#command
    const child = spawn(program, args, { ...this.#options, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    const keep = (text: string) => (this.#output = (this.#output + text).slice(-OUTPUT_KEPT))
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', keep)
    const deadline = Date.now() + READY_MS
    while (!(await this.#answers().catch(() => false))) {
      if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
        throw new Error(`${program} did not start:\n${this.#output}`)
      }
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }

  /** Ends it; resolves when it is gone. */
  async stop(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#child
    this.#child = null
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGCONT')
    child.kill(signal)
    await gone
  }

  /** Stops it in its tracks: its sockets stay open and nothing answers. */
  freeze(): void {
    this.#child?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child?.kill('SIGCONT')
  }
}
