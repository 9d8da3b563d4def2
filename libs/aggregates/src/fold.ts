import type { Flag, Millis, Reading } from '#libs/model'
import { HOUR, isUsable, MINUTE } from '#libs/model'
import type { Extreme, Part, Summary } from './aggregate.js'
import { deviationOf, directionOf, meanOf, quantileOf, sumOf } from './statistics.js'
import type { Terms } from './terms.js'
import type { Window } from './windows.js'
import { partsOf } from './windows.js'

/** A reading as far as sums need it, and whether it exceeds a limit that was in force. */
export interface Sample extends Pick<Reading, 'at' | 'value' | 'status' | 'flag' | 'flags'> {
  readonly exceeds: boolean
}

const TOP_SHARE = 0.95
/** g/m3 times m3 are grams. */
const GRAMS_PER_KILOGRAM = 1_000

/**
 * Sums up an hour. `samples` are the readings of the series in that window, one for each instant, in any order.
 * `flow`: mean flow of the same hour in m3/h where the terms ask for a load; null where there is none.
 */
export function foldHour(window: Window, samples: readonly Sample[], terms: Terms, flow: number | null = null): Part {
  const inTime = [...samples].sort((a, b) => a.at - b.at)
  const usable = inTime.filter(isUsable)
  const values = usable.map(sample => sample.value)
  const sorted = Float64Array.from(values).sort()
  const { mean, deviation } = terms.direction ? directionOf(values) : { mean: meanOf(values), deviation: deviationOf(values) }
  const expected = Math.round(HOUR / terms.every)
  return {
    values: sorted,
    summary: {
      ...counts(window, { received: inTime.length, count: usable.length, expected }, terms),
      mean,
      ...extremes(usable, terms),
      sum: sumOfHour(mean, values, terms, flow),
      p95: terms.direction ? null : quantileOf(sorted, TOP_SHARE),
      stddev: deviation,
      worstFlag: worstFlag(inTime.map(sample => sample.flag)),
      exceedanceMinutes: (usable.filter(sample => sample.exceeds).length * terms.every) / MINUTE
    }
  }
}

/**
 * Sums up a day from its hours, or a month from its days. `parts` are those that have any reading, in any order; what is missing
 * counts by its expected readings alone.
 */
export function foldParts(window: Window, parts: readonly Part[], terms: Terms): Part {
  const inTime = [...parts].sort((a, b) => a.summary.end - b.summary.end)
  const summaries = inTime.map(part => part.summary)
  const values = mergeSorted(inTime.map(part => part.values))
  const means = summaries.flatMap(({ mean }) => (mean === null ? [] : [mean]))
  const sums = summaries.flatMap(({ sum }) => (sum === null ? [] : [sum]))
  const total = (of: (summary: Summary) => number) => summaries.reduce((sum, summary) => sum + of(summary), 0)
  const expected = Math.round(((window.end - window.start) / HOUR) * Math.round(HOUR / terms.every))
  const tally = { received: total(s => s.received), count: total(s => s.count), expected }
  return {
    values,
    summary: {
      ...counts(window, tally, terms),
      mean: terms.direction ? directionOf(means).mean : meanOf(means),
      min: terms.direction
        ? null
        : extremeOf(
            summaries,
            s => s.min,
            (a, b) => a < b
          ),
      max: terms.direction
        ? null
        : extremeOf(
            summaries,
            s => s.max,
            (a, b) => a > b
          ),
      sum: sums.length === 0 ? null : sumOf(sums),
      p95: terms.direction ? null : quantileOf(values, TOP_SHARE),
      stddev: terms.direction ? directionOf(values).deviation : deviationOf(values),
      worstFlag: worstFlag(summaries.flatMap(({ worstFlag: flag }) => (flag === null ? [] : [flag]))),
      exceedanceMinutes: total(s => s.exceedanceMinutes)
    }
  }
}

/** How many parts of a window have figures, out of how many: for a day's hours, a month's days. */
export function coverageOf(window: Window, parts: readonly Part[]): { readonly present: number; readonly of: number } {
  return { present: parts.filter(part => part.summary.count > 0).length, of: partsOf(window).length }
}

type Counts = Pick<Summary, 'period' | 'start' | 'end' | 'received' | 'count' | 'expected' | 'completeness' | 'validShare' | 'sufficient'>

function counts(window: Window, tally: { received: number; count: number; expected: number }, terms: Terms): Counts {
  const completeness = tally.expected === 0 ? 0 : Math.min(1, tally.count / tally.expected)
  return {
    ...window,
    ...tally,
    completeness,
    validShare: tally.received === 0 ? null : tally.count / tally.received,
    sufficient: completeness >= terms.thresholds[window.period]
  }
}

function extremes(usable: readonly Sample[], { direction }: Terms): { min: Extreme | null; max: Extreme | null } {
  if (direction) return { min: null, max: null }
  // The first of equal ones, since they come in time.
  const reach = (better: (a: number, b: number) => boolean) =>
    usable.reduce<Extreme | null>((best, { value, at }) => (best === null || better(value, best.value) ? { value, at } : best), null)
  return { min: reach((a, b) => a < b), max: reach((a, b) => a > b) }
}

function extremeOf(
  summaries: readonly Summary[],
  pick: (summary: Summary) => Extreme | null,
  better: (a: number, b: number) => boolean
): Extreme | null {
  return summaries.reduce<Extreme | null>((best, summary) => {
    const candidate = pick(summary)
    if (!candidate) return best
    return best === null || better(candidate.value, best.value) ? candidate : best
  }, null)
}

function sumOfHour(mean: number | null, values: readonly number[], { sum, perHour }: Terms, flow: number | null): number | null {
  if (mean === null || sum === 'none') return null
  if (sum === 'total') return sumOf(values)
  if (sum === 'volume') return mean * perHour
  return flow === null ? null : (mean * flow) / GRAMS_PER_KILOGRAM
}

/** From sound to unsound: a value that is missing says less against its hour than one that is suspect or failed. */
const BY_GRAVITY: readonly Flag[] = [1, 2, 9, 3, 4]

function worstFlag(flags: readonly Flag[]): Flag | null {
  return BY_GRAVITY.reduce<Flag | null>((worst, flag) => (flags.includes(flag) ? flag : worst), null)
}

/** Lists in ascending order into one, two by two. */
function mergeSorted(lists: readonly Float64Array[]): Float64Array {
  let merged = lists
  while (merged.length > 1) {
    const pairs: Float64Array[] = []
    for (let n = 0; n < merged.length; n += 2) pairs.push(mergeTwo(merged[n] ?? NONE, merged[n + 1] ?? NONE))
    merged = pairs
  }
  return merged[0] ?? NONE
}

const NONE = new Float64Array()

function mergeTwo(a: Float64Array, b: Float64Array): Float64Array {
  if (b.length === 0) return a
  const merged = new Float64Array(a.length + b.length)
  let i = 0
  let j = 0
  for (let n = 0; n < merged.length; n++) {
    const left = a[i]
    const right = b[j]
    const takesLeft = right === undefined || (left !== undefined && left <= right)
    merged[n] = (takesLeft ? left : right) ?? 0
    if (takesLeft) i++
    else j++
  }
  return merged
}

/** Whether a reading belongs to a window. */
export const isWithin = (at: Millis, { start, end }: Window): boolean => at > start && at <= end
