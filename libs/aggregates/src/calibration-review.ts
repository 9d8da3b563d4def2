import type { CalibrationTerms, Millis } from '#libs/model'
import { DAY } from '#libs/model'
import type { StatusInterval } from './status-intervals.js'

/** Why a calibration is to be looked at by a person. An indicator for review, never an accusation. */
export type ReviewReason =
  | 'after-exceedance' // a measured value above the limit came shortly before it
  | 'exceeds-meanwhile' // values sent under status 01 lie above the limit: a standard solution, or what the outlet really carries
  | 'too-long'
  | 'too-often'

/** What was seen around a calibration. */
export interface CalibrationContext {
  /** The last measured value above a limit before the calibration; null: none. */
  readonly exceededAt: Millis | null
  /** Readings under status 01 whose values lie above a limit. */
  readonly exceedingMeanwhile: number
  /** Calibrations of the series that begin in the 24 hours up to and with this one. */
  readonly inDay: number
}

/**
 * Why a calibration is to be reviewed; none for an ordinary one. Hiding an exceedance behind status 01 takes it out of the statistics
 * (Circular 10/2021: values of status 01 are not used), so what looks like that is put before a person. The numbers are the station's setting.
 */
export function reviewReasons({ start, end }: StatusInterval, seen: CalibrationContext, terms: CalibrationTerms): ReviewReason[] {
  const reasons: ReviewReason[] = []
  if (seen.exceededAt !== null && start - seen.exceededAt <= terms.near) reasons.push('after-exceedance')
  if (seen.exceedingMeanwhile > 0) reasons.push('exceeds-meanwhile')
  if (end - start > terms.longest) reasons.push('too-long')
  if (seen.inDay > terms.perDay) reasons.push('too-often')
  return reasons
}

/** How many of the calibrations begin in the 24 hours up to and with an instant. */
export const calibrationsInDay = (intervals: readonly StatusInterval[], start: Millis): number =>
  intervals.filter(one => one.start > start - DAY && one.start <= start).length
