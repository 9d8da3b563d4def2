import type { Millis, Reading } from '#libs/model'
import { LATEST } from '#libs/model'
import type { Clock, Conflict, DayDigest, Log, RangeQuery, ReadingFate, StoredReading, TimeSeriesStore, WriteOutcome } from '#libs/pipeline'
import { digestOf } from '#libs/pipeline'
import { BatchWriter } from './batch-writer.js'
import { ConflictLog } from './conflict-log.js'
import { InfluxStoreError } from './errors.js'
import { FateLog } from './fate-log.js'
import { InfluxLink } from './link.js'
import { InfluxReader } from './reader.js'
import type { SetAside } from './set-aside.js'
import { SetAsideLog } from './set-aside.js'

export interface InfluxStoreOptions {
  readonly url: string
  readonly org: string
  /** Bucket of the readings; the others are named after it (catalogue.ts). */
  readonly bucket: string
  readonly token: string
  /** Identity of the journal that the cursor counts (decision 0012); another one begins at 0. Letters and digits. */
  readonly journal?: string
  /** For other threads and processes: every question, no write. */
  readonly readOnly?: boolean
  /** Called within each write, after its points and before the cursor: where the kill proof ends the process. */
  readonly beforeCursor?: () => void
  readonly log?: Log
  readonly clock?: Clock
  /** For each request as a whole. Milliseconds. */
  readonly timeoutMs?: number
}

/** What the store holds. */
export interface InfluxStats {
  readonly series: number
  readonly points: number
  readonly conflicts: number
  readonly setAside: number
  readonly span: { readonly from: Millis; readonly to: Millis } | null
}

const CONSUMER = 'store'
const DEFAULT_TIMEOUT_MS = 15_000

/**
 * The time series in InfluxDB 2, one point for each reading (points.ts), the cursor in a point of its own that is written after the
 * points it covers. The journal is the retry: every method makes one attempt and throws an InfluxStoreError; a write that threw has
 * perhaps written a part, and the same write again makes it whole, with the same counts, nothing doubled and nothing missing.
 *
 * One writer at a time is meant: it remembers the newest instant of each series, and what comes after it is new without a look.
 */
export class InfluxStore implements TimeSeriesStore {
  readonly #link: InfluxLink
  readonly #reader: InfluxReader
  readonly #conflicts: ConflictLog
  readonly #setAside: SetAsideLog
  readonly #fates: FateLog
  readonly #writer: BatchWriter
  readonly #readOnly: boolean
  #writing: Promise<unknown> = Promise.resolve()

  private constructor(options: InfluxStoreOptions) {
    const { url, org, bucket, token, clock = Date.now, timeoutMs = DEFAULT_TIMEOUT_MS } = options
    this.#link = new InfluxLink({ url, org, token, clock, timeoutMs })
    this.#reader = new InfluxReader(this.#link, bucket)
    this.#conflicts = new ConflictLog(this.#link, bucket)
    this.#setAside = new SetAsideLog(this.#link, bucket)
    const consumer = options.journal === undefined ? CONSUMER : `${CONSUMER}-${options.journal}`
    this.#fates = new FateLog(this.#link, bucket, consumer)
    this.#writer = new BatchWriter(this.#link, this.#reader, {
      bucket,
      consumer,
      beforeCursor: options.beforeCursor ?? (() => {}),
      log: options.log
    })
    this.#readOnly = options.readOnly ?? false
  }

  /** Contacts nobody: the product starts without its InfluxDB. */
  static async open(options: InfluxStoreOptions): Promise<InfluxStore> {
    return new InfluxStore(options)
  }

  cursor(): Promise<number> {
    return this.#writer.cursor()
  }

  /**
   * Of two readings of one identity the higher revision stays; of equal revisions the one of the earlier journal record, and the other
   * becomes a conflict if value, unit or status differ. A conflict that is known already counts as repeated. A reading that InfluxDB
   * refuses for good is set aside; the others are stored.
   */
  write(readings: readonly StoredReading[], upTo: number): Promise<WriteOutcome> {
    if (this.#readOnly) return Promise.reject(new InfluxStoreError('QT_INFLUX_MISUSE', 'the store was opened to read only'))
    const written = this.#writing.then(() => this.#writer.write(readings, upTo))
    this.#writing = written.catch(() => {})
    return written
  }

  latest(stations?: readonly string[], before: Millis = LATEST): Promise<Reading[]> {
    return this.#reader.latest(stations, Math.ceil(before))
  }

  range(query: RangeQuery): Promise<Reading[]> {
    return this.#reader.range(query)
  }

  fates(after: number, upTo: number): Promise<ReadingFate[]> {
    return this.#fates.list(after, upTo)
  }

  /** A page never ends inside a journal record: it may be shorter than `limit`, and is longer where one record alone has more. */
  conflicts(after: number, limit: number): Promise<Conflict[]> {
    return this.#conflicts.list(after, limit)
  }

  /** Readings that InfluxDB refused for good, those of the newest journal records first. */
  setAside(limit: number): Promise<SetAside[]> {
    return this.#setAside.list(limit)
  }

  /** Every reading with its journal sequence, ordered by station, parameter and instant, in batches. */
  readAll(span: { readonly from?: Millis; readonly to?: Millis } = {}): AsyncGenerator<StoredReading[]> {
    return this.#reader.readAll(span)
  }

  /** Counts and checksums per series and day of UTC+7 of `from <= at < to`. */
  digest(from?: Millis, to?: Millis): Promise<DayDigest[]> {
    return digestOf(this.readAll({ ...(from !== undefined && { from }), ...(to !== undefined && { to }) }))
  }

  async stats(): Promise<InfluxStats> {
    const newest = await this.#reader.newest()
    const [points, conflicts, setAside, from] = await Promise.all([
      this.#reader.count(),
      this.#conflicts.count(),
      this.#setAside.count(),
      this.#reader.oldest()
    ])
    const to = newest.reduce((last, { at }) => Math.max(last, at), from ?? 0)
    return { series: newest.length, points, conflicts, setAside, span: from === null ? null : { from, to } }
  }

  /** Breaks off what is under way. Safe to call twice. */
  async close(): Promise<void> {
    this.#link.close()
    await this.#writing
  }
}
