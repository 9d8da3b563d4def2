import type { Millis, SeriesKey } from '#libs/model'
import type { StoredReading, WriteOutcome } from '#libs/pipeline'
import { ruleOn } from '#libs/pipeline'
import { seriesPrefix } from './points.js'

export type Fate = keyof WriteOutcome

/** A series as the writer remembers it. */
export interface SeriesMemory extends SeriesKey {
  readonly prefix: string
  /** Newest stored instant; minus infinity for a series that has none. A reading after it is new without a look. */
  newest: Millis
  /** The point at `newest`, where it is known whole. */
  standing: StoredReading | undefined
}

/** What one batch does with the point of one identity. */
export interface Change {
  readonly series: SeriesMemory
  reading: StoredReading
  /** True when InfluxDB has a point there already. */
  readonly overwrites: boolean
  /** False while the stored point is what shall stand. */
  dirty: boolean
  /** True while it is a stored point that no reading of the batch has met. */
  untouched: boolean
}

/** Two readings of one identity and revision that contradict each other, in the order in which they were found. */
export interface Contradiction {
  readonly kept: StoredReading
  readonly other: StoredReading
  /** Index of the reading in the batch that found it: its fate hangs on whether the conflict is known already. */
  readonly index: number
  /** True where the earlier journal record came later and ousted the other. */
  readonly ousted: boolean
}

export interface Plan {
  readonly changes: readonly Change[]
  readonly contradictions: readonly Contradiction[]
  /** Of each reading of the batch; those that found a contradiction count as repeated until it proves to be news. */
  readonly fates: Fate[]
  /** Indexes of readings that met themselves: the batch was written before, and broke off. */
  readonly known: ReadonlySet<number>
}

export function remember(key: SeriesKey, newest = Number.NEGATIVE_INFINITY): SeriesMemory {
  const { station, parameter } = key
  return { station, parameter, prefix: seriesPrefix('reading', key), newest, standing: undefined }
}

/** Answers the point that InfluxDB has at an identity, from what was looked up. */
export type Lookup = (series: SeriesMemory, at: Millis) => StoredReading | undefined

/** True for a reading that may meet a stored point which nobody remembers. */
export const needsLook = (series: SeriesMemory, reading: StoredReading): boolean =>
  reading.at <= series.newest && !(reading.at === series.newest && series.standing)

/**
 * Works out, without touching anything, what a batch changes: each identity at most once, whatever the batch holds of it.
 * `seriesOf` gives the series of a reading, `lookup` what is stored at or before a series' newest instant.
 */
export function planBatch(readings: readonly StoredReading[], seriesOf: (reading: StoredReading) => SeriesMemory, lookup: Lookup): Plan {
  const drafts = new Map<SeriesMemory, SeriesDraft>()
  const plan = { changes: [] as Change[], contradictions: [] as Contradiction[], fates: [] as Fate[], known: new Set<number>() }
  for (const reading of readings) {
    const series = seriesOf(reading)
    let draft = drafts.get(series)
    if (!draft) drafts.set(series, (draft = new SeriesDraft(series, lookup)))
    const change = draft.at(reading.at)
    if (change) plan.fates.push(meet(change, reading, plan))
    else {
      plan.changes.push(draft.add(reading))
      plan.fates.push('stored')
    }
  }
  return { ...plan, changes: plan.changes.concat([...drafts.values()].flatMap(draft => draft.met)).filter(change => change.dirty) }
}

interface PlanSoFar {
  readonly contradictions: Contradiction[]
  readonly fates: Fate[]
  readonly known: Set<number>
}

function meet(change: Change, reading: StoredReading, plan: PlanSoFar): Fate {
  const standing = change.reading
  const ruling = ruleOn(standing, reading)
  const index = plan.fates.length
  if (change.untouched && ruling === 'repeats' && standing.sequence === reading.sequence) plan.known.add(index)
  change.untouched = false
  if (ruling === 'contradicts') plan.contradictions.push({ kept: standing, other: reading, index, ousted: false })
  if (ruling === 'ousts') plan.contradictions.push({ kept: reading, other: standing, index, ousted: true })
  if (ruling !== 'repeats' && ruling !== 'contradicts') {
    change.reading = reading
    change.dirty = true
  }
  return ruling === 'replaces' ? 'replaced' : 'repeated'
}

/** The points of one series that a batch has come to. */
class SeriesDraft {
  /** Stored points that readings of the batch met. */
  readonly met: Change[] = []
  readonly #series: SeriesMemory
  readonly #lookup: Lookup
  readonly #added: Change[] = []
  #newest: Millis
  #byInstant: Map<Millis, Change> | null = null

  constructor(series: SeriesMemory, lookup: Lookup) {
    this.#series = series
    this.#lookup = lookup
    this.#newest = series.newest
  }

  /** What stands at an instant by now: in the batch, or in InfluxDB. */
  at(at: Millis): Change | undefined {
    if (at > this.#newest) return undefined
    this.#byInstant ??= new Map(this.#added.map(change => [change.reading.at, change]))
    const change = this.#byInstant.get(at)
    if (change || at > this.#series.newest) return change
    const stored = at === this.#series.newest && this.#series.standing ? this.#series.standing : this.#lookup(this.#series, at)
    if (!stored) return undefined
    const met = { series: this.#series, reading: stored, overwrites: true, dirty: false, untouched: true }
    this.met.push(met)
    this.#byInstant.set(at, met)
    return met
  }

  add(reading: StoredReading): Change {
    const change = { series: this.#series, reading, overwrites: false, dirty: true, untouched: false }
    if (this.#byInstant) this.#byInstant.set(reading.at, change)
    else this.#added.push(change)
    this.#newest = Math.max(this.#newest, reading.at)
    return change
  }
}
