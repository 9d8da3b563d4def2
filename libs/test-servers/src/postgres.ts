import { execFile, execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'
import type { Absent } from './absent.js'
import { findProgram, freePort, ServerProcess } from './child.js'

type Signal = 'SIGTERM' | 'SIGINT' | 'SIGKILL'

/** A real PostgreSQL. */
export interface PostgresServer {
  /** Of the administrative database, as a role that may do everything. */
  readonly url: string
  /** Makes an empty database and tells its URL. */
  database(): Promise<string>
  /** Null for one that was given by its address: it cannot be killed. */
  readonly process: Pick<ServerProcess, 'start' | 'stop' | 'freeze' | 'thaw'> | null
  dispose(): Promise<void>
}

interface PostgresOptions {
  /** Whether commits reach the disk. Off unless told: a killed server loses nothing by it, and tests are quicker. */
  readonly fsync?: boolean
}

const IMAGE = 'postgres:15-alpine'
const PORT = 5_432
const LIBRARY = '/usr/lib/postgresql'
/** How long children of a killed server may take to notice. */
const ORPHANS_MS = 20_000

const run = promisify(execFile)

/**
 * In this order: the server named by QUANTRAC_TEST_POSTGRES_URL (a role that may create databases), a local installation
 * (its programs' folder named by QUANTRAC_TEST_POSTGRES_BIN, on the PATH, or in /usr/lib/postgresql) as a child process
 * with data of its own, a container where there is an engine.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer | Absent> {
  const { QUANTRAC_TEST_POSTGRES_URL: url, QUANTRAC_TEST_POSTGRES_BIN: folder } = process.env
  if (url) return new Running(url, null, () => {})
  const program = findProgram('initdb', folder ? [folder] : installed())
  return program ? startProgram(dirname(program), options) : startContainer()
}

/** Debian's way to have several versions side by side; the newest first. */
function installed(): string[] {
  try {
    const versions = readdirSync(LIBRARY).sort((one, other) => Number(other) - Number(one))
    return versions.map(version => join(LIBRARY, version, 'bin'))
  } catch {
    return []
  }
}

async function startProgram(bin: string, { fsync = false }: PostgresOptions): Promise<PostgresServer> {
  const dir = mkdtempSync(join(tmpdir(), 'quantrac-postgres-'))
  const clear = () => rmSync(dir, { recursive: true, force: true, maxRetries: 3 })
  const user = unprivileged()
  const data = join(dir, 'data')
  const password = randomBytes(16).toString('hex')
  const port = await freePort()
  const url = `postgres://quantrac:${password}@127.0.0.1:${port}/postgres`
  const settings = ['listen_addresses=127.0.0.1', `port=${port}`, 'unix_socket_directories=', `fsync=${fsync ? 'on' : 'off'}`]
  const command = [join(bin, 'postgres'), '-D', data, ...[...settings, 'shared_buffers=32MB'].flatMap(text => ['-c', text])]
  const server = new PostgresProcess(new ServerProcess(command, () => answers(url), { cwd: dir, ...user }), data)
  try {
    writeFileSync(join(dir, 'password'), password, { mode: 0o600 })
    if (user) for (const path of [dir, join(dir, 'password')]) chownSync(path, user.uid, user.gid)
    const how = ['-D', data, '-U', 'quantrac', '-A', 'scram-sha-256', '--pwfile', join(dir, 'password')]
    await run(join(bin, 'initdb'), [...how, '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'], { cwd: dir, ...user })
    await server.start()
    return new Running(url, server, clear)
  } catch (error) {
    await server.stop('SIGKILL')
    clear()
    throw error
  }
}

/** PostgreSQL does not run as root; then it is another user's process. */
function unprivileged(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map(line => line.split(':'))
  const found = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody')
  if (!found) throw new Error('PostgreSQL does not run as root, and there is neither a user postgres nor nobody')
  return { uid: Number(found[2]), gid: Number(found[3]) }
}

async function answers(url: string): Promise<boolean> {
  return (await ask(url, 'select 1')).length === 1
}

/** Runs one statement, or several with `;` between them, on a connection of its own; gives the rows of the last. */
export async function ask(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    // Several statements have several results, which pg's types do not know.
    const results: unknown = await client.query<Record<string, unknown>>(sql)
    const last: unknown = Array.isArray(results) ? results.at(-1) : results
    return (last as { readonly rows: Record<string, unknown>[] }).rows
  } finally {
    await client.end().catch(() => {})
  }
}

/** The postmaster with the processes that it starts: each connection is one of them. */
class PostgresProcess {
  readonly #server: ServerProcess
  readonly #data: string

  constructor(server: ServerProcess, data: string) {
    this.#server = server
    this.#data = data
  }

  /** After a kill it refuses to start while a child of the one before is alive: asks again until they have noticed. */
  async start(): Promise<void> {
    const deadline = Date.now() + ORPHANS_MS
    for (;;) {
      try {
        await this.#server.start()
        return
      } catch (error) {
        if (Date.now() > deadline || !String(error).includes('pre-existing shared memory')) throw error
        await new Promise(resolve => setTimeout(resolve, 100))
      }
    }
  }

  async stop(signal: Signal = 'SIGINT'): Promise<void> {
    const children = signal === 'SIGKILL' ? this.#children() : []
    if (signal !== 'SIGKILL') this.thaw()
    const stopped = this.#server.stop(signal)
    for (const pid of children) send(pid, 'SIGKILL')
    await stopped
  }

  freeze(): void {
    this.#server.freeze()
    for (const pid of this.#children()) send(pid, 'SIGSTOP')
  }

  thaw(): void {
    for (const pid of this.#children()) send(pid, 'SIGCONT')
    this.#server.thaw()
  }

  /** Its own children and nobody else's: the postmaster's id stands in the first line of its file. */
  #children(): number[] {
    try {
      const [postmaster] = readFileSync(join(this.#data, 'postmaster.pid'), 'utf8').split('\n')
      const all = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).split('\n')
      const pairs = all.map(line => line.trim().split(/\s+/))
      return pairs.filter(([, parent]) => parent === postmaster).map(([pid]) => Number(pid))
    } catch {
      return []
    }
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // gone already
  }
}

class Running implements PostgresServer {
  readonly url: string
  readonly process: PostgresProcess | null
  readonly #clear: () => Promise<void> | void
  readonly #made: string[] = []

  constructor(url: string, server: PostgresProcess | null, clear: () => Promise<void> | void) {
    this.url = url
    this.process = server
    this.#clear = clear
  }

  async database(): Promise<string> {
    const name = `quantrac_test_${randomBytes(6).toString('hex')}`
    await ask(this.url, `create database ${name} template template0 encoding 'UTF8'`)
    this.#made.push(name)
    const url = new URL(this.url)
    url.pathname = `/${name}`
    return url.href
  }

  /** A server of our own goes with all that it has; one that was given gets rid of what was made in it. */
  async dispose(): Promise<void> {
    if (this.process) await this.process.stop('SIGINT')
    else for (const name of this.#made.splice(0)) await ask(this.url, `drop database if exists ${name} with (force)`)
    await this.#clear()
  }
}

async function startContainer(): Promise<PostgresServer | Absent> {
  const { GenericContainer, getContainerRuntimeClient, Wait } = await import('testcontainers')
  const engine = await getContainerRuntimeClient().catch(() => null)
  if (!engine) return { absent: 'no QUANTRAC_TEST_POSTGRES_URL, no PostgreSQL programs here, no container engine' }
  const password = randomBytes(16).toString('hex')
  const container = await new GenericContainer(IMAGE)
    .withEnvironment({ POSTGRES_USER: 'quantrac', POSTGRES_PASSWORD: password, POSTGRES_DB: 'postgres' })
    .withExposedPorts(PORT)
    .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
    .start()
  const url = `postgres://quantrac:${password}@${container.getHost()}:${container.getMappedPort(PORT)}/postgres`
  return new Running(url, null, () => container.stop().then(() => {}))
}
