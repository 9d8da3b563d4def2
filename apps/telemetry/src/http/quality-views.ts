import type { z } from 'zod'
import type { DayCounts, Quality } from '#libs/dqi'
import { CRITERIA, CRITERION_OF, LOST_REASONS } from '#libs/dqi'
import { formatInstant, SECOND } from '#libs/model'
import { csvLines } from './csv.js'
import type { QualityDay } from './quality-days.js'
import type { LostPoint, SeriesQuality } from './quality-lost.js'
import type { LostPointView, QualityDayView, SeriesQualityView } from './quality-schemas.js'
import { readingView, refusalView } from './views.js'

const dateOf = (day: number): string => formatInstant(day).slice(0, 10)

const qualityView = ({ state, dqi, band, criteria }: Quality, lost: DayCounts['lost']) => ({
  state,
  dqi,
  band,
  criteria,
  lost: { ...lost }
})

export const qualityDayView = ({ day, quality, lost, parts, ...counts }: QualityDay): z.infer<typeof QualityDayView> => ({
  day: dateOf(day),
  ...counts,
  ...qualityView(quality, lost),
  parts: [...parts]
})

/** Without the parts: a column has one number. */
export function qualityCsv(days: readonly QualityDay[]): string {
  const rules = CRITERIA.flatMap(name => [name, `${name}_ok`, `${name}_total`])
  const columns = ['day', 'kind', 'station', 'stations', 'series', 'notKept', 'state', 'dqi', 'band', ...rules, ...LOST_REASONS]
  return csvLines(
    columns,
    days.map(({ day, kind, station, stations, series, notKept, quality: { state, dqi, band, criteria }, lost }) => [
      ...[dateOf(day), kind, station, stations, series, notKept, state, dqi, band],
      ...CRITERIA.flatMap(name => [criteria[name].score, criteria[name].ok, criteria[name].total]),
      ...LOST_REASONS.map(reason => lost[reason])
    ])
  )
}

interface Asked {
  readonly station: string
  readonly parameter: string
  readonly day: number
}

export function seriesQualityView({ station, parameter, day }: Asked, found: SeriesQuality): z.infer<typeof SeriesQualityView> {
  const { quality, lost, isKept, rejected, refusalsListed, items, next } = found
  return {
    ...{ station, parameter, day: dateOf(day), kept: isKept, stationRejected: { ...rejected }, refusalsListed, next },
    ...qualityView(quality, lost),
    items: items.map(lostPointView)
  }
}

function lostPointView({ at, reasons, what }: LostPoint): z.infer<typeof LostPointView> {
  const view = {
    at: formatInstant(at),
    reasons: [...reasons],
    criteria: [...new Set(reasons.map(reason => CRITERION_OF[reason]))],
    ...{ to: null, missing: null, delaySeconds: null, reading: null, refusal: null }
  }
  if (what.kind === 'missing') return { ...view, to: formatInstant(what.to), missing: what.missing }
  if (what.kind === 'reading')
    return { ...view, delaySeconds: (what.reading.receivedAt - what.reading.at) / SECOND, reading: readingView(what.reading) }
  const { payload: _, topic: __, ...refusal } = refusalView(what.refusal)
  return { ...view, refusal }
}
