import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { chownSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { freePort } from '#libs/test-servers'
import { type Compose, interpolate, serviceOf } from './compose.js'
import { eventually } from './server.js'

/** Where the programs of the images are on this machine. */
export interface Programs {
  readonly influxd: string
  readonly initdb: string
}

/**
 * The services of docker-compose.yml as processes of this machine, started with the variables and commands that stand in the file.
 * What differs is where things are: other ports, a folder for volumes, loopback for the network. What the images' own entry points
 * do with their variables is done by hand.
 */
export class ByHand {
  readonly dir = mkdtempSync(join(tmpdir(), 'quantrac-by-hand-'))
  readonly #compose: Compose
  readonly #programs: Programs
  readonly #ports: Readonly<Record<string, number>>
  readonly #running: { readonly name: string; readonly child: ChildProcess; readonly signal: NodeJS.Signals }[] = []
  output = ''

  private constructor(compose: Compose, programs: Programs, ports: Readonly<Record<string, number>>) {
    this.#compose = compose
    this.#programs = programs
    this.#ports = ports
  }

  /** Makes the secrets and the volumes. */
  static async prepare(compose: Compose, programs: Programs): Promise<ByHand> {
    const names = ['8086', '5432', '8080', '1883']
    const ports: Record<string, number> = {}
    for (const name of names) ports[name] = await freePort()
    const hand = new ByHand(compose, programs, ports)
    mkdirSync(join(hand.dir, 'deploy'))
    cpSync('deploy/make-secrets.sh', join(hand.dir, 'deploy/make-secrets.sh'))
    execFileSync('sh', [join(hand.dir, 'deploy/make-secrets.sh')])
    writeFileSync(hand.path('secrets/state_url'), hand.here(readFileSync(hand.path('secrets/state_url'), 'utf8')))
    for (const volume of ['telemetry', 'prometheus', 'grafana']) mkdirSync(hand.path(`generated/${volume}`), { recursive: true })
    for (const volume of ['data', 'tmp', 'influxdb', 'postgres']) mkdirSync(hand.path(volume))
    return hand
  }

  path(name: string): string {
    return join(this.dir, name)
  }

  secret(name: string): string {
    return readFileSync(this.path(`secrets/${name}`), 'utf8')
  }

  port(inside: '8086' | '5432' | '8080' | '1883'): number {
    return Number(this.#ports[inside])
  }

  /** A value of the file as it must be here: hosts, ports, paths of volumes and mounts. */
  here(value: string): string {
    const places = {
      '/run/secrets': this.path('secrets'),
      '/generated': this.path('generated'),
      '/data': this.path('data'),
      '/tmp': this.path('tmp'),
      '/etc/quantrac/registry': resolve('devices/registry')
    }
    const text = interpolate(value)
    for (const [inside, outside] of Object.entries(places)) {
      if (text === inside || text.startsWith(`${inside}/`)) return `${outside}${text.slice(inside.length)}`
    }
    const address = /\b(?:influxdb|postgres|telemetry):(\d{4})\b/g
    return text.replace(address, (_all, port: string) => `127.0.0.1:${this.#ports[port]}`).replace('0.0.0.0', '127.0.0.1')
  }

  environmentOf(name: string): Record<string, string> {
    const entries = Object.entries(serviceOf(this.#compose, name).environment ?? {})
    const here: Record<string, string> = Object.fromEntries(entries.map(([key, value]) => [key, this.here(value)]))
    // The volume of its tokens is mounted at /generated; `setup` sees all of them below it.
    const token = this.path('generated/telemetry/influx_token')
    return { PATH: String(process.env['PATH']), ...here, ...(name === 'telemetry' ? { QUANTRAC_INFLUX_TOKEN_FILE: token } : {}) }
  }

  /** influxd with its variables; then the setup call that the image's entry point makes with the others. */
  async influxdb(): Promise<void> {
    const environment = this.environmentOf('influxdb')
    const files = Object.entries({ bolt: 'BOLT_PATH', engine: 'ENGINE_PATH', sqlite: 'SQLITE_PATH' })
    for (const [file, key] of files) environment[`INFLUXD_${key}`] = join(this.path('influxdb'), file)
    const address = `127.0.0.1:${this.port('8086')}`
    this.#start('influxdb', [this.#programs.influxd], { ...environment, INFLUXD_HTTP_BIND_ADDRESS: address })
    await this.#until(async () => (await fetch(`http://${address}/health`).catch(() => null))?.ok, 'influxd answers')
    const value = (key: string): string => environment[`DOCKER_INFLUXDB_INIT_${key}`] ?? ''
    const setup = {
      username: value('USERNAME'),
      password: readFileSync(value('PASSWORD_FILE'), 'utf8'),
      token: readFileSync(value('ADMIN_TOKEN_FILE'), 'utf8'),
      org: value('ORG'),
      bucket: value('BUCKET')
    }
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(setup) }
    const answer = await fetch(`http://${address}/api/v2/setup`, init)
    if (answer.status !== 201) throw new Error(`InfluxDB's setup answers ${answer.status}: ${await answer.text()}`)
  }

  /** initdb with the arguments of the file, the server, and the database, as the image's entry point does. */
  async postgres(): Promise<void> {
    const environment = this.environmentOf('postgres')
    const user = unprivileged()
    const data = this.path('postgres')
    const password = join(data, 'password')
    cpSync(String(environment['POSTGRES_PASSWORD_FILE']), password)
    if (user) for (const path of [data, password]) chownSync(path, user.uid, user.gid)
    if (user) execFileSync('chmod', ['0711', this.dir])
    const bin = dirname(this.#programs.initdb)
    const args = String(environment['POSTGRES_INITDB_ARGS']).split(' ')
    const role = String(environment['POSTGRES_USER'])
    const how = ['-D', join(data, 'db'), '-U', role, '--pwfile', password, '--locale=C.UTF-8', '-E', 'UTF8', '--no-sync', ...args]
    execFileSync(this.#programs.initdb, how, { cwd: data, stdio: 'pipe', ...user })
    const port = String(this.port('5432'))
    const settings = ['listen_addresses=127.0.0.1', `port=${port}`, 'unix_socket_directories=']
    const command = [join(bin, 'postgres'), '-D', join(data, 'db'), ...settings.flatMap(setting => ['-c', setting])]
    this.#start('postgres', command, { PATH: environment['PATH'] ?? '' }, { cwd: data, ...user })
    const [, ...health] = (serviceOf(this.#compose, 'postgres').healthcheck as { test: string[] }).test
    const ready = () => spawnSync(join(bin, String(health[0])), [...health.slice(1), `--port=${port}`]).status === 0
    await this.#until(async () => ready(), 'PostgreSQL is ready')
    const login = { PGPASSWORD: readFileSync(String(environment['POSTGRES_PASSWORD_FILE']), 'utf8'), PATH: environment['PATH'] }
    const database = String(environment['POSTGRES_DB'])
    execFileSync(join(bin, 'createdb'), ['--host=127.0.0.1', `--port=${port}`, `--username=${role}`, database], { env: login })
  }

  /** Runs to its end. */
  setup(): string {
    const [command, ...args] = this.#commandOf('setup')
    const { status, stdout, stderr } = spawnSync(String(command), args, { env: this.environmentOf('setup'), encoding: 'utf8' })
    if (status !== 0) throw new Error(`setup ended with ${status}: ${stdout}${stderr}`)
    return stdout
  }

  async telemetry(): Promise<void> {
    const environment = this.telemetryEnvironment()
    this.#start('telemetry', this.#commandOf('telemetry'), environment)
    const [, ...health] = (serviceOf(this.#compose, 'telemetry').healthcheck as { test: string[] }).test
    const healthy = () => spawnSync(process.execPath, health.slice(1), { env: environment }).status === 0
    await this.#until(async () => healthy(), 'the server is healthy')
  }

  telemetryEnvironment(): Record<string, string> {
    const ports = { QUANTRAC_HTTP_PORT: String(this.port('8080')), QUANTRAC_MQTT_PORT: String(this.port('1883')) }
    return { ...this.environmentOf('telemetry'), ...ports }
  }

  async fleet(): Promise<void> {
    this.#start('fleet', this.#commandOf('fleet'), this.environmentOf('fleet'))
  }

  /** `docker compose exec telemetry ops …` */
  ops(...words: string[]): string {
    const script = readFileSync('deploy/container/ops', 'utf8').replace('/app/', `${resolve('.')}/`)
    return execFileSync('sh', ['-c', script, 'ops', ...words], { env: this.telemetryEnvironment(), encoding: 'utf8' }).trim()
  }

  /** Stops everything, what was started last first, each with the signal that Compose would send. */
  async dispose(): Promise<void> {
    for (const { child, signal } of this.#running.splice(0).reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const gone = new Promise(settle => child.once('exit', settle))
      child.kill(signal)
      const timer = setTimeout(() => child.kill('SIGKILL'), 15_000)
      await gone
      clearTimeout(timer)
    }
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 3 })
  }

  /** The command of the file, else that of the image. */
  #commandOf(name: string): string[] {
    const image = JSON.parse(String(/^CMD (\[.*\])$/m.exec(readFileSync('Dockerfile', 'utf8'))?.[1])) as string[]
    const [program, ...args] = (serviceOf(this.#compose, name).command ?? image).map(word => this.here(word))
    return [program === 'node' ? process.execPath : String(program), ...args]
  }

  async #until(ask: () => Promise<boolean | undefined>, what: string): Promise<void> {
    await eventually(ask, what, 60_000).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.output.slice(-4_000)}`)
    })
  }

  #start(name: string, [program = '', ...args]: string[], env: Record<string, string>, user = {}): void {
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'], ...user })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (this.output += `${name}: ${String(chunk)}`))
    process.once('exit', () => child.kill('SIGKILL'))
    this.#running.push({ name, child, signal: serviceOf(this.#compose, name).stop_signal ?? 'SIGTERM' })
  }
}

/** PostgreSQL does not run as root. */
function unprivileged(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const users = readFileSync('/etc/passwd', 'utf8').split('\n')
  const [, , uid, gid] = (users.find(line => /^(postgres|nobody):/.test(line)) ?? '').split(':')
  return { uid: Number(uid), gid: Number(gid) }
}

/** The services in an order in which each comes after those that it waits for. */
export function startOrder(compose: Compose): string[] {
  const order: string[] = []
  const visit = (name: string): void => {
    if (order.includes(name)) return
    Object.keys(serviceOf(compose, name).depends_on ?? {}).forEach(visit)
    order.push(name)
  }
  Object.keys(compose.services).forEach(visit)
  return order
}
