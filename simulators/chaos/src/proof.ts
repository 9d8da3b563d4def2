import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SECOND } from '#libs/model'
import { freePort } from '#libs/test-servers'
import { Api } from './api.js'
import { type AlarmsAudit, auditAlarms, auditReadings, type ReadingsAudit } from './audit.js'
import type { Victim } from './backends.js'
import { ProofError } from './errors.js'
import { type Numbered, REACH } from './numbered.js'
import { Ops } from './ops.js'
import { POINTS, type Point } from './options.js'
import { numberedStations, writeRegistry } from './registry.js'
import { Senders } from './senders.js'
import { Server } from './server.js'
import { WebhookReceiver } from './webhook-receiver.js'

export interface ProofPlan {
  /** An empty directory for everything of this proof. */
  readonly dir: string
  readonly devicesDir: string
  /** Arguments of Node that start the server, and the operator's command line. */
  readonly server: readonly string[]
  readonly ops: readonly string[]
  /** Settings that move time series and state elsewhere. */
  readonly environment: Readonly<Record<string, string>>
  readonly cycles: number
  readonly point: Point | null
  /** Killed instead of the server, which runs on. */
  readonly victim: Victim | null
  readonly longestMs: number
  readonly connections: number
  readonly window: number
  readonly say: (line: string) => void
}

export interface ProofResult extends ReadingsAudit {
  readonly acknowledged: number
  readonly repeatedRecords: number
  readonly alarms: AlarmsAudit
  readonly webhookRepeats: number
  readonly faults: readonly string[]
  readonly sessionsLost: number
  readonly p99Ms: number
}

interface Life {
  readonly url: string
  readonly environment: Readonly<Record<string, string>>
  readonly senders: Senders
}

const SHORTEST_MS = 300
/** A server that has not passed its point by then is killed from outside. */
const POINT_MS = 20_000
const SETTLE_MS = 120_000

/** One server, killed in every cycle, its clients, its webhook's receiver, and in the end the audit. */
export class Proof {
  readonly #plan: ProofPlan
  #server: Server | undefined
  #senders: Senders | undefined
  #receiver: WebhookReceiver | undefined

  constructor(plan: ProofPlan) {
    this.#plan = plan
  }

  /** Kills the server's process at once; for every way out. */
  killNow(): void {
    this.#server?.killNow()
  }

  async run(): Promise<ProofResult> {
    try {
      return await this.#run()
    } finally {
      this.#senders?.stop()
      await this.#server?.kill()
      await this.#receiver?.close()
    }
  }

  async #run(): Promise<ProofResult> {
    const { dir, devicesDir, connections, victim, window } = this.#plan
    const stations = numberedStations(connections, Math.floor((Date.now() - REACH) / SECOND) * SECOND)
    const [httpPort, mqttPort] = [await freePort(), await freePort()]
    const environment = { ...settings(dir, devicesDir, httpPort, mqttPort), ...this.#plan.environment }
    await mkdir(join(dir, 'data'), { recursive: true })
    await writeRegistry(join(dir, 'registry'), stations)
    const receiver = await WebhookReceiver.listen()
    this.#receiver = receiver
    const ops = new Ops(this.#plan.ops, environment)
    const secrets = await ops.secrets()
    const token = await ops.readerToken()
    await ops.addWebhook(receiver.url)
    const senders = new Senders({ host: '127.0.0.1', port: mqttPort, window, stations: withSecrets(stations, secrets) })
    this.#senders = senders

    const url = `http://127.0.0.1:${httpPort}`
    const life = { url, environment, senders }
    await (victim ? this.#killBeside(victim, life) : this.#killServer(life))
    const api = new Api(url, token)
    await this.#settle(senders, api)
    return this.#audit({ stations, senders, api, receiver, ops })
  }

  async #killServer(life: Life): Promise<void> {
    for (let cycle = 1; cycle <= this.#plan.cycles; cycle++) await this.#cycle(cycle, life)
    await this.#start(life.url, life.environment)
  }

  /** The server lives on; what keeps its time series or its state dies under load and comes back. */
  async #killBeside(victim: Victim, { url, environment, senders }: Life): Promise<void> {
    const { cycles, longestMs, say } = this.#plan
    const server = await this.#start(url, environment)
    senders.open()
    senders.go()
    // A login needs the state: who comes while that is away is asked to come again, which these clients do not.
    await this.#until('every station', () => senders.everyoneHeard || !server.alive)
    for (let cycle = 1; cycle <= cycles; cycle++) {
      const before = senders.acknowledged
      await sleep(SHORTEST_MS + Math.random() * (longestMs - SHORTEST_MS))
      await victim.stop('SIGKILL')
      const awayMs = Math.random() * longestMs
      await sleep(awayMs)
      await victim.start()
      if (!server.alive) throw new ProofError('QT_PROOF_SERVER', `the server died of it:\n${server.output}`)
      if (senders.refusals.length > 0) throw new ProofError('QT_PROOF_SERVER', `the server refused a client: ${senders.refusals[0]}`)
      say(`cycle ${cycle}/${cycles}: killed, away for ${Math.round(awayMs)} ms, ${senders.acknowledged - before} acknowledged meanwhile`)
    }
  }

  /** A start, load, a death. */
  async #cycle(cycle: number, life: Life): Promise<void> {
    const { point, cycles, say } = this.#plan
    const startedAt = performance.now()
    const server = await this.#start(life.url, point ? { ...life.environment, ...fault(point) } : life.environment, point !== null)
    const readyMs = performance.now() - startedAt
    const { senders } = life
    if (cycle === 1) senders.open()
    senders.go()
    const before = senders.acknowledged
    const how = point ? await this.#diesAt(server) : await this.#killedAtRandom(server, senders, before)
    if (senders.refusals.length > 0) throw new ProofError('QT_PROOF_SERVER', `the server refused a client: ${senders.refusals[0]}`)
    const acknowledged = `${senders.acknowledged - before} acknowledged meanwhile`
    say(`cycle ${cycle}/${cycles}: ready after ${Math.round(readyMs)} ms, ${how}, ${acknowledged}`)
  }

  async #diesAt(server: Server): Promise<string> {
    if (await server.diesWithin(POINT_MS)) return 'died at its point'
    await server.kill()
    return `did not reach its point in ${POINT_MS / 1_000} s, killed`
  }

  async #killedAtRandom(server: Server, senders: Senders, before: number): Promise<string> {
    await this.#until('the first acknowledgement', () => senders.acknowledged > before || !server.alive)
    const ms = SHORTEST_MS + Math.random() * (this.#plan.longestMs - SHORTEST_MS)
    if (await server.diesWithin(ms)) throw new ProofError('QT_PROOF_SERVER', `the server died by itself:\n${server.output}`)
    await server.kill()
    return `killed after ${Math.round(ms)} ms`
  }

  async #start(url: string, environment: Readonly<Record<string, string>>, mayDie = false): Promise<Server> {
    const server = new Server({ command: this.#plan.server, environment, httpUrl: url })
    this.#server = server
    const ready = await server.ready()
    if (!ready && !mayDie) throw new ProofError('QT_PROOF_SERVER', `the server did not start:\n${server.output}`)
    return server
  }

  /** Everything in flight acknowledged, every consumer at the journal's end. */
  async #settle(senders: Senders, api: Api): Promise<void> {
    senders.finish()
    await this.#until('the last acknowledgement', () => senders.inFlight === 0)
    await this.#until('the consumers', async () => (await api.lag()) === 0)
  }

  async #audit(parts: { stations: Numbered[]; senders: Senders; api: Api; receiver: WebhookReceiver; ops: Ops }): Promise<ProofResult> {
    const { stations, senders, api, receiver, ops } = parts
    const history = await api.transitions()
    // What does not arrive in time is told by the audit.
    await this.#until('the webhook', () => receiver.keys >= history.length).catch(() => undefined)
    const readings = await auditReadings(api, stations, senders)
    const { repeatedBodies } = await ops.journalRepeats()
    return {
      ...readings,
      acknowledged: senders.acknowledged,
      repeatedRecords: repeatedBodies,
      alarms: auditAlarms(history, receiver.transitions, stations, senders),
      webhookRepeats: receiver.repeats,
      faults: receiver.faults,
      sessionsLost: senders.sessionsLost,
      p99Ms: senders.ackTimes.quantiles().p99
    }
  }

  async #until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    const end = performance.now() + SETTLE_MS
    while (!(await condition())) {
      if (performance.now() > end)
        throw new ProofError('QT_PROOF_TIME', `waited ${SETTLE_MS / 1_000} s for ${what}; the server said:\n${this.#server?.output ?? ''}`)
      await sleep(10)
    }
  }
}

/** Of a server with everything in `dir`. */
export const settings = (dir: string, devicesDir: string, httpPort: number, mqttPort: number): Record<string, string> => ({
  QUANTRAC_DATA_DIR: join(dir, 'data'),
  QUANTRAC_REGISTRY_DIR: join(dir, 'registry'),
  QUANTRAC_DEVICES_DIR: devicesDir,
  QUANTRAC_DEMO: 'off',
  QUANTRAC_LOG_LEVEL: 'warn',
  QUANTRAC_HTTP_PORT: String(httpPort),
  QUANTRAC_MQTT_PORT: String(mqttPort)
})

const fault = (point: Point): Record<string, string> => ({
  QUANTRAC_FAULT_POINT: point,
  QUANTRAC_FAULT_AFTER: String(1 + Math.floor(Math.random() * POINTS[point]))
})

function withSecrets(stations: readonly Numbered[], secrets: Readonly<Record<string, string>>): (Numbered & { readonly secret: string })[] {
  return stations.map(numbered => {
    const secret = secrets[numbered.station]
    if (secret === undefined) throw new ProofError('QT_PROOF_ANSWER', `ops made no secret for ${numbered.station}`)
    return { ...numbered, secret }
  })
}
