import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DAY, SECOND } from '#libs/model'
import { freePort } from '#libs/test-servers'
import { Api } from '../api.js'
import { ProofError } from '../errors.js'
import { PARAMETERS } from '../numbered.js'
import { Ops } from '../ops.js'
import { numberedStations, writeRegistry } from '../registry.js'
import { Server } from '../server.js'
import type { FarSide } from './far-side.js'
import { Publisher } from './load.js'
import type { RowAudit } from './rows.js'
import { auditRows, isClean, Revisions, type Row, rowOf } from './rows.js'

export interface ForwardPlan {
  /** An empty directory for everything of this proof. */
  readonly dir: string
  readonly devicesDir: string
  readonly server: readonly string[]
  readonly ops: readonly string[]
  readonly far: FarSide
  readonly stations: number
  readonly disturbedMs: number
  readonly random: () => number
  readonly say: (line: string) => void
}

export interface ForwardResult extends RowAudit {
  readonly acknowledged: number
  readonly serverKills: number
  readonly farKills: number
  readonly highestRevision: number
  readonly complaints: readonly string[]
}

const SETTLE_MS = 240_000
const LONGEST_AWAY_MS = 6_000
const PERIODS = ['hour', 'day', 'month'] as const

/** One server, one warehouse, stations that publish; both are killed at random, and in the end their tables are compared. */
export class ForwardProof {
  readonly #plan: ForwardPlan
  readonly #revisions = new Revisions()
  readonly #complaints: string[] = []
  #server: Server | undefined
  #publishers: Publisher[] = []
  #kills = { server: 0, far: 0 }

  constructor(plan: ForwardPlan) {
    this.#plan = plan
  }

  /** Kills the server's process at once; for every way out. */
  killNow(): void {
    this.#server?.killNow()
  }

  async run(): Promise<ForwardResult> {
    try {
      return await this.#run()
    } finally {
      for (const publisher of this.#publishers) publisher.stopNow()
      await this.#server?.kill()
    }
  }

  async #run(): Promise<ForwardResult> {
    const { dir, far, say } = this.#plan
    const stations = numberedStations(this.#plan.stations, Date.now()).map(({ station }) => station)
    const [httpPort, mqttPort] = [await freePort(), await freePort()]
    const environment = { ...this.#settings(httpPort, mqttPort), ...far.environment }
    await mkdir(join(dir, 'data'), { recursive: true })
    await writeRegistry(join(dir, 'registry'), numberedStations(this.#plan.stations, Date.now()))
    const ops = new Ops(this.#plan.ops, environment)
    const secrets = await ops.secrets()
    const url = `http://127.0.0.1:${httpPort}`
    const start = () => this.#start(url, environment)
    await start()
    const api = new Api(url, await ops.readerToken())
    this.#publishers = stations.map(
      station => new Publisher(`mqtt://127.0.0.1:${mqttPort}`, { station, secret: secrets[station] ?? '' }, this.#plan.random)
    )
    const publishing = this.#publishers.map(publisher => publisher.run())
    await this.#disturb(start)
    await Promise.all(this.#publishers.map(publisher => publisher.finish()))
    await Promise.all(publishing)
    await far.behave()
    const acknowledged = this.#publishers.reduce((sum, publisher) => sum + publisher.acknowledged, 0)
    say(`${acknowledged} messages acknowledged; letting everything settle`)
    const audit = await this.#settle({ api, ops, stations })
    await this.#compare(ops)
    this.#complaints.push(...(await far.complaints()))
    return {
      ...audit,
      acknowledged,
      serverKills: this.#kills.server,
      farKills: this.#kills.far,
      highestRevision: this.#revisions.highest,
      complaints: this.#complaints
    }
  }

  /** One trouble after the other until the time is over; both sides are up again at the end. */
  async #disturb(start: () => Promise<void>): Promise<void> {
    const { disturbedMs, far, random, say } = this.#plan
    const until = performance.now() + disturbedMs
    while (performance.now() < until) {
      await sleep((1 + 3 * random()) * SECOND)
      const kind = random()
      const awayMs = Math.round(random() * LONGEST_AWAY_MS)
      if (kind < 0.35) {
        await this.#server?.kill()
        this.#kills.server++
        say('server killed')
        await start()
      } else if (kind < 0.65) {
        await far.kill()
        this.#kills.far++
        say(`warehouse killed, away for ${awayMs} ms`)
        await sleep(awayMs)
        await far.start()
        this.#look(await far.rows())
      } else {
        const faults = await far.misbehave(random)
        if (faults === null) continue
        say(`warehouse misbehaves for ${awayMs} ms: ${faults}`)
        await sleep(awayMs)
        await far.behave()
      }
    }
  }

  #look(rows: readonly Row[]): void {
    const fallen = this.#revisions.look(rows)
    if (fallen > 0) this.#complaints.push(`${fallen} rows of the warehouse went or fell to a lower revision`)
  }

  /** Until both sides agree twice in a row, or for as long as a proof may wait; what they then differ in is the result. */
  async #settle({ api, ops, stations }: { api: Api; ops: Ops; stations: readonly string[] }): Promise<RowAudit> {
    const end = performance.now() + SETTLE_MS
    for (let clean = 0; ; ) {
      const idle = (await api.lag()) === 0 && /^fresh 0 waiting 0 /m.test(await this.#status(ops))
      const theirs = await this.#plan.far.rows()
      this.#look(theirs)
      const audit = auditRows(await ours(api, stations), theirs)
      clean = idle && isClean(audit) ? clean + 1 : 0
      if (clean === 2 || performance.now() > end) return audit
      await sleep(3 * SECOND)
    }
  }

  /** What was rejected is sent again: the refusals of a misbehaving warehouse are no facts. */
  async #status(ops: Ops): Promise<string> {
    const status = await ops.run('forward', 'status')
    if (!/ rejected 0$/m.test(status)) await ops.run('forward', 'redo', '--rejected')
    return status
  }

  /** The comparison of checksums must find what we have found: nothing. */
  async #compare(ops: Ops): Promise<void> {
    await ops.run('forward', 'compare', '--from', new Date(Date.now() - 100 * DAY).toISOString())
    const end = performance.now() + SETTLE_MS
    for (;;) {
      const status = await ops.run('forward', 'status')
      if (!status.includes('comparisons ordered')) {
        if (!/^compared .* differing 0 /m.test(status)) this.#complaints.push(`the comparison of checksums found differences: ${status}`)
        return
      }
      if (performance.now() > end) throw new ProofError('QT_PROOF_TIME', `the comparison did not end:\n${this.#server?.output ?? ''}`)
      await sleep(SECOND)
    }
  }

  async #start(url: string, environment: Readonly<Record<string, string>>): Promise<void> {
    const server = new Server({ command: this.#plan.server, environment, httpUrl: url })
    this.#server = server
    if (!(await server.ready())) throw new ProofError('QT_PROOF_SERVER', `the server did not start:\n${server.output}`)
  }

  #settings(httpPort: number, mqttPort: number): Record<string, string> {
    return {
      QUANTRAC_DATA_DIR: join(this.#plan.dir, 'data'),
      QUANTRAC_REGISTRY_DIR: join(this.#plan.dir, 'registry'),
      QUANTRAC_DEVICES_DIR: this.#plan.devicesDir,
      QUANTRAC_DEMO: 'off',
      QUANTRAC_LOG_LEVEL: 'warn',
      QUANTRAC_HTTP_PORT: String(httpPort),
      QUANTRAC_MQTT_PORT: String(mqttPort),
      QUANTRAC_WAREHOUSE_MAX_ITEMS: '50'
    }
  }
}

/** What the server tells to be published, over its API. */
async function ours(api: Api, stations: readonly string[]): Promise<Row[]> {
  const rows: Row[] = []
  for (const station of stations)
    for (const parameter of PARAMETERS)
      for (const period of PERIODS)
        for await (const told of api.aggregates(station, parameter, period)) if (told['provisional'] !== true) rows.push(rowOf(told))
  return rows
}
