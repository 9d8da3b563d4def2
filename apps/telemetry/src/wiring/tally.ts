/** Values counted by upper bound, as Prometheus' histograms want them. */
export interface TallyCounts {
  /** Values at or below each bound of the tally and above the one before; the last is for what is above all of them. */
  readonly counts: readonly number[]
  readonly sum: number
}

/** Counts values by plain additions: cheap enough for the path of every message. */
export class Tally {
  readonly bounds: readonly number[]
  readonly #counts: number[]
  #sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.#counts = new Array<number>(bounds.length + 1).fill(0)
  }

  add(value: number): void {
    const { bounds } = this
    let slot = 0
    while (slot < bounds.length && value > (bounds[slot] ?? 0)) slot++
    this.#counts[slot] = (this.#counts[slot] ?? 0) + 1
    this.#sum += value
  }

  counts(): TallyCounts {
    return { counts: [...this.#counts], sum: this.#sum }
  }
}

/** Seconds from a message's arrival until it is acknowledged: a commit of the journal takes milliseconds, a sick disk seconds. */
export const ACKNOWLEDGEMENT_SECONDS: readonly number[] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Seconds from a reading's instant until it is stored: moments as a rule, days where a station fills a gap. */
export const DELAY_SECONDS: readonly number[] = [0.1, 0.5, 1, 2, 5, 15, 60, 300, 900, 3_600, 21_600, 86_400]
