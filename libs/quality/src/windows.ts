import type { Flag, Millis } from '#libs/model'
import type { Sample } from './sample.js'

/** A window for each of some questions: the values with index `starts[i] <= n < ends[i]`. Neither ever goes back. NaN = no value. */
export interface Windows {
  readonly values: Float64Array
  readonly starts: Int32Array
  readonly ends: Int32Array
}

/** Index of each window's bound; a loop, since `Int32Array.from` takes ten times as long. */
export function boundsOf(length: number, of: (index: number) => number): Int32Array {
  const bounds = new Int32Array(length)
  for (let n = 0; n < length; n++) bounds[n] = of(n)
  return bounds
}

/** Index of the first sample of each window `at - span < t`. */
export function startsWithin(samples: readonly Pick<Sample, 'at'>[], span: Millis): Int32Array {
  let start = 0
  return boundsOf(samples.length, n => {
    const limit = (samples[n]?.at ?? 0) - span
    while ((samples[start]?.at ?? Number.POSITIVE_INFINITY) <= limit) start++
    return start
  })
}

/** Least and greatest value of each window; NaN where it has none. Each value is looked at twice at most. */
export const extremesOver = (windows: Windows): { readonly min: Float64Array; readonly max: Float64Array } => ({
  min: slide(windows, 1),
  max: slide(windows, -1)
})

/** The queue holds the indices of values that may yet become the least (of `sign` -1 the greatest) of a window, that one first. */
function slide({ values, starts, ends }: Windows, sign: 1 | -1): Float64Array {
  const queue = new Int32Array(values.length)
  const best = new Float64Array(starts.length)
  let head = 0
  let tail = 0
  let next = 0
  for (let i = 0; i < starts.length; i++) {
    for (const end = ends[i] ?? 0; next < end; next++) {
      const value = sign * (values[next] ?? Number.NaN)
      if (Number.isNaN(value)) continue
      while (tail > head && value <= sign * (values[queue[tail - 1] ?? 0] ?? 0)) tail--
      queue[tail++] = next
    }
    const start = starts[i] ?? 0
    while (head < tail && (queue[head] ?? 0) < start) head++
    best[i] = head < tail ? (values[queue[head] ?? 0] ?? Number.NaN) : Number.NaN
  }
  return best
}

/** How many values each window has. */
export function countsOver({ values, starts, ends }: Windows): Int32Array {
  const before = new Int32Array(values.length + 1)
  for (let n = 0; n < values.length; n++) before[n + 1] = (before[n] ?? 0) + (Number.isNaN(values[n]) ? 0 : 1)
  return boundsOf(starts.length, i => {
    const start = starts[i] ?? 0
    return (before[Math.max(start, ends[i] ?? 0)] ?? 0) - (before[start] ?? 0)
  })
}

/** Sum with the rounding error carried along (Neumaier 1974) of what `of` makes of the values from..to that are there. */
function sumOf(values: Float64Array, [from, to]: readonly [number, number], of: (value: number) => number): number {
  let sum = 0
  let lost = 0
  for (let n = from; n < to; n++) {
    const value = of(values[n] ?? Number.NaN)
    if (Number.isNaN(value)) continue
    const next = sum + value
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum
    sum = next
  }
  return sum + lost
}

/**
 * Sum of squared distances to the mean of the `count` values from..to, in two passes: its bits depend on those values alone. Taken less the
 * first of them, so that values which are all the same give exactly 0.
 */
export function scatterOf(values: Float64Array, [from, to]: readonly [number, number], count: number): number {
  let first = from
  while (first < to && Number.isNaN(values[first])) first++
  const origin = values[first] ?? Number.NaN
  const mean = sumOf(values, [first, to], value => value - origin) / count
  return sumOf(values, [first, to], value => (value - origin - mean) ** 2)
}

/**
 * Flags that follow from the standard deviation (divisor `count - ddof`) of each window. `flagOf` must be monotone in the deviation: as it grows
 * the flag may change from one to another, never back. It is asked with NaN where there is no deviation.
 *
 * The answer is that of `scatterOf` for each window, which would be its length in work. So running sums first say between what bounds the
 * deviation lies, however their rounding went; only where the bounds disagree about the flag is the window itself summed up.
 */
export function decideByDeviation(
  windows: Windows,
  flagOf: (index: number, deviation: number, count: number) => Flag,
  ddof: 0 | 1 = 0
): Flag[] {
  const counts = countsOver(windows)
  const running = new RunningScatter(windows.values)
  const decide = (i: number): Flag => {
    const start = windows.starts[i] ?? 0
    const end = windows.ends[i] ?? 0
    const count = counts[i] ?? 0
    running.moveTo(start, end)
    if (count <= ddof) return flagOf(i, Number.NaN, count)
    const deviation = (scatter: number): number => Math.sqrt(scatter / (count - ddof))
    const { low, high } = running.bounds(count)
    const flag = flagOf(i, deviation(low), count)
    return flag === flagOf(i, deviation(high), count) ? flag : flagOf(i, deviation(scatterOf(windows.values, [start, end], count)), count)
  }
  const flags: Flag[] = []
  for (let i = 0; i < windows.starts.length; i++) flags.push(decide(i))
  return flags
}

/** Most steps between two fresh starts, which keep the error of the sums small. */
const FRESH_AFTER = 512

/** Sums over a window that moves, of the values and of their squares, both less a value of the window. */
class RunningScatter {
  #start = 0
  #end = 0
  #shift = 0
  #sum = 0
  #squares = 0
  /** Since the last fresh start: values added and taken away, the greatest sum of squares, the most values. */
  #steps = 0
  #greatest = 0
  #most = 0

  constructor(private readonly values: Float64Array) {}

  moveTo(start: number, end: number): void {
    const steps = start - this.#start + (end - this.#end)
    if (start >= this.#end || this.#steps + steps > Math.max(FRESH_AFTER, end - start)) return this.#startAt(start, end)
    for (let n = this.#end; n < end; n++) this.#add(n, 1)
    for (let n = this.#start; n < start; n++) this.#add(n, -1)
    this.#start = start
    this.#end = end
  }

  /**
   * Bounds of the sum of squared distances to the mean, as `scatterOf` gives it. Each of `#steps` additions to a sum loses at most half a
   * unit in the last place of the greatest it has been; by Cauchy and Schwarz the square of the sum over `count` is no more than the
   * squares are, `#most / count` times over. `scatterOf` itself is off by a few units of the squares, `count` times over at most, and
   * `#steps` is no less. The factor leaves room for the roundings of squares, products and of this very line; the last term for those of
   * numbers too small to be relative.
   */
  bounds(count: number): { readonly low: number; readonly high: number } {
    const scatter = this.#squares - this.#sum ** 2 / count
    const units = 16 * (this.#steps + 4) * (1 + this.#most / count)
    const error = units * (Number.EPSILON * this.#greatest + Number.MIN_VALUE)
    return Number.isFinite(error) ? { low: Math.max(0, scatter - error), high: Math.max(0, scatter + error) } : EVERYTHING
  }

  #startAt(start: number, end: number): void {
    this.#start = start
    this.#end = end
    this.#sum = this.#squares = this.#steps = this.#greatest = this.#most = 0
    this.#shift = Number.NaN
    for (let n = start; n < end; n++) this.#add(n, 1)
  }

  #add(index: number, sign: 1 | -1): void {
    const value = this.values[index] ?? Number.NaN
    if (Number.isNaN(value)) return
    if (Number.isNaN(this.#shift)) this.#shift = value
    const shifted = value - this.#shift
    this.#sum += sign * shifted
    this.#squares += sign * shifted * shifted
    this.#steps++
    this.#most++
    this.#greatest = Math.max(this.#greatest, Math.abs(this.#squares))
  }
}

const EVERYTHING = { low: 0, high: Number.POSITIVE_INFINITY }
