import type { PoolClient } from 'pg'
import { messageOf } from '#libs/model'
import {
  type Aggregate,
  type DigestQuery,
  type ItemAnswer,
  type SinkAnswer,
  type WarehouseDigest,
  type WarehouseSink
} from '#libs/pipeline'
import { CodedError } from '#libs/platform'
import { parseWarehousePostgres, type WarehousePostgresConfig, type WarehousePostgresSettings } from './config.js'
import { DIGEST, HELD, PUT, toKey, toRow } from './rows.js'
import { Session, sqlState } from './session.js'

/**
 * What the database says of a row and not of itself: data exceptions, violated constraints, and what a trigger of the warehouse's
 * staff raises (PostgreSQL's documentation, appendix A).
 */
const OF_THE_ROW = /^(22|23|44000|P0001)/
const REASON_CHARACTERS = 200

interface Numbered {
  readonly item: Aggregate
  /** Place among the items of the call. */
  readonly n: number
}

/**
 * The provincial warehouse as a schema of a PostgreSQL database: `apps/telemetry/docs/warehouse.md` describes it to its staff.
 *
 * - One statement takes many rows; a row gives way to a higher revision only. A statement is a transaction of its own, so
 *   what was answered is committed.
 * - Where the database refuses a row, the statement is halved until that row stands alone; its reason is the database's.
 * - Trouble with the connection, the server or our rights is a `retry`. No reason holds the password.
 */
export class PostgresWarehouse implements WarehouseSink {
  readonly name = 'warehouse-postgres'
  readonly #config: WarehousePostgresConfig
  readonly #session: Session

  /** Connects to nothing. @throws CodedError QT_WAREHOUSE_CONFIG_INVALID */
  constructor(settings: WarehousePostgresSettings) {
    this.#config = parseWarehousePostgres(settings)
    this.#session = new Session(this.#config)
  }

  get limit(): number {
    return this.#config.maxItems
  }

  async send(items: readonly Aggregate[], signal: AbortSignal): Promise<SinkAnswer> {
    const answers: ItemAnswer[] = []
    try {
      for (const numbered of this.#statements(items)) {
        await this.#session.use(signal, client => this.#put(client, numbered, answers))
      }
    } catch (error) {
      const reason = signal.aborted ? 'broken off' : this.#reasonOf(error)
      if (Object.keys(answers).length === 0) return { outcome: 'retry', reason }
      return { outcome: 'answered', items: items.map((_, n) => answers[n] ?? { outcome: 'retry', reason }) }
    }
    return { outcome: 'answered', items: answers }
  }

  async digest({ period, from, to }: DigestQuery, signal: AbortSignal): Promise<readonly WarehouseDigest[]> {
    const span = [period, new Date(from).toISOString(), new Date(to).toISOString()]
    try {
      const { rows } = await this.#session.use(signal, client => client.query<Omit<WarehouseDigest, 'period'>>(DIGEST, span))
      return rows.map(row => ({ ...row, period }))
    } catch (error) {
      const reason = this.#reasonOf(error)
      throw new CodedError('QT_WAREHOUSE_DIGEST', `the warehouse could not be asked what it holds: ${reason}`, { cause: error })
    }
  }

  close(): Promise<void> {
    return this.#session.close()
  }

  /** Cut by the limit, and so that no two revisions of one row come in one statement; their order stays. */
  *#statements(items: readonly Aggregate[]): Generator<Numbered[]> {
    let statement: Numbered[] = []
    let rows = new Set<string>()
    for (const [n, item] of items.entries()) {
      const row = rowOf(item)
      if (statement.length === this.#config.maxItems || rows.has(row)) {
        yield statement
        statement = []
        rows = new Set()
      }
      rows.add(row)
      statement.push({ item, n })
    }
    if (statement.length > 0) yield statement
  }

  async #put(client: PoolClient, numbered: readonly Numbered[], answers: ItemAnswer[]): Promise<void> {
    try {
      const { rows } = await client.query<{ n: number }>(PUT, [toJson(numbered, toRow)])
      for (const { n } of rows) answers[n] = { outcome: 'accepted' }
    } catch (error) {
      if (!OF_THE_ROW.test(sqlState(error) ?? '')) throw error
      await this.#narrow(client, numbered, { answers, error })
      return
    }
    const others = numbered.filter(({ n }) => answers[n] === undefined)
    if (others.length > 0) await this.#look(client, others, answers)
  }

  async #narrow(client: PoolClient, numbered: readonly Numbered[], { answers, error }: { answers: ItemAnswer[]; error: unknown }) {
    const [first] = numbered
    if (numbered.length === 1 && first) {
      answers[first.n] = { outcome: 'rejected', reason: this.#reasonOf(error) }
      return
    }
    const middle = Math.ceil(numbered.length / 2)
    await this.#put(client, numbered.slice(0, middle), answers)
    await this.#put(client, numbered.slice(middle), answers)
  }

  /** Rows that were not taken: the same or a higher revision stands there. */
  async #look(client: PoolClient, numbered: readonly Numbered[], answers: ItemAnswer[]): Promise<void> {
    const { rows } = await client.query<Held>(HELD, [toJson(numbered, toKey)])
    const held = new Map(rows.map(row => [row.n, row]))
    for (const { item, n } of numbered) answers[n] = judge(item, held.get(n))
  }

  #reasonOf(error: unknown): string {
    const text = messageOf(error) || String((error as { readonly code?: unknown }).code)
    return this.#redact(text.replace(/[\p{Cc}\s]+/gu, ' ').slice(0, REASON_CHARACTERS))
  }

  #redact(text: string): string {
    const { password } = new URL(this.#config.url)
    return [password, decodeURIComponent(password)].reduce(
      (told, secret) => (secret === '' ? told : told.replaceAll(secret, '[secret]')),
      text
    )
  }
}

interface Held {
  readonly n: number
  readonly revision: number
  readonly same: boolean
}

function judge({ revision }: Aggregate, held: Held | undefined): ItemAnswer {
  if (!held || held.revision < revision) return { outcome: 'retry', reason: 'the warehouse neither took the row nor has it' }
  if (held.revision > revision || held.same) return { outcome: 'known', revision: held.revision }
  return { outcome: 'rejected', reason: `revision ${revision} is held with other figures` }
}

const rowOf = ({ station, parameter, period, end }: Aggregate): string => `${station}/${parameter}/${period}/${end}`

const toJson = (numbered: readonly Numbered[], to: (item: Aggregate, n: number) => object): string =>
  JSON.stringify(numbered.map(({ item, n }) => to(item, n)))
