import type { Absent, PostgresServer } from '#libs/test-servers'
import { ask, startPostgres, WarehouseReceiver } from '#libs/test-servers'
import { ProofError } from '../errors.js'
import type { SinkName } from './options.js'
import { oneOf } from './random.js'
import type { Row } from './rows.js'

/** A warehouse that can be killed, started again, told to misbehave, and asked what it has. */
export interface FarSide {
  readonly environment: Readonly<Record<string, string>>
  kill(): Promise<void>
  start(): Promise<void>
  /** Misbehaves in one of its ways until `behave`; says which. Null where it can only be killed. */
  misbehave(random: () => number): Promise<string | null>
  behave(): Promise<void>
  rows(): Promise<Row[]>
  /** What it complains of; empty when all is well. */
  complaints(): Promise<string[]>
  dispose(): Promise<void>
}

export const openFarSide = (sink: SinkName, dir: string): Promise<FarSide> => (sink === 'http' ? HttpSide.open(dir) : PostgresSide.open())

const FAULTS: readonly [object, ...object[]] = [
  { loseAnswer: 0.5 },
  { cutAnswer: 0.5 },
  { cutRequest: 0.5 },
  { omit: 0.4 },
  { babble: 0.6 },
  { error500: 0.6 },
  { busy: 0.7, retryAfterSeconds: 1 },
  { throttle: 0.7, retryAfterSeconds: 1 },
  { slowMs: 400 },
  { refuse: 0.3 },
  { loseAnswer: 0.3, omit: 0.2, error500: 0.2, tokenSeconds: 1 }
]

class HttpSide implements FarSide {
  readonly #receiver: WarehouseReceiver

  private constructor(receiver: WarehouseReceiver) {
    this.#receiver = receiver
  }

  static async open(dir: string): Promise<HttpSide> {
    return new HttpSide(await WarehouseReceiver.start({ path: dir }))
  }

  get environment() {
    return this.#receiver.environment
  }

  kill(): Promise<void> {
    return this.#receiver.stop('SIGKILL')
  }

  start(): Promise<void> {
    return this.#receiver.again()
  }

  async misbehave(random: () => number): Promise<string> {
    const faults = oneOf(FAULTS, random)
    await this.#receiver.faults(faults)
    return JSON.stringify(faults)
  }

  behave(): Promise<void> {
    return this.#receiver.faults({})
  }

  rows(): Promise<Row[]> {
    return this.#receiver.rows()
  }

  async complaints(): Promise<string[]> {
    const { violations = 0 } = await this.#receiver.stats()
    return violations === 0 ? [] : [`${violations} requests had an Idempotency-Key with other items than before`]
  }

  dispose(): Promise<void> {
    return this.#receiver.stop('SIGKILL')
  }
}

const ROWS = `select station, parameter, period, ${['start', 'end', 'min', 'max'].map(epoch).join(', ')}, revision, algorithm, unit, received,
  count, expected, completeness, valid_share as "validShare", sufficient, mean, min, max, sum, p95, stddev,
  worst_flag as "worstFlag", exceedance_minutes as "exceedanceMinutes" from quantrac_warehouse.aggregate`

function epoch(name: string): string {
  const told = name === 'min' || name === 'max' ? `${name}At` : name
  return `(extract(epoch from ${name}_at) * 1000)::float8 as "${told}"`
}

class PostgresSide implements FarSide {
  readonly #server: PostgresServer
  readonly #url: string

  private constructor(server: PostgresServer, url: string) {
    this.#server = server
    this.#url = url
  }

  /** Commits go to the disk: what it has answered must be there after a kill. */
  static async open(): Promise<PostgresSide> {
    const server: PostgresServer | Absent = await startPostgres({ fsync: true })
    if ('absent' in server) throw new ProofError('QT_PROOF_OPTIONS', `PostgreSQL is not to be had here: ${server.absent}`)
    return new PostgresSide(server, await server.database())
  }

  get environment() {
    return { QUANTRAC_WAREHOUSE_URL: this.#url }
  }

  async kill(): Promise<void> {
    if (!this.#server.process) throw new ProofError('QT_PROOF_OPTIONS', 'a PostgreSQL that was given by its address cannot be killed')
    await this.#server.process.stop('SIGKILL')
  }

  async start(): Promise<void> {
    await this.#server.process?.start()
  }

  misbehave(): Promise<null> {
    return Promise.resolve(null)
  }

  behave(): Promise<void> {
    return Promise.resolve()
  }

  rows(): Promise<Row[]> {
    // Before the first row came there is no table.
    return ask(this.#url, ROWS).catch((error: unknown) => {
      if (String(error).includes('does not exist')) return []
      throw error
    })
  }

  complaints(): Promise<string[]> {
    return Promise.resolve([])
  }

  dispose(): Promise<void> {
    return this.#server.dispose()
  }
}
