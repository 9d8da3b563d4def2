import type { Flag, Millis, Reading } from '#libs/model'
import { seriesId } from '#libs/model'
import type { Change, Correction } from './correction.js'

/** A correction as far as the overlay needs it. */
export type StandingCorrection = Pick<Correction, 'id' | 'station' | 'parameter' | 'change'> & { readonly acceptedAt: Millis }

/** A reading of the corrected series beside its raw one. */
export interface CorrectedReading<R extends Reading = Reading> {
  /** The raw reading itself where nothing was corrected. Sensor status, reasons, revision and road are always the raw one's. */
  readonly reading: R
  readonly raw: R
  /** Corrections that made it what it is, ascending; empty where nothing was corrected. */
  readonly corrections: readonly number[]
  /** Taken out of the statistics by a correction. */
  readonly excluded: boolean
}

/** Of a removed reading: QARTOD "fail" is what every reader of the series leaves out (regulations.md 7.1). */
const REMOVED: Flag = 4
/** Of a replaced reading: no test of ours has seen the new value. */
const REPLACED: Flag = 2

/** Corrections that were part of the corrected series at an instant; null: that are part of it now. */
export function standingAt<C extends Pick<Correction, 'acceptedAt' | 'withdrawnAt'>>(
  corrections: readonly C[],
  asOf: Millis | null
): (C & { readonly acceptedAt: Millis })[] {
  return corrections.filter((correction): correction is C & { readonly acceptedAt: Millis } => {
    const { acceptedAt, withdrawnAt } = correction
    if (acceptedAt === null) return false
    return asOf === null ? withdrawnAt === null : acceptedAt <= asOf && (withdrawnAt === null || withdrawnAt > asOf)
  })
}

/**
 * The corrected series: a function of the set of raw readings (one for each identity) and the set of accepted corrections. Neither
 * order nor repeats matter, and the raw readings are left as they are. Ascending by series and instant.
 *
 * A reading's value is decided by the one correction, of those that replace or scale it, that was accepted last; its flag by the last of
 * those that remove, replace or flag it. Each works on the raw value: an overlap corrects once, never twice, and what one correction means
 * does not change with what becomes of another. Equal instants of acceptance: the higher id counts as the later.
 */
export function overlay<R extends Reading>(raw: readonly R[], corrections: readonly StandingCorrection[]): CorrectedReading<R>[] {
  const rulings = new Map<string, Rulings>()
  for (const correction of [...corrections].sort(newestFirst)) {
    const id = seriesId(correction)
    const known = rulings.get(id) ?? { values: [], flags: [] }
    rulings.set(id, known)
    if (DECIDES_VALUE.has(correction.change.kind)) known.values.push(asRuling(correction))
    if (correction.change.kind !== 'scale') known.flags.push(asRuling(correction))
  }
  return raw.map(reading => corrected(reading, rulings.get(seriesId(reading)))).sort(inTime)
}

interface Ruling {
  readonly id: number
  readonly change: Change
  /** Replacements by instant; null for a span. */
  readonly values: ReadonlyMap<Millis, number> | null
}

/** Of one series, accepted last first. */
interface Rulings {
  readonly values: Ruling[]
  readonly flags: Ruling[]
}

const DECIDES_VALUE: ReadonlySet<Change['kind']> = new Set(['replace', 'scale'])

const asRuling = ({ id, change }: StandingCorrection): Ruling => ({
  id,
  change,
  values: change.kind === 'replace' ? new Map(change.values.map(({ at, value }) => [at, value])) : null
})

const newestFirst = (a: StandingCorrection, b: StandingCorrection): number => b.acceptedAt - a.acceptedAt || b.id - a.id

function inTime({ raw: a }: CorrectedReading, { raw: b }: CorrectedReading): number {
  if (a.station !== b.station) return a.station < b.station ? -1 : 1
  if (a.parameter !== b.parameter) return a.parameter < b.parameter ? -1 : 1
  return a.at - b.at
}

function corrected<R extends Reading>(raw: R, rulings: Rulings | undefined): CorrectedReading<R> {
  const ofValue = rulings?.values.find(ruling => isAbout(ruling, raw.at))
  const ofFlag = rulings?.flags.find(ruling => isAbout(ruling, raw.at))
  if (!ofValue && !ofFlag) return { reading: raw, raw, corrections: [], excluded: false }
  const value = ofValue ? valueBy(ofValue, raw) : raw.value
  // A scale that leads beyond every number: what is left is the raw value, which must not count.
  const isLost = !Number.isFinite(value)
  const excluded = isLost || ofFlag?.change.kind === 'remove'
  const flag = excluded ? REMOVED : flagBy(ofFlag, raw)
  const ids = [ofValue, ofFlag].flatMap(ruling => (ruling ? [ruling.id] : []))
  return {
    reading: { ...raw, value: isLost ? raw.value : value, flag },
    raw,
    corrections: [...new Set(ids)].sort((a, b) => a - b),
    excluded
  }
}

const isAbout = ({ change, values }: Ruling, at: Millis): boolean =>
  change.kind === 'replace' ? values?.has(at) === true : at >= change.from && at <= change.to

function valueBy({ change, values }: Ruling, raw: Reading): number {
  if (change.kind === 'scale') return raw.value * change.factor + change.offset
  return values?.get(raw.at) ?? raw.value
}

function flagBy(ruling: Ruling | undefined, raw: Reading): Flag {
  if (ruling?.change.kind === 'set-flag') return ruling.change.flag
  return ruling ? REPLACED : raw.flag
}
