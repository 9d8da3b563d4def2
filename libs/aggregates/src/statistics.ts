/** Statistics of plain numbers. Each is a function of its arguments in their order, so a caller that sorts gets the same bits always. */

/** Sum with the rounding error carried along (Neumaier 1974), of the values or of what `of` makes of each. */
export function sumOf(values: ArrayLike<number>, of: (value: number) => number = same): number {
  let sum = 0
  let lost = 0
  for (let n = 0; n < values.length; n++) {
    const value = of(values[n] ?? 0)
    const next = sum + value
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum
    sum = next
  }
  return sum + lost
}

const same = (value: number): number => value

/** Arithmetic mean, or null of nothing. */
export const meanOf = (values: ArrayLike<number>): number | null => (values.length === 0 ? null : sumOf(values) / values.length)

/** Standard deviation of all the values there are (divisor n), or null of nothing. */
export function deviationOf(values: ArrayLike<number>): number | null {
  const mean = meanOf(values)
  return mean === null ? null : Math.sqrt(sumOf(values, value => (value - mean) ** 2) / values.length)
}

/**
 * Quantile with linear interpolation between order statistics (type 7 of Hyndman and Fan, The American Statistician 50, 1996:
 * what R and NumPy do by default). `sorted` ascending; null of nothing.
 */
export function quantileOf(sorted: ArrayLike<number>, share: number): number | null {
  if (sorted.length === 0) return null
  const position = (sorted.length - 1) * share
  const below = Math.floor(position)
  const low = sorted[below] ?? 0
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? low
  return low + (high - low) * (position - below)
}

const RADIANS = Math.PI / 180

/** Mean direction and scatter of angles in degrees, 0 included to 360 excluded (Mardia and Jupp, Directional Statistics, 2000, 2.2 and 2.3). */
export function directionOf(degrees: ArrayLike<number>): { readonly mean: number | null; readonly deviation: number | null } {
  if (degrees.length === 0) return { mean: null, deviation: null }
  const east = sumOf(degrees, angle => Math.sin(angle * RADIANS)) / degrees.length
  const north = sumOf(degrees, angle => Math.cos(angle * RADIANS)) / degrees.length
  const length = Math.hypot(east, north)
  // Opposite winds have no mean direction; rounding leaves a trace of one.
  if (length < 1e-12) return { mean: null, deviation: null }
  const mean = (Math.atan2(east, north) / RADIANS + 360) % 360
  return { mean, deviation: Math.sqrt(Math.max(0, -2 * Math.log(Math.min(1, length)))) / RADIANS }
}
