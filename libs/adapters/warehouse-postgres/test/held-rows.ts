import { Client } from 'pg'
import type { Aggregate, Period } from '#libs/pipeline'

/** A connection of its own, as the warehouse's staff have one. */
export class Staff {
  readonly #client: Client

  private constructor(client: Client) {
    this.#client = client
  }

  static async connect(url: string): Promise<Staff> {
    const client = new Client({ connectionString: url })
    client.on('error', () => {})
    await client.connect()
    return new Staff(client)
  }

  /** Rows of the last statement. */
  async ask(sql: string): Promise<Record<string, unknown>[]> {
    const results = [await this.#client.query<Record<string, unknown>>(sql)].flat()
    return results.at(-1)?.rows ?? []
  }

  /** What the table holds; nothing where there is none yet. */
  async held(where = 'true'): Promise<Aggregate[]> {
    const made = await this.ask("select to_regclass('quantrac_warehouse.aggregate') as t")
    return made[0]?.['t'] === null ? [] : (await this.ask(`select * from quantrac_warehouse.aggregate where ${where}`)).map(toAggregate)
  }

  close(): Promise<void> {
    return this.#client.end()
  }
}

/** For one question. */
export async function ask(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const staff = await Staff.connect(url)
  try {
    return await staff.ask(sql)
  } finally {
    await staff.close()
  }
}

export async function heldRows(url: string): Promise<Aggregate[]> {
  const staff = await Staff.connect(url)
  try {
    return await staff.held()
  } finally {
    await staff.close()
  }
}

const millis = (at: unknown): number => (at as Date).getTime()

function toAggregate(row: Record<string, unknown>): Aggregate {
  const { start_at, end_at, valid_share, min, min_at, max, max_at, worst_flag, exceedance_minutes, written_at: _, period, ...same } = row
  return {
    ...same,
    period: period as Period,
    start: millis(start_at),
    end: millis(end_at),
    validShare: valid_share,
    min: min === null ? null : { value: min, at: millis(min_at) },
    max: max === null ? null : { value: max, at: millis(max_at) },
    worstFlag: worst_flag,
    exceedanceMinutes: exceedance_minutes
  } as Aggregate
}
