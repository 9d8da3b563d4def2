/** A real broker on a free port and a temporary folder, and clients for it. Everything opened here is closed by `closeAll`. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { connect, connectAsync, type IClientOptions, type MqttClient, type OnMessageCallback } from 'mqtt'
import { AedesBroker, type BrokerOptions, type Inbound, type Limits } from '../src/index.js'

export const SECRET = 'correct-secret'
export const TOKEN = 'reader-token'

const opened: (() => unknown)[] = []

export async function closeAll(): Promise<void> {
  for (const close of opened.splice(0).reverse()) await close()
}

export function onClose(close: () => unknown): void {
  opened.push(close)
}

export async function temporaryDir(): Promise<string> {
  const dir = await mkdtemp(`${tmpdir()}/quantrac-broker-`)
  onClose(() => rm(dir, { recursive: true }))
  return dir
}

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error'
  readonly fields: object
  readonly message: string
}

export interface HarnessOptions extends Partial<Pick<BrokerOptions, 'onPublish' | 'authenticate' | 'now' | 'ports' | 'certificates'>> {
  readonly limits?: Partial<Limits>
  /** A folder that is there already. */
  readonly dir?: string
}

const authenticate: BrokerOptions['authenticate'] = (user, password) => {
  const given = Buffer.from(password ?? []).toString()
  if (user === 'token' && given === TOKEN) return { kind: 'token', name: 'desk', role: 'reader' }
  return user !== undefined && given === SECRET ? { kind: 'station', code: user } : null
}

export class Harness {
  broker!: AedesBroker
  readonly log: LogLine[] = []
  /** What `onPublish` was given, payloads copied. */
  readonly received: Inbound[] = []
  readonly dir: string
  readonly #options: HarnessOptions

  private constructor(dir: string, options: HarnessOptions) {
    this.dir = dir
    this.#options = options
  }

  static async open(options: HarnessOptions = {}): Promise<Harness> {
    const dir = options.dir ?? (await temporaryDir())
    const harness = new Harness(dir, options)
    await harness.start()
    onClose(() => harness.broker.close())
    return harness
  }

  async start(): Promise<void> {
    const { limits = {}, onPublish, now = Date.now, ports = { tcp: 0 }, certificates } = this.#options
    const line = (level: LogLine['level']) => (fields: object, message: string) => void this.log.push({ level, fields, message })
    this.broker = await AedesBroker.listen({
      host: '127.0.0.1',
      ports,
      ...(certificates ? { certificates } : {}),
      dataDir: this.dir,
      limits: { loginDelayMs: 1, ...limits },
      authenticate: this.#options.authenticate ?? authenticate,
      onPublish: message => {
        this.received.push({ ...message, payload: Uint8Array.from(message.payload) })
        return onPublish ? onPublish(message) : Promise.resolve()
      },
      log: { info: line('info'), warn: line('warn'), error: line('error') },
      now
    })
  }

  /** Of the plain listener. */
  get port(): number {
    return this.broker.ports.tcp ?? 0
  }

  async restart(): Promise<void> {
    await this.broker.close()
    await this.start()
  }

  /** A standard client, connected as a station. */
  connect(station: string, options: IClientOptions = {}): Promise<MqttClient> {
    return connectTo(this.port, { clientId: `${station}-1`, username: station, password: SECRET, ...options })
  }

  /** A program that may subscribe alarms. */
  connectReader(options: IClientOptions = {}): Promise<MqttClient> {
    return connectTo(this.port, { clientId: 'desk', username: 'token', password: TOKEN, ...options })
  }

  payloads(): string[] {
    return this.received.map(({ payload }) => Buffer.from(payload).toString())
  }
}

export async function connectTo(port: number, options: IClientOptions): Promise<MqttClient> {
  const client = await connectAsync({ host: '127.0.0.1', port, reconnectPeriod: 0, connectTimeout: 5_000, ...options })
  onClose(() => client.endAsync(true))
  client.on('error', () => undefined)
  return client
}

/** The same, with a listener that stands before the session does: what is queued may come with the answer to CONNECT. */
export async function connectHearing(port: number, options: IClientOptions, onMessage: OnMessageCallback): Promise<MqttClient> {
  const client = connect({ host: '127.0.0.1', port, reconnectPeriod: 0, connectTimeout: 5_000, ...options })
  onClose(() => client.endAsync(true))
  client.on('error', () => undefined).on('message', onMessage)
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve()).once('close', () => reject(new Error('the connection was closed')))
  })
  return client
}

/** The next `count` messages, as `topic payload qos`. */
export function messages(client: MqttClient, count: number): Promise<string[]> {
  const seen: string[] = []
  return new Promise(resolve => {
    client.on('message', (topic, payload, { qos }) => {
      seen.push(`${topic} ${payload.toString()} ${qos}`)
      if (seen.length === count) resolve(seen)
    })
  })
}

/** Waits until a condition holds; Jest's own time limit ends it when it never does. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 5))
}

export const topicOf = (station: string, part: string): string => `quantrac/v1/${station}/${part}`
