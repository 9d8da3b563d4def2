import type { RunningInterval, StatusInterval } from '#libs/aggregates'
import { endedAt, MISSING, nextStatus } from '#libs/aggregates'
import type { Millis, Reading, SeriesKey } from '#libs/model'
import { CALIBRATING, DAY, DEVICE_FAULT, LATEST } from '#libs/model'
import type { TermsOf } from './aggregate-ports.js'
import type { TimeSeriesStore } from './ports.js'

interface StatusQuery extends SeriesKey {
  /** Intervals that touch `from <= t < to`, ascending. */
  readonly from: Millis
  readonly to: Millis
  readonly limit: number
}

interface Sources {
  readonly store: Pick<TimeSeriesStore, 'range'>
  readonly termsOf: TermsOf
}

/** Readings at a time. */
const AT_ONCE = 2_000
/** More than any day can hold: one reading a second. */
const ALL = 100_000
/** How many days back the beginning of an interval is looked for that runs at `from`. */
const LONGEST = 60

/**
 * Calibrations and faults of a series, read off its readings whenever somebody asks: late and corrected readings need no book-keeping,
 * and a day of a series is read in a millisecond.
 */
export class StatusIntervals {
  readonly #sources: Sources

  constructor(sources: Sources) {
    this.#sources = sources
  }

  async find({ from, to, limit, ...series }: StatusQuery): Promise<StatusInterval[]> {
    const every = this.#sources.termsOf(series)?.terms.every
    if (every === undefined) return []
    const found: StatusInterval[] = []
    let running: RunningInterval | null = null
    const keep = (interval: StatusInterval): void => {
      if (interval.end > from && interval.start < to) found.push(interval)
    }
    for await (const reading of this.#readings(series, await this.#beginning(series, from, Math.max(DAY, MISSING * every)))) {
      const next = nextStatus(running, reading, every)
      if (next.ended) keep(next.ended)
      running = next.running
      if (found.length >= limit || (reading.at >= to && (running?.start ?? to) >= to)) break
    }
    if (running && found.length < limit) keep(endedAt(running, running.end))
    return found
  }

  /** Before `from` where an interval may be running then. */
  async #beginning(series: SeriesKey, from: Millis, step: Millis): Promise<Millis> {
    let begin = from
    for (let n = 0; n < LONGEST; n++) {
      const before = await this.#sources.store.range({ ...series, from: begin - step, to: begin, limit: ALL })
      if (before.length > 0) begin -= step
      if (before.length === 0 || before.some(({ status }) => status !== CALIBRATING && status !== DEVICE_FAULT)) return begin
    }
    return begin
  }

  async *#readings(series: SeriesKey, begin: Millis): AsyncGenerator<Reading> {
    for (let from = begin; ; ) {
      const page = await this.#sources.store.range({ ...series, from, to: LATEST, limit: AT_ONCE })
      yield* page
      const last = page.at(-1)
      if (!last || page.length < AT_ONCE) return
      from = last.at + 1
      // Others of the thread have their turn between two pages.
      await new Promise(resolve => setImmediate(resolve))
    }
  }
}
