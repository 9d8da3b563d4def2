import { setTimeout } from 'node:timers/promises'
import type { Millis, Reading } from '#libs/model'
import { CLOCK_TOLERANCE, codeOf, LATEST, messageOf } from '#libs/model'
import type { Clock, Log, TimeSeriesStore } from './ports.js'

interface Sources {
  readonly store: Pick<TimeSeriesStore, 'latest'>
  /** Sequence up to which readings are in the store. */
  readonly stored: () => number
  readonly clock: Clock
  readonly log: Log
}

/** The newest reading of one series, and the newest of a clock that ran ahead: that one must not hide the other. */
interface Newest {
  current: Reading | null
  ahead: Reading | null
}

const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 10_000

/**
 * The newest reading of every series in memory, so that nobody asks the history for it: filled from the store at the start,
 * then told of every record as soon as it is on disk. What it shows is acknowledged; the store may still be on its way there.
 */
export class NewestReadings implements Pick<TimeSeriesStore, 'latest'> {
  readonly #sources: Sources
  readonly #stations = new Map<string, Map<string, Newest>>()
  readonly #stopping = new AbortController()
  #filling: Promise<void> = Promise.resolve()
  #codes: readonly string[] = []

  constructor(sources: Sources) {
    this.#sources = sources
  }

  /**
   * Reads the store until it holds the records up to `target`: those that were on disk before anybody told of them here. A
   * store that is away is asked again. Resolves after the first attempt; the rest goes on beside everything else.
   */
  async fill(target: number): Promise<void> {
    const done = await this.#attempt(target)
    if (!done) this.#filling = this.#keepFilling(target)
  }

  /** A record of the journal, in the journal's order. */
  see(readings: readonly Reading[]): void {
    for (const reading of readings) this.#take(reading, false)
  }

  async latest(stations?: readonly string[], before: Millis = LATEST): Promise<Reading[]> {
    const codes = stations ? [...new Set(stations)].sort() : this.#sortedCodes()
    return codes.flatMap(code => newestOf(this.#stations.get(code), before))
  }

  async close(): Promise<void> {
    this.#stopping.abort()
    await this.#filling
  }

  #sortedCodes(): readonly string[] {
    if (this.#codes.length !== this.#stations.size) this.#codes = [...this.#stations.keys()].sort()
    return this.#codes
  }

  async #keepFilling(target: number): Promise<void> {
    const { signal } = this.#stopping
    for (let wait = FIRST_WAIT_MS; await pause(wait, signal); wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
      if (await this.#attempt(target)) return
    }
  }

  /** True when the store held everything up to `target` before it was read. */
  async #attempt(target: number): Promise<boolean> {
    const { store, stored, clock, log } = this.#sources
    const reached = stored()
    try {
      for (const reading of await store.latest(undefined, clock() + CLOCK_TOLERANCE)) this.#take(reading, true)
      return reached >= target
    } catch (error) {
      log.warn({ code: codeOf(error) }, `the newest readings could not be read yet: ${messageOf(error)}`)
      return false
    }
  }

  #take(reading: Reading, fromStore: boolean): void {
    const newest = this.#newest(reading)
    const slot = reading.at > reading.receivedAt + CLOCK_TOLERANCE ? 'ahead' : 'current'
    const standing = newest[slot]
    if (!standing || replaces(reading, standing, fromStore)) newest[slot] = reading
  }

  #newest({ station, parameter }: Reading): Newest {
    let series = this.#stations.get(station)
    if (!series) this.#stations.set(station, (series = new Map<string, Newest>()))
    let newest = series.get(parameter)
    if (!newest) series.set(parameter, (newest = { current: null, ahead: null }))
    return newest
  }
}

/** Of one instant the higher revision stays, of equal ones the first; what the store holds came before what was just told. */
function replaces(reading: Reading, standing: Reading, fromStore: boolean): boolean {
  if (reading.at !== standing.at) return reading.at > standing.at
  return reading.revision > standing.revision || (fromStore && reading.revision === standing.revision)
}

function newestOf(series: ReadonlyMap<string, Newest> | undefined, before: Millis): Reading[] {
  if (!series) return []
  return [...series.keys()].sort().flatMap(parameter => {
    const { current, ahead } = series.get(parameter) ?? { current: null, ahead: null }
    const known = [current, ahead].filter(reading => reading !== null).sort((a, b) => b.at - a.at)
    return (known.find(reading => reading.at < before) ?? known[0]) || []
  })
}

/** False when the wait was broken off. */
const pause = (ms: number, signal: AbortSignal): Promise<boolean> => setTimeout(ms, true, { signal }).catch(() => false)
