import type { DayRule, Period, Window } from '#libs/aggregates'
import { PERIODS, windowsBetween } from '#libs/aggregates'
import type { Millis, SeriesKey } from '#libs/model'
import { CLOCK_TOLERANCE, codeOf, HOUR, MINUTE, messageOf, SECOND } from '#libs/model'
import type { AffectedSeries } from './affected-series.js'
import type { AggregateLog, Published, WindowMark } from './aggregate-ports.js'
import type { Aggregator } from './aggregator.js'
import type { Consumer } from './consumer-runner.js'
import type { SequencedRecord } from './journal-source.js'
import type { Clock, Log } from './ports.js'
import { Restraint } from './restraint.js'

interface Ports {
  readonly aggregates: AggregateLog
  readonly aggregator: Aggregator
  readonly dayRule: DayRule
  /** Sequence up to which readings are in the store. */
  readonly stored: () => number
  readonly clock: Clock
  readonly log: Log
  readonly affected: AffectedSeries
}

/** A window is published this long after its end: readings come no later than five minutes (regulations.md 1.3). */
export const GRACE: Millis = 5 * MINUTE
/** A late reading is rarely alone. */
const GATHER: Millis = 2 * SECOND
const AT_ONCE = 200
/** While much comes in: no more are taken than are soon done, since a taken one is marked anew by its next reading. */
const AT_ONCE_BUSY = 10

/** Hours and days are summed up from readings, months from days that are published. */
const TOGETHER: readonly (readonly Period[])[] = [['hour', 'day'], ['month']]
/** Longer than this without a pause, and whoever shares the thread would notice. */
const SLICE_MS = 10
/** What is summed up is published after this time at the latest: a store that is slow to read must not make an end at any instant costly. */
const PIECE_MS = 500
/** How long a window rests that could not be summed up: others must not wait behind it. */
const REST: Millis = 30 * SECOND

/** A window that is marked: on disk, or in the batch at hand. */
interface Marked {
  /** The newest record with a reading of the window: the store must hold it before the window is summed up. */
  sequence: number
  /** False once it is being summed up: a reading must mark it anew. */
  live: boolean
}

/** What a series' last reading has marked, of all series that it affects: the next one mostly touches the same windows. */
interface Recent {
  readonly windows: readonly Marked[]
  /** A reading of `after < at <= upTo` touches no other windows, as long as neither it nor any that has come is later than `cap`. */
  readonly after: Millis
  readonly upTo: Millis
  readonly cap: Millis
}

/** Marks of the batch at hand; each tells in the end the last record of the batch that touches its window. */
type Fresh = Map<string, { readonly mark: Omit<WindowMark, 'sequence'>; readonly marked: Marked }>

interface Touch {
  readonly at: Millis
  readonly sequence: number
  /** Nothing that counts was measured after this. */
  readonly horizon: Millis
}

/** What the consumer knows of a station. */
interface Place {
  /** By parameter. */
  readonly recent: Map<string, Recent>
  /** No reading of the station is later. */
  newest: Millis
}

/**
 * Marks the windows that each reading touches and, when they are due, has them summed up. The mark is durable before the cursor
 * passes the record; a window is summed up from the store once that holds its newest reading. Killed at any instant it sums up
 * something twice at most, which publishes nothing new.
 *
 * Marking and closing take turns on one thread, at every `await`. What keeps them apart:
 * - A window is taken (`live` false) in the same turn in which the store was seen to hold its newest reading. A reading that comes
 *   after that marks it anew with a newer sequence, and a publication takes away only the mark that it was made for.
 * - A mark is known here before it is on disk. Should writing it fail, the batch comes again, and until then nobody relies on it.
 * - A month is due only when none of its days is marked (`AggregateLog.due`): it is summed up from days that are published.
 */
export class AggregateConsumer implements Consumer {
  readonly name = 'aggregates'
  readonly #ports: Ports
  readonly #marked = new Map<string, Marked>()
  /** By station. */
  readonly #places = new Map<string, Place>()
  /** Marks that are older than this process may stand for any record up to here. */
  #startedAt = 0
  #kept = 0
  #closing: Promise<number> | null = null
  #stopping = false
  /** Code of what closing failed with last; null once windows are summed up again. */
  #trouble: string | null = null
  readonly #restraint = new Restraint()

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
    const fresh: Fresh = new Map()
    this.#restraint.came(records.length)
    // Readings of clocks that run further ahead are nobody's neighbour.
    const ahead = this.#ports.clock() + CLOCK_TOLERANCE
    for (const { sequence, record } of records) {
      if (record.kind !== 'readings') continue
      for (const { station, parameter, at } of record.readings) {
        const place = this.#places.get(station) ?? (await this.#placeOf(station))
        place.newest = Math.max(place.newest, at)
        const horizon = Math.min(place.newest, ahead)
        const recent = place.recent.get(parameter)
        if (recent && covers(recent, at, horizon) && recent.windows.every(isLive)) {
          for (const marked of recent.windows) marked.sequence = sequence
        } else place.recent.set(parameter, this.#touch({ station, parameter }, { at, sequence, horizon }, fresh))
      }
    }
    try {
      const marks = [...fresh.values()].map(({ mark, marked }) => ({ ...mark, sequence: marked.sequence }))
      await this.#ports.aggregates.mark(marks, upTo)
    } catch (error) {
      for (const [key, { marked }] of fresh) this.#forget(key, marked)
      throw error
    }
    this.#kept = upTo
  }

  /** Sums up what is due; gives how many windows that were. A call while one is under way joins it. */
  close(): Promise<number> {
    this.#closing ??= this.#closeDue().finally(() => {
      this.#closing = null
    })
    return this.#closing
  }

  /** Ends after the windows at hand. */
  async stop(): Promise<void> {
    this.#stopping = true
    await this.#closing
  }

  /** Every reading that was consumed has left a mark or a published hour: so the state knows how far a station's readings go. */
  async #placeOf(station: string): Promise<Place> {
    const { affected, aggregates } = this.#ports
    const newest = (await aggregates.newest(affected.seriesIn(station))) ?? 0
    const place = { recent: new Map<string, Recent>(), newest }
    this.#places.set(station, place)
    return place
  }

  /**
   * The windows of a reading, and those of its neighbours whose flags it may change, in its own series and in those that are held against
   * it. Windows later than everything that has come hold nothing to change: they are marked by their own readings.
   */
  #touch(series: SeriesKey, touch: Touch, fresh: Fresh): Recent {
    const { affected, dayRule } = this.#ports
    const windows: Marked[] = []
    let [after, upTo, cap] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
    for (const one of affected.by(series)) {
      const span = { from: touch.at - one.after - 1, to: Math.max(touch.at, Math.min(touch.at + one.before, touch.horizon)) }
      for (const period of PERIODS) {
        const touched = windowsBetween(period, span, dayRule)
        windows.push(...touched.map(window => this.#mark(one, window, touch, fresh)))
        if (period !== 'hour') continue
        const last = touched.at(-1)?.end ?? touch.at
        after = Math.max(after, (touched[0]?.start ?? touch.at) + one.after)
        if (last < touch.horizon) upTo = Math.min(upTo, last - one.before)
        else cap = Math.min(cap, last)
      }
    }
    return { windows, after, upTo, cap }
  }

  #mark({ station, parameter }: SeriesKey, window: Window, { sequence }: Touch, fresh: Fresh): Marked {
    const key = keyOf({ station, parameter }, window)
    const standing = this.#marked.get(key)
    if (standing) {
      standing.sequence = sequence
      return standing
    }
    const marked = { sequence, live: true }
    const dueAt = Math.max(window.end + GRACE, this.#ports.clock() + GATHER)
    fresh.set(key, { mark: { station, parameter, ...window, dueAt }, marked })
    this.#marked.set(key, marked)
    return marked
  }

  /** A mark that did not reach the disk, or that is being worked on: the next reading of its window makes another one. */
  #forget(key: string, marked = this.#marked.get(key)): void {
    if (!marked) return
    marked.live = false
    if (this.#marked.get(key) === marked) this.#marked.delete(key)
  }

  async #closeDue(): Promise<number> {
    let closed = 0
    for (const periods of TOGETHER) {
      const { done, failed } = await this.#closePeriods(periods)
      closed += done
      // The store or the state is away, as a rule: the others would meet the same.
      if (failed) return closed
    }
    return closed
  }

  async #closePeriods(periods: readonly Period[]): Promise<{ readonly done: number; readonly failed: boolean }> {
    let closed = 0
    while (!this.#stopping && this.#restraint.allows) {
      const limit = this.#restraint.busy ? AT_ONCE_BUSY : AT_ONCE
      const due = await this.#dueOf(periods, limit)
      const ready = this.#take(due)
      const done = await this.#closeAll(ready)
      closed += done
      if (done < ready.length) return { done: closed, failed: true }
      if (done > 0) this.#recover()
      if (done === 0 || due.length < limit) break
    }
    return { done: closed, failed: false }
  }

  async #dueOf(periods: readonly Period[], limit: number): Promise<WindowMark[]> {
    const { aggregates, clock, stored } = this.#ports
    const due: WindowMark[] = []
    for (const period of periods) due.push(...(await aggregates.due({ period, now: clock(), stored: stored(), limit })))
    return due
  }

  /** Those whose readings are all in the store. */
  #take(due: readonly WindowMark[]): WindowMark[] {
    const ready = due.filter(mark => this.#isStored(mark))
    for (const mark of ready) this.#forget(keyOf(mark, mark))
    return ready
  }

  #isStored(mark: WindowMark): boolean {
    return this.#ports.stored() >= (this.#marked.get(keyOf(mark, mark))?.sequence ?? this.#startedAt)
  }

  /** How many were done; what was not stays marked. */
  async #closeAll(marks: readonly WindowMark[]): Promise<number> {
    let closed = 0
    while (closed < marks.length && !this.#stopping && this.#restraint.allows) {
      const { done, failed } = await this.#closePiece(marks.slice(closed))
      closed += done
      if (failed) break
    }
    return closed
  }

  /** The first of them, as many as a piece's time is enough for. */
  async #closePiece(marks: readonly WindowMark[]): Promise<{ readonly done: number; readonly failed: boolean }> {
    const { aggregates, aggregator } = this.#ports
    const results: Published[] = []
    const nowhere: WindowMark[] = []
    let failed: { readonly mark: WindowMark; readonly error: unknown } | null = null
    const pause = breather()
    const until = performance.now() + PIECE_MS
    for (const mark of marks) {
      if (performance.now() > until || !this.#restraint.allows) break
      try {
        await pause()
        const began = performance.now()
        const result = await aggregator.resultOf(mark)
        this.#restraint.took(performance.now() - began)
        if (result) results.push(result)
        else nowhere.push(mark)
      } catch (error) {
        failed = { mark, error }
        break
      }
    }
    try {
      await aggregates.publish(results)
      await aggregates.drop(nowhere)
      if (failed) await this.#putOff(failed.mark, failed.error)
      return { done: results.length + nowhere.length, failed: failed !== null }
    } catch (error) {
      this.#complain({}, error)
      return { done: 0, failed: true }
    }
  }

  async #putOff(mark: WindowMark, error: unknown): Promise<void> {
    this.#complain({ station: mark.station, parameter: mark.parameter, period: mark.period, end: mark.end }, error)
    await this.#ports.aggregates.mark([{ ...mark, dueAt: this.#ports.clock() + REST }], this.#kept)
  }

  #complain(fields: object, error: unknown): void {
    const code = codeOf(error)
    const news = this.#trouble !== code
    this.#trouble = code
    if (news) this.#ports.log.error({ code, ...fields }, `windows could not be summed up and are tried again: ${messageOf(error)}`)
  }

  #recover(): void {
    if (this.#trouble === null) return
    this.#trouble = null
    this.#ports.log.info({}, 'windows are summed up again')
  }
}

const covers = ({ after, upTo, cap }: Recent, at: Millis, horizon: Millis): boolean =>
  at > after && at <= upTo && at <= cap && horizon <= cap

const isLive = ({ live }: Marked): boolean => live

/** Lets others of the thread have their turn whenever a slice is over. */
function breather(): () => Promise<void> {
  let began = performance.now()
  return async () => {
    if (performance.now() - began < SLICE_MS) return
    await new Promise(resolve => setImmediate(resolve))
    began = performance.now()
  }
}

const keyOf = ({ station, parameter }: SeriesKey, { period, end }: Pick<Window, 'period' | 'end'>): string =>
  `${station}/${parameter}/${period}/${end / HOUR}`
