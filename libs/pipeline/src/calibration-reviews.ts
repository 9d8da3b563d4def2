import type { ReviewReason, StatusInterval } from '#libs/aggregates'
import { calibrationsInDay, reviewReasons } from '#libs/aggregates'
import type { CalibrationTerms, Millis, Reading, SeriesKey } from '#libs/model'
import { CALIBRATING, DAY, isUsable, MEASURING } from '#libs/model'
import type { TimeSeriesStore } from './ports.js'
import type { Standards } from './standards.js'
import type { StatusIntervals } from './status-intervals.js'

/** A calibration with why it is to be reviewed; no reason: it is an ordinary one. */
export interface ReviewedCalibration extends SeriesKey {
  readonly start: Millis
  readonly end: Millis
  readonly readings: number
  readonly reasons: readonly ReviewReason[]
  readonly exceededAt: Millis | null
  readonly exceedingMeanwhile: number
  readonly inDay: number
}

interface Sources {
  readonly intervals: Pick<StatusIntervals, 'find'>
  readonly store: Pick<TimeSeriesStore, 'range'>
  readonly standards: Standards
}

interface Span {
  readonly from: Millis
  readonly to: Millis
}

/** Calibrations of a series looked at in one go, and readings around one of them. */
const MOST = 10_000
const READINGS = 100_000

/** Calibrations held against what was measured around them: a function of the set of readings and the law, computed when asked. */
export class CalibrationReviews {
  readonly #sources: Sources

  constructor(sources: Sources) {
    this.#sources = sources
  }

  /** Calibrations that begin in `from <= t < to`, ascending. */
  async find(series: SeriesKey, { from, to }: Span, terms: CalibrationTerms): Promise<ReviewedCalibration[]> {
    const found = await this.#sources.intervals.find({ ...series, from: from - DAY, to, limit: MOST })
    const calibrations = found.filter(({ status }) => status === CALIBRATING)
    const reviewed: ReviewedCalibration[] = []
    for (const one of calibrations)
      if (one.start >= from && one.start < to) reviewed.push(await this.#review(series, one, { calibrations, terms }))
    return reviewed
  }

  async #review(
    series: SeriesKey,
    interval: StatusInterval,
    { calibrations, terms }: { readonly calibrations: readonly StatusInterval[]; readonly terms: CalibrationTerms }
  ): Promise<ReviewedCalibration> {
    const { start, end, readings: count } = interval
    const readings = await this.#sources.store.range({ ...series, from: start - terms.near, to: end, limit: READINGS })
    const before = readings.filter(reading => reading.at < start && isUsable(reading) && this.#exceeds(reading))
    const meanwhile = readings.filter(reading => reading.at >= start && reading.status === CALIBRATING && this.#exceeds(reading))
    const seen = {
      exceededAt: before.at(-1)?.at ?? null,
      exceedingMeanwhile: meanwhile.length,
      inDay: calibrationsInDay(calibrations, start)
    }
    return { ...series, start, end, readings: count, ...seen, reasons: reviewReasons(interval, seen, terms) }
  }

  /** As if it had been measured. */
  #exceeds(reading: Reading): boolean {
    const asMeasured: Reading = { ...reading, status: MEASURING, flag: 1, flags: [] }
    return this.#sources.standards.verdictOf(asMeasured) === 'exceeds'
  }
}
