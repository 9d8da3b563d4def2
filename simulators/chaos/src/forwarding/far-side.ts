import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { ask, type PostgresServer, startPostgres, WarehouseReceiver } from '#libs/test-servers'
import { present } from '../backends.js'
import { ProofError } from '../errors.js'
import { Deck, type Dice } from './dice.js'
import type { SinkName } from './options.js'
import { Row } from './rows.js'

/** The far side of the forwarder, which can be killed and can misbehave. */
export interface FarSide {
  /** Settings of the server that is to send to it. */
  readonly environment: Readonly<Record<string, string>>
  /** SIGKILL. */
  kill(): Promise<void>
  /** Starts it again, at the same address with what it had. */
  comeBack(): Promise<void>
  /** Begins with something that goes wrong and tells what; it may have ended by itself when the promise resolves. */
  misbehave(dice: Dice): Promise<string>
  behave(): Promise<void>
  /** What it holds. */
  rows(): Promise<Row[]>
  /** What it saw, in words, and how much of it was against the contract. */
  account(): Promise<{ readonly words: string; readonly violations: number }>
  dispose(): Promise<void>
}

export const openFarSide = (sink: SinkName, dir: string): Promise<FarSide> => (sink === 'http' ? HttpSide.open(dir) : PostgresSide.open())

const STARTS = 20
const START_AGAIN_MS = 500

type Faults = Readonly<Record<string, number>>
/** More often those in which something was stored and nobody told so. */
const HTTP_FAULTS: readonly [(dice: Dice) => Faults, ...((dice: Dice) => Faults)[]] = [
  dice => ({ loseAnswer: dice.between(0.2, 1) }),
  dice => ({ loseAnswer: dice.between(0.05, 0.3), cutAnswer: dice.between(0.05, 0.3) }),
  dice => ({ cutAnswer: dice.between(0.2, 1) }),
  dice => ({ omit: dice.between(0.05, 0.9) }),
  dice => ({ omit: dice.between(0.05, 0.5), loseAnswer: dice.between(0.05, 0.5) }),
  dice => ({ skip: dice.between(0.05, 0.9) }),
  dice => ({ babble: dice.between(0.2, 1) }),
  dice => ({ cutRequest: dice.between(0.2, 1) }),
  dice => ({ error500: dice.between(0.2, 1) }),
  dice => ({ busy: dice.between(0.2, 1), retryAfterSeconds: dice.whole(0, 1) }),
  dice => ({ throttle: dice.between(0.2, 1), retryAfterSeconds: dice.whole(0, 1) }),
  dice => ({ slowMs: dice.whole(20, 1_500) }),
  dice => ({ refuse: dice.between(0.02, 0.3) }),
  dice => ({ tokenSeconds: dice.whole(1, 3) })
]

type Stats = Readonly<Record<string, number>>
const COUNTED = ['requests', 'batches', 'repeatedBatches', 'accepted', 'known', 'rejected', 'tokens', 'violations'] as const

/** `simulators/warehouse` as a program of its own, with a secret that nobody else knows. */
class HttpSide implements FarSide {
  readonly #receiver: WarehouseReceiver
  readonly #deck = new Deck(HTTP_FAULTS)
  /** Of the lives before this one. */
  readonly #past = new Map<string, number>()

  private constructor(receiver: WarehouseReceiver) {
    this.#receiver = receiver
  }

  static async open(dir: string): Promise<HttpSide> {
    const secret = randomBytes(24).toString('base64url')
    return new HttpSide(await WarehouseReceiver.start({ path: dir }, [], { secret }))
  }

  get environment(): Readonly<Record<string, string>> {
    return this.#receiver.environment
  }

  async kill(): Promise<void> {
    const stats = await this.#receiver.stats().catch((): Stats => ({}))
    await this.#receiver.stop('SIGKILL')
    for (const name of COUNTED) this.#past.set(name, (this.#past.get(name) ?? 0) + (stats[name] ?? 0))
  }

  /** Its port may have gone to somebody's connection meanwhile: asks again. */
  async comeBack(): Promise<void> {
    for (let left = STARTS; ; left--) {
      try {
        await this.#receiver.again()
        return
      } catch (error) {
        if (left === 0) throw error
        await sleep(START_AGAIN_MS)
      }
    }
  }

  async misbehave(dice: Dice): Promise<string> {
    // Asked first, so that one that is away costs no card.
    await this.#receiver.stats()
    const faults = { ...this.#deck.draw(dice)(dice), ...(dice.happens(0.3) ? dice.pick(HTTP_FAULTS)(dice) : {}) }
    await this.#receiver.faults(faults)
    if (dice.happens(0.2)) await this.#receiver.act('/tokens/expire')
    return Object.keys(faults).join(' and ')
  }

  async behave(): Promise<void> {
    await this.#receiver.faults({})
  }

  async rows(): Promise<Row[]> {
    return (await this.#receiver.rows()).map(row => Row.parse(row))
  }

  async account() {
    const stats = await this.#receiver.stats()
    const total = Object.fromEntries(COUNTED.map(name => [name, (this.#past.get(name) ?? 0) + (stats[name] ?? 0)]))
    const words = COUNTED.map(name => `${name} ${total[name]}`).join(' ')
    return { words: `receiver: ${words}`, violations: total['violations'] ?? 0 }
  }

  dispose(): Promise<void> {
    return this.#receiver.stop('SIGKILL')
  }
}

const TABLE = 'quantrac_warehouse.aggregate'
const COLUMNS = `station, parameter, period, start_at as start, end_at as "end", revision, algorithm, unit, received, count, expected, completeness,
  valid_share as "validShare", sufficient, mean, min, min_at as "minAt", max, max_at as "maxAt", sum, p95, stddev, worst_flag as "worstFlag",
  exceedance_minutes as "exceedanceMinutes"`
/** A constraint of the warehouse's staff that a twentieth of the hours violates; what stands already may stay. */
const REFUSAL = `alter table ${TABLE} add constraint refused_by_the_proof check ((extract(epoch from end_at) / 3600)::bigint % 20 <> 7) not valid`
const NO_REFUSAL = `alter table if exists ${TABLE} drop constraint if exists refused_by_the_proof`
const CUT = 'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()'

/** The table of a real PostgreSQL, which dies with all its processes and finds its way back by its log. */
class PostgresSide implements FarSide {
  readonly #server: PostgresServer
  readonly #process: NonNullable<PostgresServer['process']>
  readonly #url: string

  private constructor(server: PostgresServer, process: NonNullable<PostgresServer['process']>, url: string) {
    this.#server = server
    this.#process = process
    this.#url = url
  }

  /** Commits go to the disk. @throws ProofError where there is none that may be killed */
  static async open(): Promise<PostgresSide> {
    const server = present('PostgreSQL', await startPostgres({ fsync: true }))
    if (!server.process) {
      await server.dispose()
      throw new ProofError('QT_PROOF_OPTIONS', '--sink postgres needs PostgreSQL as a local program, to kill it')
    }
    return new PostgresSide(server, server.process, await server.database())
  }

  get environment(): Readonly<Record<string, string>> {
    return { QUANTRAC_WAREHOUSE_URL: this.#url }
  }

  kill(): Promise<void> {
    return this.#process.stop('SIGKILL')
  }

  comeBack(): Promise<void> {
    return this.#process.start()
  }

  async misbehave(dice: Dice): Promise<string> {
    const what = dice.pick(['cut connections', 'lock the table', 'freeze', 'refuse rows'])
    if (what === 'cut connections') await ask(this.#url, CUT)
    else if (what === 'lock the table') await ask(this.#url, `begin; lock table ${TABLE}; select pg_sleep(${dice.between(0.2, 3)}); commit`)
    else if (what === 'refuse rows') await ask(this.#url, `${NO_REFUSAL}; ${REFUSAL}`)
    else this.#process.freeze()
    return what
  }

  async behave(): Promise<void> {
    this.#process.thaw()
    await ask(this.#url, NO_REFUSAL)
  }

  async rows(): Promise<Row[]> {
    const [there] = await ask(this.#url, `select to_regclass('${TABLE}') is not null as exists`)
    if (!(there as { readonly exists: boolean }).exists) return []
    return (await ask(this.#url, `select ${COLUMNS} from ${TABLE}`)).map(row => Row.parse(row))
  }

  account() {
    return Promise.resolve({ words: 'the table keeps no account of what it saw', violations: 0 })
  }

  dispose(): Promise<void> {
    this.#process.thaw()
    return this.#server.dispose()
  }
}
