import type { Millis, Reading, Verdict } from '#libs/model'
import { isUsable, valueIn, verdictOfBand } from '#libs/model'
import type { AlarmTransition } from './alarm.js'
import type { CompiledRules } from './rules.js'
import { Series } from './series.js'
import type { Hearing } from './silence.js'
import { Silences } from './silence.js'
import type { EngineState } from './snapshot.js'
import { decodeSnapshot, encodeSnapshot } from './snapshot.js'
import type { Placement } from './window.js'

/** One message of a station as it stands in the journal: the unit in which the past is repaired. */
export interface ReceivedReadings {
  readonly station: string
  readonly receivedAt: Millis
  readonly readings: readonly Reading[]
}

export interface WindowLimits {
  /** Readings kept of each series, whatever their number: 512 is 42 hours at 5 minutes. */
  readonly least: number
  /** No series keeps more: 17,280 is 60 days at 5 minutes, what a logger may send again (Circular 10/2021, Art. 39). */
  readonly most: number
  /** Readings kept altogether, shared evenly. 16 bytes each, so a million is 16 MB. */
  readonly budget: number
}

const WINDOW: WindowLimits = { least: 512, most: 17_280, budget: 1_000_000 }

/** Readings since the start of the process, by what became of them; each is counted once. Then what is held now. */
export interface EngineStats {
  /** Judged in order, judged late, and not usable (they hold their place but are not judged). */
  readonly inOrder: number
  readonly late: number
  readonly unusable: number
  /** Repeats, lower revisions, and equal revisions with another value. */
  readonly repeated: number
  readonly outdated: number
  readonly conflicts: number
  /** Older than the window: no longer able to change an episode. */
  readonly tooLate: number
  /** Ahead of the clock, which is no time to be judged at. */
  readonly clockAhead: number
  /** Of series without a rule. */
  readonly unruled: number
  readonly series: number
  readonly windowReadings: number
  readonly openAlarms: number
}

/** A stretch of alarm as the readings tell it. The id is left out: it alone may depend on the order of arrival. */
export interface EpisodeView {
  readonly rule: string
  readonly raisedAt: Millis
  readonly clearedAt: Millis | null
  readonly severity: Verdict
  readonly worst: number
}

type Counts = Record<'inOrder' | 'late' | 'unusable' | 'repeated' | 'outdated' | 'conflicts' | 'tooLate' | 'clockAhead' | 'unruled', number>

const COUNT_OF: Readonly<Record<Placement, keyof Counts>> = {
  inserted: 'late',
  replaced: 'late',
  noted: 'late',
  repeated: 'repeated',
  outdated: 'outdated',
  conflict: 'conflicts',
  'too-late': 'tooLate'
}

/**
 * Judges readings by the registry's rules. The episodes of a series are a function of the *set* of its readings in event time:
 * order of arrival, repeats and the cut of messages change nothing. What is published along the way (which alarm id an episode
 * bears, and by which transitions it came about) depends on the order of the messages, and on nothing else, so that a replay of
 * the same messages says the same again.
 */
export class Engine {
  #rules: CompiledRules
  readonly #limits: WindowLimits
  readonly #silences = new Silences()
  /** By station, then parameter; null for a series without a rule. */
  readonly #stations = new Map<string, Map<string, Series | null>>()
  #seriesCount = 0
  readonly #counts: Counts = {
    inOrder: 0,
    late: 0,
    unusable: 0,
    repeated: 0,
    outdated: 0,
    conflicts: 0,
    tooLate: 0,
    clockAhead: 0,
    unruled: 0
  }

  constructor(rules: CompiledRules, limits: Partial<WindowLimits> = {}) {
    this.#rules = rules
    this.#limits = { ...WINDOW, ...limits }
  }

  /** An engine as it was when `serialize` was called, rules included. Throws SnapshotError `QT_ALARM_SNAPSHOT`. */
  static restore(bytes: Uint8Array, limits: Partial<WindowLimits> = {}): Engine {
    const state = decodeSnapshot(bytes)
    const engine = new Engine(state.rules, limits)
    for (const [station, hearing] of state.hearings) engine.#silences.hearings.set(station, hearing)
    for (const series of state.series) engine.#hold(series)
    return engine
  }

  serialize(): Uint8Array {
    return encodeSnapshot(this.#state())
  }

  get rules(): CompiledRules {
    return this.#rules
  }

  /**
   * Takes one message. `sequence` is its place in the journal: it makes the ids of what late data changed unique.
   * Messages must come in the journal's order; readings within a message may have any.
   */
  apply(sequence: number, message: ReceivedReadings): AlarmTransition[] {
    const transitions: AlarmTransition[] = []
    if (message.readings.length === 0) return transitions
    this.#silences.hear(message.station, message.receivedAt, transitions)
    const station = this.#stationOf(message.station)
    const mark = `.${sequence}`
    const dirty: Series[] = []
    for (const reading of inEventTime(message.readings)) {
      const series = this.#seriesOf(station, reading)
      if (!series) this.#counts.unruled++
      else if (reading.flags.includes('clock-ahead')) this.#counts.clockAhead++
      else this.#take(series, reading, { mark, transitions, dirty })
    }
    for (const series of dirty) {
      transitions.push(...series.settle(mark))
      series.trim(this.#keep())
    }
    return transitions
  }

  /** The process begins to listen at `now`: nobody is silent because the server was away. */
  listen(now: Millis): void {
    this.#silences.listen(now)
  }

  /** Raises the silences that are due. Call it only when every message received before `now` has been applied. */
  tick(now: Millis): AlarmTransition[] {
    return this.#silences.tick(this.#rules, now)
  }

  /** The raising of each silence that stands: what must be recorded even if the process died just after noticing it. */
  standingSilences(): AlarmTransition[] {
    return this.#silences.standing()
  }

  /** Puts other rules in force. Alarms that are over stay as they were judged; the transitions tell what becomes of open ones. */
  adopt(rules: CompiledRules): AlarmTransition[] {
    if (rules.fingerprint === this.#rules.fingerprint) return []
    this.#rules = rules
    const mark = `.rules-${rules.fingerprint}`
    const transitions = this.#silences.adopt(rules)
    for (const series of this.#allSeries()) {
      const limits = rules.limitsOf(series.station, series.parameter)
      transitions.push(...series.adopt(limits, mark))
      if (limits.length === 0) this.#seriesCount--
    }
    for (const station of this.#stations.values())
      for (const [parameter, series] of station) if (!series?.tracks.length) station.delete(parameter)
    return transitions
  }

  /** Episodes of a series as far back as its window reaches, by rule and then by time. */
  episodes(station: string, parameter: string): EpisodeView[] {
    const tracks = this.#stations.get(station)?.get(parameter)?.tracks ?? []
    return tracks.flatMap(({ limit, fold, episodes }) =>
      episodes.map(({ raisedAt, clearedAt, top, worst }) => ({
        rule: limit.rule,
        raisedAt,
        clearedAt,
        severity: verdictOfBand(top),
        worst: clearedAt === null ? fold.worst : worst
      }))
    )
  }

  /** When a reading of the station was last received; undefined for one that was never heard, whose state is unknown. */
  heardAt(station: string): Millis | undefined {
    return this.#silences.hearings.get(station)?.heardAt
  }

  stats(): EngineStats {
    let windowReadings = 0
    let openAlarms = 0
    for (const { window, tracks } of this.#allSeries()) {
      windowReadings += window.count
      for (const track of tracks) if (track.open) openAlarms++
    }
    for (const { silence } of this.#silences.hearings.values()) if (silence) openAlarms++
    return { ...this.#counts, series: this.#seriesCount, windowReadings, openAlarms }
  }

  #take(series: Series, reading: Reading, round: { mark: string; transitions: AlarmTransition[]; dirty: Series[] }): void {
    const at = Math.trunc(reading.at)
    const value = usableValue(reading, series.unit)
    if (at > series.window.newest) {
      if (series.isDirty) round.transitions.push(...series.settle(round.mark))
      const begun = series.append(at, value, reading.revision, round.transitions)
      if (begun) series.trim(this.#keep())
      this.#counts[Number.isNaN(value) ? 'unusable' : 'inOrder']++
      return
    }
    const placement = series.put(at, value, reading.revision)
    const count = COUNT_OF[placement]
    this.#counts[count === 'late' && Number.isNaN(value) ? 'unusable' : count]++
    if (series.isDirty && !round.dirty.includes(series)) round.dirty.push(series)
  }

  #keep(): number {
    const { least, most, budget } = this.#limits
    return Math.min(most, Math.max(least, Math.floor(budget / this.#seriesCount)))
  }

  #stationOf(code: string): Map<string, Series | null> {
    let station = this.#stations.get(code)
    if (!station) this.#stations.set(code, (station = new Map<string, Series | null>()))
    return station
  }

  #seriesOf(station: Map<string, Series | null>, { station: code, parameter }: Reading): Series | null {
    const known = station.get(parameter)
    if (known !== undefined) return known
    const limits = this.#rules.limitsOf(code, parameter)
    const series = limits.length > 0 ? new Series(code, parameter, limits) : null
    station.set(parameter, series)
    if (series) this.#seriesCount++
    return series
  }

  #hold(series: Series): void {
    this.#stationOf(series.station).set(series.parameter, series)
    this.#seriesCount++
  }

  *#allSeries(): Generator<Series> {
    for (const station of this.#stations.values()) for (const series of station.values()) if (series) yield series
  }

  #state(): EngineState {
    const hearings: ReadonlyMap<string, Hearing> = this.#silences.hearings
    return { rules: this.#rules, hearings, series: [...this.#allSeries()] }
  }
}

/** Ascending, so that late readings come before those in order, and equal instants in the order in which they were sent. */
function inEventTime(readings: readonly Reading[]): readonly Reading[] {
  for (let i = 1; i < readings.length; i++) {
    if ((readings[i] as Reading).at < (readings[i - 1] as Reading).at) return [...readings].sort((a, b) => a.at - b.at)
  }
  return readings
}

function usableValue(reading: Reading, unit: string): number {
  if (!isUsable(reading)) return NaN
  return reading.unit === unit ? reading.value : (valueIn(reading.value, reading.unit, unit) ?? NaN)
}
