import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Absent, InfluxServer, PostgresServer } from '#libs/test-servers'
import { startInflux, startPostgres } from '#libs/test-servers'
import { ProofError } from './errors.js'

export const STORES = ['sqlite', 'influx'] as const
export const STATES = ['sqlite', 'postgres'] as const

export interface BackendChoice {
  readonly store: (typeof STORES)[number]
  readonly state: (typeof STATES)[number]
}

/** A server beside ours that can be killed and started again on its data. */
export type Victim = Pick<NonNullable<InfluxServer['process']>, 'start' | 'stop'>

/** The real servers that keep time series and state, with data of their own for one proof. */
export class Backends {
  readonly #influx: InfluxServer | null
  readonly #postgres: PostgresServer | null
  /** Settings that move the server's data there; without the token, which `setUp` makes. */
  readonly environment: Readonly<Record<string, string>>

  private constructor(influx: InfluxServer | null, postgres: PostgresServer | null, environment: Record<string, string>) {
    this.#influx = influx
    this.#postgres = postgres
    this.environment = environment
  }

  /** @throws ProofError when one that was asked for is not to be had. */
  static async start({ store, state }: BackendChoice): Promise<Backends> {
    const influx = store === 'influx' ? present('InfluxDB', await startInflux()) : null
    try {
      const postgres = state === 'postgres' ? present('PostgreSQL', await startPostgres()) : null
      return new Backends(influx, postgres, {
        ...(influx ? { QUANTRAC_INFLUX_URL: influx.url, QUANTRAC_INFLUX_ORG: influx.org } : {}),
        ...(postgres ? { QUANTRAC_STATE_URL: await postgres.database() } : {})
      })
    } catch (error) {
      await influx?.dispose()
      throw error
    }
  }

  /** Makes buckets and the server's token by the operator's command, as an installation does; gives the settings with it. */
  async setUp(ops: (environment: Readonly<Record<string, string>>, words: readonly string[]) => Promise<string>) {
    if (!this.#influx) return this.environment
    const dir = mkdtempSync(join(tmpdir(), 'quantrac-setup-'))
    try {
      const admin = { ...this.environment, QUANTRAC_DATA_DIR: dir, QUANTRAC_INFLUX_ADMIN_TOKEN: this.#influx.token }
      const token = (await ops(admin, ['influx', 'setup'])).trim()
      return { ...this.environment, QUANTRAC_INFLUX_TOKEN: token }
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  }

  /** Settings for a server on another data directory: a state belongs to one journal. */
  async ofAnother(): Promise<Readonly<Record<string, string>>> {
    return this.#postgres ? { QUANTRAC_STATE_URL: await this.#postgres.database() } : {}
  }

  victim(name: 'influx' | 'postgres'): Victim {
    const process = (name === 'influx' ? this.#influx : this.#postgres)?.process
    if (!process)
      throw new ProofError('QT_PROOF_OPTIONS', `--kill ${name} needs --${name === 'influx' ? 'store' : 'state'} ${name} as a local program`)
    return process
  }

  async dispose(): Promise<void> {
    await this.#influx?.dispose()
    await this.#postgres?.dispose()
  }
}

/** @throws ProofError telling why it is not to be had. */
export function present<T extends object>(name: string, found: T | Absent): T {
  if ('absent' in found) throw new ProofError('QT_PROOF_OPTIONS', `${name} is not to be had here: ${found.absent}`)
  return found
}
