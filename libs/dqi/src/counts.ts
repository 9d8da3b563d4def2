import type { Millis, Reading } from '#libs/model'
import { CALIBRATING, MEASURING } from '#libs/model'
import type { Grid, MissingStretch } from './completeness.js'
import { missingStretches, presentOf } from './completeness.js'

/** Đúng, đủ, sạch, sống: the four criteria that the provincial plan asks for, of those of regulations.md 6.1. */
export const CRITERIA = ['correct', 'complete', 'clean', 'live'] as const
export type Criterion = (typeof CRITERIA)[number]

/** Why a point was lost. */
export const LOST_REASONS = [
  'suspect', // correct: flag 3 (QARTOD)
  'fail', // correct: flag 4 or 9
  'missing', // complete: expected, and nothing that was measured or calibrated is there
  'refused', // clean: could not be used
  'conflicting', // clean: another value for an instant that has one, with an equal revision
  'status-assumed', // clean: no status was sent
  'clock-ahead', // clean: its time cannot be right
  'late' // live
] as const
export type LostReason = (typeof LOST_REASONS)[number]

/** Which criterion a reason takes a point from. */
export const CRITERION_OF: Readonly<Record<LostReason, Criterion>> = {
  suspect: 'correct',
  fail: 'correct',
  missing: 'complete',
  refused: 'clean',
  conflicting: 'clean',
  'status-assumed': 'clean',
  'clock-ahead': 'clean',
  late: 'live'
}

/** `DQI_rule = ok / total * 100` (regulations.md 6.1). */
export interface RuleCount {
  readonly ok: number
  readonly total: number
}

/** What a day of a series, of a station or of many of them is scored by. */
export interface DayCounts {
  readonly rules: Readonly<Record<Criterion, RuleCount>>
  /** Points lost, by reason. */
  readonly lost: Readonly<Record<LostReason, number>>
}

/** What of a reading decides its points. */
export type Sample = Pick<Reading, 'at' | 'status' | 'flag' | 'flags' | 'revision' | 'receivedAt'>

interface Points {
  /** The criteria that the reading is counted for. */
  readonly counted: readonly Criterion[]
  readonly lost: readonly LostReason[]
}

/**
 * The points of one reading.
 * - correct: of readings that measure (status 00); lost by a flag of suspect, fail or missing. Calibrations and faults are no measurements.
 * - clean: of all; lost where no status was sent (00 assumed) or the clock ran ahead. Another known unit is clean.
 * - live: received within `liveWithin` of its instant. A replacement (revision above 0) is not counted: when the first came is not kept.
 * What a clock ahead of time says of itself is not believed: such a reading is counted for `clean` alone.
 */
export function pointsOf({ at, status, flag, flags, revision, receivedAt }: Sample, liveWithin: Millis): Points {
  if (flags.includes('clock-ahead')) return { counted: ['clean'], lost: ['clock-ahead'] }
  const counted: Criterion[] = ['clean']
  const lost: LostReason[] = []
  if (status === MEASURING) {
    counted.push('correct')
    if (flag > 2) lost.push(flag === 3 ? 'suspect' : 'fail')
  }
  if (flags.includes('status-assumed')) lost.push('status-assumed')
  if (revision === 0) {
    counted.push('live')
    if (receivedAt - at > liveWithin) lost.push('late')
  }
  return { counted, lost }
}

/**
 * The readings that make a day complete: an instrument that measures or is being calibrated does its duty; one at fault (02, a maker's own)
 * delivers nothing that can be used.
 */
const isPresent = ({ status, flags }: Sample): boolean => (status === MEASURING || status === CALIBRATING) && !flags.includes('clock-ahead')

export interface SeriesDay {
  /** Of the day, ascending, each instant once, newest revision: as stores give them. */
  readonly readings: readonly Sample[]
  readonly grid: Grid
  readonly liveWithin: Millis
}

/** Counts a day of one series. What was refused or conflicts is added by `withRejected`: often nobody can tell of which series it was. */
export function countDay({ readings, grid, liveWithin }: SeriesDay): DayCounts {
  const totals = { correct: 0, complete: grid.expected, clean: 0, live: 0 }
  const lost = noneLost()
  for (const reading of readings) {
    const points = pointsOf(reading, liveWithin)
    for (const criterion of points.counted) totals[criterion]++
    for (const reason of points.lost) lost[reason]++
  }
  lost.missing = grid.expected - presentOf(presentInstants(readings), grid)
  return { rules: rulesOf(totals, lost), lost }
}

/** Where a day of a series is incomplete. */
export const incompleteStretches = ({ readings, grid }: Pick<SeriesDay, 'readings' | 'grid'>): MissingStretch[] =>
  missingStretches(presentInstants(readings), grid)

const presentInstants = (readings: readonly Sample[]): Millis[] => readings.filter(isPresent).map(({ at }) => at)

/** Adds what came and could not be used: each is a reading that came and is not clean. Same content again (a duplicate) is neither. */
export const withRejected = (
  counts: DayCounts,
  { refused, conflicting }: { readonly refused: number; readonly conflicting: number }
): DayCounts =>
  addCounts([
    counts,
    {
      rules: { ...NO_RULES, clean: { ok: 0, total: refused + conflicting } },
      lost: { ...noneLost(), refused, conflicting }
    }
  ])

/**
 * The counts of a data set: of its series, its stations or its days. Its scores are then the means of theirs, weighted by what each owed
 * or sent (regulations.md 6.1: fields and databases are weighted means).
 */
export function addCounts(all: readonly DayCounts[]): DayCounts {
  const totals = { correct: 0, complete: 0, clean: 0, live: 0 }
  const lost = noneLost()
  for (const counts of all) {
    for (const criterion of CRITERIA) totals[criterion] += counts.rules[criterion].total
    for (const reason of LOST_REASONS) lost[reason] += counts.lost[reason]
  }
  return { rules: rulesOf(totals, lost), lost }
}

function rulesOf(totals: Readonly<Record<Criterion, number>>, lost: Readonly<Record<LostReason, number>>): DayCounts['rules'] {
  const rule = (criterion: Criterion): RuleCount => {
    const gone = LOST_REASONS.reduce((sum, reason) => (CRITERION_OF[reason] === criterion ? sum + lost[reason] : sum), 0)
    return { ok: totals[criterion] - gone, total: totals[criterion] }
  }
  return { correct: rule('correct'), complete: rule('complete'), clean: rule('clean'), live: rule('live') }
}

const NOTHING: RuleCount = { ok: 0, total: 0 }
const NO_RULES: DayCounts['rules'] = { correct: NOTHING, complete: NOTHING, clean: NOTHING, live: NOTHING }

const noneLost = (): Record<LostReason, number> => ({
  suspect: 0,
  fail: 0,
  missing: 0,
  refused: 0,
  conflicting: 0,
  'status-assumed': 0,
  'clock-ahead': 0,
  late: 0
})
