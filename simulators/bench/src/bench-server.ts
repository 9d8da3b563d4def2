import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '#libs/test-servers'
import { Ops } from '../../chaos/src/ops.js'
import { Server } from '../../chaos/src/server.js'
import type { LoadClient } from '../../mqtt-benchmark-ts/src/index.js'
import { writeBenchRegistry } from './registry.js'

const TELEMETRY = ['--enable-source-maps', 'dist/apps/telemetry/src/main.js']
const OPS = ['dist/apps/ops/src/main.js']
const DRAINED_MS = 120_000

/** What the server says of itself at one instant. */
export interface Sample {
  /** Seconds of CPU, user and system, all threads. */
  readonly cpu: number
  readonly residentBytes: number
  readonly received: number
  readonly storedReadings: number
}

/** The built server on a data directory and a registry of its own, as a child process. */
export class BenchServer {
  readonly mqttPort: number
  readonly clients: readonly LoadClient[]
  readonly #httpUrl: string
  readonly #environment: Readonly<Record<string, string>>
  readonly #token: string
  #server: Server | null = null

  private constructor(fields: {
    mqttPort: number
    httpUrl: string
    clients: LoadClient[]
    environment: Record<string, string>
    token: string
  }) {
    this.mqttPort = fields.mqttPort
    this.clients = fields.clients
    this.#httpUrl = fields.httpUrl
    this.#environment = fields.environment
    this.#token = fields.token
  }

  static async prepare(dir: string, stations: number, tested: boolean): Promise<BenchServer> {
    const [httpPort, mqttPort] = [await freePort(), await freePort()]
    const registry = join(dir, 'registry')
    await writeBenchRegistry(registry, stations, tested)
    const environment = {
      QUANTRAC_DATA_DIR: join(dir, 'data'),
      QUANTRAC_REGISTRY_DIR: registry,
      QUANTRAC_DEMO: 'off',
      QUANTRAC_HTTP_PORT: String(httpPort),
      QUANTRAC_MQTT_PORT: String(mqttPort)
    }
    const ops = new Ops(OPS, environment)
    const secrets = Object.entries(await ops.secrets())
    const clients = secrets.map(([code, secret]) => ({ clientId: `bench-${code}`, station: code, username: code, password: secret }))
    return new BenchServer({ mqttPort, httpUrl: `http://127.0.0.1:${httpPort}`, clients, environment, token: await ops.readerToken() })
  }

  /** Starts it and waits until it is ready; returns how long that took, in milliseconds. */
  async start(): Promise<number> {
    const began = performance.now()
    this.#server = new Server({ command: TELEMETRY, environment: this.#environment, httpUrl: this.#httpUrl })
    if (!(await this.#server.ready())) throw new Error(`the server ended:\n${this.#server.output}`)
    return performance.now() - began
  }

  killNow(): void {
    this.#server?.killNow()
  }

  async end(): Promise<void> {
    await this.#server?.kill()
  }

  async get(path: string): Promise<unknown> {
    const response = await fetch(this.#httpUrl + path, { headers: { authorization: `Bearer ${this.#token}` } })
    if (!response.ok) throw new Error(`GET ${path}: ${response.status}`)
    return response.json()
  }

  async sample(): Promise<Sample> {
    const text = await (await fetch(`${this.#httpUrl}/metrics`)).text()
    const figure = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? 0)
    return {
      cpu: figure('quantrac_process_cpu_seconds_total'),
      residentBytes: figure('quantrac_process_resident_memory_bytes'),
      received: figure('quantrac_messages_received_total\\{road="mqtt"\\}'),
      storedReadings: figure('quantrac_store_readings_total\\{outcome="stored"\\}')
    }
  }

  /** Waits until every consumer has read everything; returns how long that took, in milliseconds. */
  async drained(): Promise<number> {
    const began = performance.now()
    for (;;) {
      const { consumers } = (await this.get('/health/ready')) as { consumers: { lag: number }[] }
      if (consumers.length > 0 && consumers.every(consumer => consumer.lag === 0)) return performance.now() - began
      if (performance.now() - began > DRAINED_MS) throw new Error(`the consumers did not catch up in ${DRAINED_MS} ms`)
      await sleep(50)
    }
  }
}
