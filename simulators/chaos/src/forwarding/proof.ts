import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DAY, SECOND } from '#libs/model'
import { freePort } from '#libs/test-servers'
import { Api } from '../api.js'
import { ProofError } from '../errors.js'
import { Ops } from '../ops.js'
import { settings } from '../proof.js'
import { writeEntries } from '../registry.js'
import { Server } from '../server.js'
import { Dice } from './dice.js'
import type { FarSide } from './far-side.js'
import { ForwardLoad } from './load.js'
import { agree, compareRows, type Differences, keyOf, type Row } from './rows.js'
import { type ForwardStation, forwardStations, StationScript } from './script.js'
import { RevisionWatch } from './watch.js'

export interface ForwardPlan {
  /** An empty directory for everything of this proof. */
  readonly dir: string
  readonly devicesDir: string
  /** Arguments of Node that start the server, and the operator's command line. */
  readonly server: readonly string[]
  readonly ops: readonly string[]
  /** Settings that move time series and state elsewhere. */
  readonly environment: Readonly<Record<string, string>>
  readonly warehouse: FarSide
  readonly stations: number
  readonly seed: number
  readonly disturbedMs: number
  readonly settleMs: number
  readonly say: (line: string) => void
}

export interface ForwardResult {
  readonly differences: Differences
  readonly serverKills: number
  readonly warehouseKills: number
  readonly acknowledged: Readonly<Record<string, number>>
  /** Readings that were acknowledged, and readings in the hours of all series, as the server counts them. */
  readonly readings: { readonly sent: number; readonly counted: number }
  /** Rows with a revision above 1, and the highest. */
  readonly revised: { readonly rows: number; readonly highest: number }
  /** Answers of the warehouse as the server heard them in all its lives, up to half a second before each kill. */
  readonly forwarded: Readonly<Record<string, number>>
  readonly account: { readonly words: string; readonly violations: number }
  /** What was not as it must be while it ran. */
  readonly faults: readonly string[]
}

/** Many batches, and so many moments between two of them. */
const SMALL_BATCHES = { QUANTRAC_WAREHOUSE_MAX_ITEMS: '50' }
const PERIODS = ['hour', 'day', 'month'] as const
/** More than the oldest reading's age. */
const COMPARED = 100 * DAY
const ACKNOWLEDGED_MS = 120_000
/** Both sides must be found equal twice, so far apart: a window rests two seconds before it is summed up again. */
const STILL_MS = 4_000
/** A warehouse that is away is told its next fault so soon after it is back. */
const AWAY_MS = 200
const LOOK_EVERY_MS = 5_000

/** One server that is killed again and again, a warehouse that is killed and misbehaves, and in the end the comparison. */
export class ForwardProof {
  readonly #plan: ForwardPlan
  readonly #stations: readonly ForwardStation[]
  readonly #watch = new RevisionWatch()
  readonly #forwarded = new Map<string, number>()
  /** Over when the load's time is, or when one of those who kill has failed. */
  readonly #over = new AbortController()
  readonly #complaints: string[] = []
  #server: Server | undefined
  #load: ForwardLoad | undefined
  #serverKills = 0
  #warehouseKills = 0

  constructor(plan: ForwardPlan) {
    this.#plan = plan
    this.#stations = forwardStations(plan.stations)
  }

  /** Kills the server's process at once; for every way out. */
  killNow(): void {
    this.#server?.killNow()
  }

  async run(): Promise<ForwardResult> {
    try {
      return await this.#run()
    } finally {
      this.#over.abort()
      await this.#load?.close()
      await this.#server?.kill()
    }
  }

  async #run(): Promise<ForwardResult> {
    const { dir, devicesDir, seed, disturbedMs, warehouse, say } = this.#plan
    const [httpPort, mqttPort] = [await freePort(), await freePort()]
    const environment = {
      ...settings(dir, devicesDir, httpPort, mqttPort),
      ...SMALL_BATCHES,
      ...this.#plan.environment,
      ...warehouse.environment
    }
    await mkdir(join(dir, 'data'), { recursive: true })
    await writeEntries(
      join(dir, 'registry'),
      this.#stations.map(({ entry }) => entry)
    )
    const ops = new Ops(this.#plan.ops, environment)
    const secrets = await ops.secrets()
    const url = `http://127.0.0.1:${httpPort}`
    const api = new Api(url, await ops.readerToken())
    await this.#start(url, environment)
    const load = new ForwardLoad({ url: `mqtt://127.0.0.1:${mqttPort}`, stations: this.#stations.map(s => withScript(s, secrets, seed)) })
    this.#load = load
    load.start()

    const time = setTimeout(() => this.#over.abort(), disturbedMs)
    await this.#together([
      () => this.#killServer(api, url, environment),
      () => this.#killWarehouse(),
      () => this.#misbehave(),
      () => this.#operate(ops),
      () => this.#look(api)
    ]).finally(() => clearTimeout(time))
    say(`load and kills are over: ${this.#serverKills} of the server, ${this.#warehouseKills} of the warehouse`)
    await load.finish(ACKNOWLEDGED_MS)
    await warehouse.behave()
    const differences = await this.#settle(api, ops)
    await this.#compareChecksums(ops)
    await this.#count(api)
    return this.#result(api, differences, load)
  }

  /** Runs them side by side; the first failure ends all. */
  async #together(works: readonly (() => Promise<void>)[]): Promise<void> {
    const failed = (error: unknown): never => {
      this.#over.abort()
      throw error
    }
    const results = await Promise.allSettled(works.map(work => work().catch(failed)))
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  async #killServer(api: Api, url: string, environment: Readonly<Record<string, string>>): Promise<void> {
    const dice = new Dice(this.#plan.seed, 'server')
    while (!this.#over.signal.aborted) {
      await this.#pause(dice.between(1_000, 9_000))
      const server = this.#server
      if (!server?.alive) throw new ProofError('QT_PROOF_SERVER', `the server died by itself:\n${server?.output}`)
      await this.#count(api)
      await server.kill()
      this.#serverKills++
      await this.#pause(dice.between(0, 1_500))
      await this.#start(url, environment)
    }
  }

  async #killWarehouse(): Promise<void> {
    const { warehouse, say, seed } = this.#plan
    const dice = new Dice(seed, 'warehouse')
    while (!this.#over.signal.aborted) {
      await this.#pause(dice.between(2_000, 14_000))
      await warehouse.kill()
      this.#warehouseKills++
      const away = dice.between(100, 5_000)
      await this.#pause(away)
      await warehouse.comeBack()
      say(`${this.#warehouseKills} kills of the warehouse, which was away for ${Math.round(away)} ms`)
    }
  }

  async #misbehave(): Promise<void> {
    const { warehouse, say, seed } = this.#plan
    const dice = new Dice(seed, 'faults')
    while (!this.#over.signal.aborted) {
      // It may just be away: then that is the fault.
      const fault = await warehouse.misbehave(dice).catch(() => null)
      if (fault) say(`the warehouse misbehaves: ${fault}`)
      await this.#pause(fault ? dice.between(300, 2_500) : AWAY_MS)
      await warehouse.behave().catch(() => undefined)
      await this.#pause(fault ? dice.between(300, 2_000) : 0)
    }
  }

  /** What people do meanwhile. In the first half only: a comparison would heal what the forwarder has lost. */
  async #operate(ops: Ops): Promise<void> {
    const dice = new Dice(this.#plan.seed, 'people')
    const end = performance.now() + this.#plan.disturbedMs / 2
    for (;;) {
      await this.#pause(dice.between(4_000, 16_000))
      if (performance.now() > end || this.#over.signal.aborted) return
      const station = dice.pick(this.#stations as [ForwardStation, ...ForwardStation[]]).entry.code
      const from = new Date(Date.now() - COMPARED).toISOString()
      const words = dice.pick([
        ['redo', '--rejected'],
        ['redo', '--station', station],
        ['compare', '--from', from]
      ])
      const said = await ops.run('forward', ...words)
      this.#plan.say(`forward ${words.join(' ')}: ${said.trim()}`)
    }
  }

  /** Now and then: what holds at every moment. Either side may be away. */
  async #look(api: Api): Promise<void> {
    const { warehouse, seed } = this.#plan
    const dice = new Dice(seed, 'look')
    while (!this.#over.signal.aborted) {
      await this.#pause(LOOK_EVERY_MS)
      const there = await warehouse.rows().catch(() => null)
      if (!there) continue
      this.#watch.look(there)
      const { entry } = dice.pick(this.#stations as [ForwardStation, ...ForwardStation[]])
      const here = await this.#published(api, entry.code).catch(() => null)
      if (here)
        this.#watch.compare(
          there.filter(({ station }) => station === entry.code),
          here
        )
    }
  }

  /** Until both sides are found equal twice and nothing has changed in between; what differs in the end is told, not thrown. */
  async #settle(api: Api, ops: Ops): Promise<Differences> {
    const end = performance.now() + this.#plan.settleMs
    let before = ''
    for (;;) {
      if ((await api.lag()) === 0 && /rejected [1-9]/.test(await ops.run('forward', 'status')))
        await ops.run('forward', 'redo', '--rejected')
      const here = await this.#everything(api)
      const there = await this.#plan.warehouse.rows()
      this.#watch.look(there)
      const differences = compareRows(here, there)
      const state = here.map(row => `${keyOf(row)} ${row.revision}`).join('\n')
      const still = agree(differences) && state === before && (await api.lag()) === 0
      if (still || performance.now() > end) return differences
      before = state
      await sleep(STILL_MS)
      if (!this.#server?.alive) throw new ProofError('QT_PROOF_SERVER', `the server died by itself:\n${this.#server?.output}`)
    }
  }

  /** The nightly comparison of checksums must find what the comparison of rows finds: nothing. */
  async #compareChecksums(ops: Ops): Promise<void> {
    await ops.run('forward', 'compare', '--from', new Date(Date.now() - COMPARED).toISOString())
    const end = performance.now() + this.#plan.settleMs
    for (;;) {
      const status = await ops.run('forward', 'status')
      if (!status.includes('comparisons ordered')) {
        if (!/^compared .* differing 0 /m.test(status))
          this.#complaints.push(`the comparison of checksums finds differences: ${status.trim()}`)
        return
      }
      if (performance.now() > end) {
        this.#complaints.push('the comparison of checksums does not end')
        return
      }
      await sleep(SECOND)
    }
  }

  async #everything(api: Api): Promise<Row[]> {
    const rows: Row[] = []
    for (const { entry } of this.#stations) rows.push(...(await this.#published(api, entry.code)))
    return rows
  }

  async #published(api: Api, station: string): Promise<Row[]> {
    return (await this.#aggregates(api, station, PERIODS)).filter(({ provisional }) => !provisional)
  }

  async #aggregates(api: Api, station: string, periods: readonly Row['period'][]) {
    const { entry } = this.#stations.find(({ entry: { code } }) => code === station) as ForwardStation
    const found: (Row & { provisional: boolean })[] = []
    for (const parameter of entry.parameters ?? [])
      for (const period of periods) for await (const row of api.aggregates(station, parameter, period)) found.push(row)
    return found
  }

  /** Readings that the server counts in the hours of all series, also of those that are open. */
  async #counted(api: Api): Promise<number> {
    let total = 0
    for (const { entry } of this.#stations) for (const { received } of await this.#aggregates(api, entry.code, ['hour'])) total += received
    return total
  }

  async #result(api: Api, differences: Differences, load: ForwardLoad): Promise<ForwardResult> {
    return {
      differences,
      serverKills: this.#serverKills,
      warehouseKills: this.#warehouseKills,
      acknowledged: load.acknowledged,
      readings: { sent: load.readings, counted: await this.#counted(api) },
      revised: this.#watch.revised,
      forwarded: Object.fromEntries(this.#forwarded),
      account: await this.#plan.warehouse.account(),
      faults: [...this.#watch.faults, ...this.#complaints]
    }
  }

  /** The server's own counts begin anew with each life. */
  async #count(api: Api): Promise<void> {
    for (const [outcome, count] of Object.entries(await api.forwarded()))
      this.#forwarded.set(outcome, (this.#forwarded.get(outcome) ?? 0) + count)
  }

  async #start(url: string, environment: Readonly<Record<string, string>>): Promise<void> {
    const began = performance.now()
    const server = new Server({ command: this.#plan.server, environment, httpUrl: url })
    this.#server = server
    if (!(await server.ready())) throw new ProofError('QT_PROOF_SERVER', `the server did not start:\n${server.output}`)
    this.#plan.say(`${this.#serverKills} kills of the server, which is ready after ${Math.round(performance.now() - began)} ms`)
  }

  /** Shorter when it is over. */
  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#over.signal }).catch(() => undefined)
  }
}

function withScript(station: ForwardStation, secrets: Readonly<Record<string, string>>, seed: number) {
  const { code } = station.entry
  const secret = secrets[code]
  if (secret === undefined) throw new ProofError('QT_PROOF_ANSWER', `ops made no secret for ${code}`)
  return { ...station, secret, script: new StationScript(station, new Dice(seed, code)), dice: new Dice(seed, `${code} pauses`) }
}
