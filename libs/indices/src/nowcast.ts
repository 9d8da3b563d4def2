const HOURS = 12
const NEWEST = 3
const NEEDED = 2
const LEAST_WEIGHT = 0.5

/**
 * Nowcast of dust from the last twelve hourly means, oldest first (Decision 1459/QD-TCMT, 2.2.1). The weight is the least over the greatest mean, at
 * least one half. A missing hour has weight 0; without two of the latest three hours there is no Nowcast.
 *
 * With the weight at one half the text's sum is not normalised (`sum 0.5^i c_i`), so a missing hour biases it low. Taken as it stands: it is the
 * law's formula.
 */
export function nowcast(hours: readonly (number | undefined)[]): number | undefined {
  const newestFirst = hours.slice(-HOURS).reverse()
  const known = newestFirst.filter(hour => hour !== undefined)
  if (newestFirst.slice(0, NEWEST).filter(hour => hour !== undefined).length < NEEDED) return undefined
  const most = Math.max(...known)
  const weight = most > 0 ? Math.max(LEAST_WEIGHT, Math.min(...known) / most) : 1
  let [sum, weights] = [0, 0]
  newestFirst.forEach((hour, i) => {
    if (hour === undefined) return
    sum += weight ** i * hour
    weights += weight ** i
  })
  return weight > LEAST_WEIGHT ? sum / weights : sum * LEAST_WEIGHT
}
