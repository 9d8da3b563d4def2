import type { Flag, Millis } from '#libs/model'
import type { Sample } from './sample.js'
import { flagEach, numberOf, valuesOf } from './sample.js'
import type { Windows } from './windows.js'
import { boundsOf, countsOver, extremesOver } from './windows.js'

/** Flags of two series that were held against each other, sample by sample. */
export interface Pair {
  readonly first: Flag[]
  readonly second: Flag[]
}

/**
 * Of two values at the same instant the one must be less than the other and `margin` (BOD5 < COD: what bacteria can oxidise is part of what
 * dichromate can; one of the ministry's rules, regulations.md 1.6), or both are 3. 2 where the other has no value at that instant.
 */
export const lessThan = (lesser: readonly Sample[], greater: readonly Sample[], margin = 0): Pair => ({
  first: againstOther(lesser, greater, (value, other) => value < other + margin),
  second: againstOther(greater, lesser, (value, other) => other < value + margin)
})

function againstOther(samples: readonly Sample[], others: readonly Sample[], agrees: (value: number, other: number) => boolean): Flag[] {
  let next = 0
  return flagEach(samples, (value, n) => {
    const at = samples[n]?.at ?? 0
    while ((others[next]?.at ?? Number.POSITIVE_INFINITY) < at) next++
    const partner = others[next]
    const other = partner?.at === at ? numberOf(partner) : Number.NaN
    return Number.isNaN(other) ? 2 : agrees(value, other) ? 1 : 3
  })
}

export interface StillFlow {
  /** The flow stands still while it is no further from 0 than this. */
  readonly within: number
  /** More change than this of the other value, greatest less least, does not go with water that stands. */
  readonly change: number
  /** The time that is looked at, back from each sample: `at - window < t <= at`. */
  readonly window: Millis
  /** Fewer values of either series in that time say nothing: 2. */
  readonly minPoints: number
}

/** A flow that stands still through a window in which another value of the same water changes: one of the two is wrong, both are 3. */
export const stillFlow = (flow: readonly Sample[], other: readonly Sample[], settings: StillFlow): Pair => ({
  first: stillFlowAt(flow, { flow, other }, settings),
  second: stillFlowAt(other, { flow, other }, settings)
})

/** The same for the windows that end at the instants of `samples`. */
export function stillFlowAt(
  samples: readonly Sample[],
  { flow, other }: { readonly flow: readonly Sample[]; readonly other: readonly Sample[] },
  settings: StillFlow
): Flag[] {
  const stands = standing(windowsAt(flow, samples, settings.window), settings)
  const changes = changing(windowsAt(other, samples, settings.window), settings)
  return flagEach(samples, (_, n) => {
    const still = stands(n)
    const moved = changes(n)
    return still === undefined || moved === undefined ? 2 : still && moved ? 3 : 1
  })
}

type Answer = (index: number) => boolean | undefined

function standing(windows: Windows, { within, minPoints }: StillFlow): Answer {
  const counts = countsOver(windows)
  const { min, max } = extremesOver(windows)
  return n => ((counts[n] ?? 0) < minPoints ? undefined : (max[n] ?? Number.NaN) <= within && (min[n] ?? Number.NaN) >= -within)
}

function changing(windows: Windows, { change, minPoints }: StillFlow): Answer {
  const counts = countsOver(windows)
  const { min, max } = extremesOver(windows)
  return n => ((counts[n] ?? 0) < minPoints ? undefined : (max[n] ?? Number.NaN) - (min[n] ?? Number.NaN) > change)
}

/** The windows of `samples` that end at the instants of `questions`. */
function windowsAt(samples: readonly Sample[], questions: readonly Sample[], window: Millis): Windows {
  const firstAfter = (offset: Millis): Int32Array => {
    let index = 0
    return boundsOf(questions.length, n => {
      const limit = (questions[n]?.at ?? 0) - offset
      while ((samples[index]?.at ?? Number.POSITIVE_INFINITY) <= limit) index++
      return index
    })
  }
  return { values: valuesOf(samples), starts: firstAfter(window), ends: firstAfter(0) }
}
