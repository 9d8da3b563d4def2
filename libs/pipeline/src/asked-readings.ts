import type { CorrectedReading, Correction, StandingCorrection } from '#libs/corrections'
import { overlay, spanOf, standingAt, touches } from '#libs/corrections'
import type { Millis, SeriesKey } from '#libs/model'
import { LATEST } from '#libs/model'
import type { FlaggedReading, FlaggedReadings } from './flagged-readings.js'
import type { RangeQuery } from './ports.js'

/** Which of the two series, and as they were known when. */
export interface Asked {
  readonly as: 'raw' | 'corrected'
  /** Readings received and corrections accepted by then; null: as they are now. */
  readonly asOf: Millis | null
}

export interface AskedReadings {
  readonly readings: readonly CorrectedReading<FlaggedReading>[]
  /** Instants of all raw readings that were looked at, whether they were known by then or not: a page ends at one of them. */
  readonly looked: readonly Millis[]
  /**
   * Instants that hold a later revision than was known at `asOf`. Whether another value stood there by then, and which, is in the
   * journal alone: the store keeps the newest revision. So nothing is given for them.
   */
  readonly replacedLater: readonly Millis[]
}

export interface CorrectionSource {
  /** Corrections of a series that were accepted at some time and are about `from <= at <= to`, also those taken back since. */
  accepted(query: SeriesKey & { readonly from: Millis; readonly to: Millis; readonly limit: number }): Promise<Correction[]>
}

/** What was asked for would be computed from more than an answer may cost. */
export class TooWideError extends Error {
  override readonly name = 'TooWideError'
  readonly code = 'QT_CORRECTION_TOO_WIDE'
}

/** Corrections that one answer may rest on: each is compared with each reading. */
const MOST_CORRECTIONS = 1_000

/**
 * The raw or the corrected readings of a series, as they were known at any instant. Raw readings are only ever read. Their flags are those
 * of the tests, and a correction of a flag stands above them.
 */
export class ReadingsAsked {
  readonly #store: Pick<FlaggedReadings, 'range'>
  readonly #corrections: CorrectionSource

  constructor(store: Pick<FlaggedReadings, 'range'>, corrections: CorrectionSource) {
    this.#store = store
    this.#corrections = corrections
  }

  /** Ascending; `limit` counts the raw readings that are looked at. @throws TooWideError */
  async range(query: RangeQuery, asked: Asked): Promise<AskedReadings> {
    const raw = await this.#store.range(query, asked.asOf)
    const [first, last] = [raw.at(0), raw.at(-1)]
    if (!first || !last) return { readings: [], looked: [], replacedLater: [] }
    return seen(raw, await this.standing(query, { from: first.at, to: last.at }, asked), asked.asOf)
  }

  /** The same with corrections that are known to the caller. */
  async rangeWith(query: RangeQuery, corrections: readonly StandingCorrection[], asOf: Millis | null): Promise<AskedReadings> {
    return seen(await this.#store.range(query, asOf), corrections, asOf)
  }

  /**
   * What a correction would make of the readings it is about, were it accepted now on top of those that stand: for the one who is to approve
   * it. `limit` counts the raw readings of its span that are looked at. @throws TooWideError
   */
  async preview(correction: Correction, page: { readonly from: Millis; readonly limit: number }): Promise<AskedReadings> {
    const { station, parameter, change, id } = correction
    const { from, to } = spanOf(change)
    const raw = await this.#store.range({ station, parameter, from: Math.max(from, page.from), to: to + 1, limit: page.limit })
    const standing = await this.standing(correction, { from, to }, { as: 'corrected', asOf: null })
    const all = [...standing.filter(other => other.id !== id), { ...correction, acceptedAt: LATEST }]
    const { readings, ...rest } = seen(raw, all, null)
    return { ...rest, readings: readings.filter(({ raw: { at } }) => touches(change, { from: at, to: at })) }
  }

  /** Corrections that make the series what it is in `from <= at <= to`; none of the raw one. @throws TooWideError */
  async standing(
    { station, parameter }: SeriesKey,
    { from, to }: { readonly from: Millis; readonly to: Millis },
    { as, asOf }: Asked
  ): Promise<StandingCorrection[]> {
    if (as === 'raw') return []
    const found = await this.#corrections.accepted({ station, parameter, from, to, limit: MOST_CORRECTIONS + 1 })
    if (found.length > MOST_CORRECTIONS) throw new TooWideError(`more than ${MOST_CORRECTIONS} corrections: ask for a shorter span`)
    return standingAt(found, asOf)
  }
}

function seen(raw: readonly FlaggedReading[], corrections: readonly StandingCorrection[], asOf: Millis | null): AskedReadings {
  const looked = raw.map(({ at }) => at)
  if (asOf === null) return { readings: overlay(raw, corrections), looked, replacedLater: [] }
  const known = raw.filter(({ receivedAt }) => receivedAt <= asOf)
  const replaced = raw.filter(({ receivedAt, revision }) => receivedAt > asOf && revision > 0)
  return { readings: overlay(known, corrections), looked, replacedLater: replaced.map(({ at }) => at) }
}
