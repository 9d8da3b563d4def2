import type { DayRule, Window } from '#libs/aggregates'
import { PERIODS, windowAt } from '#libs/aggregates'
import type { Millis, SeriesKey } from '#libs/model'
import { codeOf, HOUR, MINUTE, messageOf, SECOND, seriesId } from '#libs/model'
import type { AggregateLog, Published, TermsOf, WindowMark } from './aggregate-ports.js'
import type { Aggregator } from './aggregator.js'
import type { Consumer } from './consumer-runner.js'
import type { SequencedRecord } from './journal-source.js'
import type { Clock, Log } from './ports.js'

interface Ports {
  readonly aggregates: AggregateLog
  readonly aggregator: Aggregator
  readonly termsOf: TermsOf
  readonly dayRule: DayRule
  /** Sequence up to which readings are in the store. */
  readonly stored: () => number
  readonly clock: Clock
  readonly log: Log
  /** Series whose sums rest on this one too: loads on the flow of their station. */
  readonly dependents: (series: SeriesKey) => readonly SeriesKey[]
}

/** A window is published this long after its end: readings come no later than five minutes (regulations.md 1.3). */
export const GRACE: Millis = 5 * MINUTE
/** A late reading is rarely alone. */
const GATHER: Millis = 2 * SECOND
const AT_ONCE = 200

/** A window with a durable mark. */
interface Marked {
  /** The newest record with a reading of the window: the store must hold it before the window is summed up. */
  sequence: number
  /** False once it is being summed up: a reading must mark it anew. */
  live: boolean
}

/** The windows of a series' last reading: the next one mostly falls into the same. */
interface Recent {
  readonly start: Millis
  readonly end: Millis
  readonly windows: readonly Marked[]
}

/**
 * Marks the windows that each reading touches and, when they are due, has them summed up. The mark is durable before the cursor
 * passes the record; a window is summed up from the store once that holds its newest reading. Killed at any instant it sums up
 * something twice at most, which publishes nothing new.
 */
export class AggregateConsumer implements Consumer {
  readonly name = 'aggregates'
  readonly #ports: Ports
  readonly #marked = new Map<string, Marked>()
  readonly #recent = new Map<string, Recent>()
  /** Marks that are older than this process may stand for any record up to here. */
  #startedAt = 0
  #kept = 0
  #closing: Promise<number> | null = null

  constructor(ports: Ports) {
    this.#ports = ports
  }

  async start(): Promise<number> {
    this.#kept = await this.#ports.aggregates.cursor()
    this.#startedAt = this.#kept
    return this.#kept
  }

  kept(): number {
    return this.#kept
  }

  async consume(records: readonly SequencedRecord[], upTo: number): Promise<void> {
    const fresh = new Map<string, { mark: WindowMark; marked: Marked }>()
    for (const { sequence, record } of records) {
      if (record.kind !== 'readings') continue
      for (const reading of record.readings) {
        this.#touch(reading, { at: reading.at, sequence }, fresh)
        for (const series of this.#ports.dependents(reading)) this.#touch(series, { at: reading.at, sequence }, fresh)
      }
    }
    const marks = [...fresh.values()].map(({ mark }) => mark)
    await this.#ports.aggregates.mark(marks, upTo)
    for (const [key, { marked }] of fresh) this.#marked.set(key, marked)
    this.#kept = upTo
  }

  /** Sums up what is due; gives how many windows that were. A call while one is under way joins it. */
  close(): Promise<number> {
    this.#closing ??= this.#closeDue().finally(() => {
      this.#closing = null
    })
    return this.#closing
  }

  #touch(
    series: SeriesKey,
    { at, sequence }: { at: Millis; sequence: number },
    fresh: Map<string, { mark: WindowMark; marked: Marked }>
  ): void {
    const id = seriesId(series)
    const recent = this.#recent.get(id)
    if (recent && at > recent.start && at <= recent.end && recent.windows.every(({ live }) => live)) {
      for (const marked of recent.windows) marked.sequence = sequence
      return
    }
    if (!this.#ports.termsOf(series)) return
    const [hour, day, month] = PERIODS.map(period => windowAt(period, at, this.#ports.dayRule))
    const windows = [hour, day, month].flatMap(window => (window ? [this.#mark(series, window, sequence, fresh)] : []))
    // What is not durable yet must not be relied on: a failed batch comes again.
    if (hour && windows.every(({ durable }) => durable)) this.#recent.set(id, { ...hour, windows: windows.map(({ marked }) => marked) })
  }

  #mark(
    series: SeriesKey,
    window: Window,
    sequence: number,
    fresh: Map<string, { mark: WindowMark; marked: Marked }>
  ): { marked: Marked; durable: boolean } {
    const key = keyOf(series, window)
    const standing = this.#marked.get(key) ?? fresh.get(key)?.marked
    if (standing) {
      standing.sequence = sequence
      return { marked: standing, durable: !fresh.has(key) }
    }
    const marked = { sequence, live: true }
    const dueAt = Math.max(window.end + GRACE, this.#ports.clock() + GATHER)
    fresh.set(key, { mark: { station: series.station, parameter: series.parameter, ...window, dueAt, sequence }, marked })
    return { marked, durable: false }
  }

  async #closeDue(): Promise<number> {
    const { aggregates, clock, stored } = this.#ports
    let closed = 0
    for (;;) {
      const due = await aggregates.due({ now: clock(), stored: stored(), limit: AT_ONCE })
      const [first] = due
      // Longer windows rest on what was published of shorter ones: one period at a time.
      const ready = due.filter(mark => mark.period === first?.period && this.#isStored(mark))
      if (ready.length === 0 || !(await this.#closeAll(ready))) return closed
      closed += ready.length
    }
  }

  #isStored(mark: WindowMark): boolean {
    return this.#ports.stored() >= (this.#marked.get(keyOf(mark, mark))?.sequence ?? this.#startedAt)
  }

  /** False where something could not be summed up: all of it is tried again. */
  async #closeAll(marks: readonly WindowMark[]): Promise<boolean> {
    const { aggregates, aggregator, log } = this.#ports
    const results: Published[] = []
    const nowhere: WindowMark[] = []
    try {
      for (const mark of marks) {
        // From here on a reading marks it anew, and that mark outlives this one.
        this.#unmark(keyOf(mark, mark))
        const result = await aggregator.resultOf(mark)
        if (result) results.push(result)
        else nowhere.push(mark)
      }
      await aggregates.publish(results)
      await aggregates.drop(nowhere)
      return true
    } catch (error) {
      log.error({ code: codeOf(error) }, `windows could not be summed up and are tried again: ${messageOf(error)}`)
      return false
    }
  }

  #unmark(key: string): void {
    const marked = this.#marked.get(key)
    if (marked) marked.live = false
    this.#marked.delete(key)
  }
}

const keyOf = ({ station, parameter }: SeriesKey, { period, end }: Pick<Window, 'period' | 'end'>): string =>
  `${station}/${parameter}/${period}/${end / HOUR}`
