import type { Millis, SeriesKey, Station } from '#libs/model'
import { seriesId } from '#libs/model'
import type { Plans } from '#libs/quality'
import { companionsOf, reach } from '#libs/quality'
import type { TermsOf } from './aggregate-ports.js'

/** A series whose figures may change with a reading of another (or the same) at t: those of `t - after <= at <= t + before`. */
export interface Affected extends SeriesKey {
  readonly before: Millis
  readonly after: Millis
}

export interface AffectedSeries {
  /** What a reading of a series changes; nothing of one that the registry does not know. */
  by(series: SeriesKey): readonly Affected[]
  seriesIn(station: string): readonly SeriesKey[]
}

/**
 * What a reading changes beside its own value: the flags of its neighbours, those of series that a quality rule holds against it, and the
 * loads that are made with a flow whose flags change.
 */
export function affectedSeries(stations: Iterable<Station>, termsOf: TermsOf, planOf: Plans): AffectedSeries {
  const known = new Map<string, readonly Affected[]>()
  const inStation = new Map<string, readonly SeriesKey[]>()
  for (const { code: station, parameters } of stations) {
    inStation.set(
      station,
      parameters.map(parameter => ({ station, parameter }))
    )
    for (const parameter of parameters)
      known.set(seriesId({ station, parameter }), affectedBy({ station, parameter }, { parameters, termsOf, planOf }))
  }
  return { by: series => known.get(seriesId(series)) ?? [], seriesIn: station => inStation.get(station) ?? [] }
}

interface Frame {
  readonly parameters: readonly string[]
  readonly termsOf: TermsOf
  readonly planOf: Plans
}

function affectedBy({ station, parameter }: SeriesKey, { parameters, termsOf, planOf }: Frame): Affected[] {
  const spans = new Map<string, { before: Millis; after: Millis }>()
  const widen = (of: string, { before, after }: { before: Millis; after: Millis }): void => {
    const known = spans.get(of)
    spans.set(of, { before: Math.max(before, known?.before ?? 0), after: Math.max(after, known?.after ?? 0) })
  }
  const ofParameter = (other: string) => ({ terms: termsOf({ station, parameter: other }), plan: planOf(station, other) })
  widen(parameter, { before: 0, after: 0 })
  for (const other of parameters) {
    const { plan } = ofParameter(other)
    if (plan && (other === parameter || companionsOf(plan).includes(parameter))) widen(other, reach(plan))
  }
  for (const other of parameters) {
    const flow = ofParameter(other).terms?.flow
    const span = flow && spans.get(flow.parameter)
    if (span) widen(other, span)
  }
  return [...spans].filter(([other]) => ofParameter(other).terms).map(([other, span]) => ({ station, parameter: other, ...span }))
}
