import { InfluxDB } from '@influxdata/influxdb-client'
import { DeleteAPI } from '@influxdata/influxdb-client-apis'
import type { Aggregate, Clock, Log } from '#libs/pipeline'
import { influxError } from './answers.js'
import type { BucketRole } from './catalogue.js'
import { bucketName, MEASUREMENTS } from './catalogue.js'
import { Refusal } from './errors.js'
import { numberText, quoted, tag } from './line-text.js'
import { InfluxLink } from './link.js'

export interface AggregatesSettings {
  readonly url: string
  readonly org: string
  /** Bucket of the readings; aggregates go to those named after it. */
  readonly bucket: string
  readonly token: string
  readonly timeoutMs?: number
  readonly log: Log
  readonly clock?: Clock
}

/** An aggregate, and whether a figure may be gone that an earlier revision had: a field that is not written anew would stay. */
export interface WrittenAggregate {
  readonly aggregate: Aggregate
  readonly mayHaveLost: boolean
}

const TIMEOUT_MS = 10_000

/**
 * Writes aggregates into the buckets of hours and of days: one point for each window, at its end. The same aggregate is the same point,
 * so every call can be repeated; of two revisions the one that is written last stands, so write them in their order.
 * `write` throws an InfluxStoreError; a part may be written then.
 */
export class InfluxAggregates {
  readonly #link: InfluxLink
  readonly #settings: AggregatesSettings

  /** Contacts nobody. */
  constructor(settings: AggregatesSettings) {
    const { url, org, token, timeoutMs = TIMEOUT_MS, clock = Date.now } = settings
    this.#link = new InfluxLink({ url, org, token, timeoutMs, clock })
    this.#settings = settings
  }

  async write(written: readonly WrittenAggregate[]): Promise<void> {
    for (const { aggregate, mayHaveLost } of written) if (mayHaveLost) await this.#remove(aggregate)
    for (const role of ['hourly', 'daily'] as const) {
      const lines = written
        .filter(({ aggregate }) => MEASUREMENTS[aggregate.period].bucket === role)
        .map(({ aggregate }) => lineOf(aggregate))
      if (lines.length > 0) await this.#send(role, lines)
    }
  }

  close(): void {
    this.#link.close()
  }

  /** What InfluxDB will never take (beyond its retention) is left out with a line in the log: it stands in the state. */
  async #send(role: BucketRole, lines: readonly string[]): Promise<void> {
    try {
      await this.#link.write(this.#bucketOf(role), lines.join('\n'))
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      if (error.partial || lines.length === 1) {
        this.#settings.log.warn({ lines: lines.length }, `InfluxDB refused aggregates: ${error.message}`)
        return
      }
      const middle = lines.length >> 1
      await this.#send(role, lines.slice(0, middle))
      await this.#send(role, lines.slice(middle))
    }
  }

  async #remove({ station, parameter, period, end }: Aggregate): Promise<void> {
    const { url, org, token, timeoutMs = TIMEOUT_MS } = this.#settings
    const predicate = `_measurement="${period}" AND station=${quoted(station)} AND parameter=${quoted(parameter)}`
    const body = { start: instant(end), stop: instant(end + 1), predicate }
    const api = new DeleteAPI(new InfluxDB({ url, token, timeout: timeoutMs }))
    try {
      await api.postDelete({ org, bucket: this.#bucketOf(MEASUREMENTS[period].bucket), body })
    } catch (cause) {
      throw influxError(cause, new URL(url).host, false)
    }
  }

  #bucketOf(role: BucketRole): string {
    return bucketName(this.#settings.bucket, role)
  }
}

const instant = (at: number): string => new Date(at).toISOString()

/** Fields in the order of the catalogue. */
function lineOf(aggregate: Aggregate): string {
  const { station, parameter, period, end } = aggregate
  const fields = Object.entries(fieldsOf(aggregate)).flatMap(([name, text]) => (text === null ? [] : [`${name}=${text}`]))
  return `${period},parameter=${tag(parameter)},station=${tag(station)} ${fields.join(',')} ${end}`
}

const number = (value: number | null): string | null => (value === null ? null : numberText(value))
const whole = (value: number | null | undefined): string | null => (value === null || value === undefined ? null : `${value}i`)

const fieldsOf = (a: Aggregate): Readonly<Record<keyof (typeof MEASUREMENTS)['hour']['fields'], string | null>> => ({
  received: whole(a.received),
  count: whole(a.count),
  expected: whole(a.expected),
  completeness: number(a.completeness),
  valid_share: number(a.validShare),
  sufficient: String(a.sufficient),
  mean: number(a.mean),
  min: number(a.min?.value ?? null),
  min_at: whole(a.min?.at),
  max: number(a.max?.value ?? null),
  max_at: whole(a.max?.at),
  sum: number(a.sum),
  p95: number(a.p95),
  stddev: number(a.stddev),
  worst_flag: whole(a.worstFlag),
  exceedance_minutes: number(a.exceedanceMinutes),
  revision: whole(a.revision),
  algorithm: whole(a.algorithm),
  unit: quoted(a.unit)
})
