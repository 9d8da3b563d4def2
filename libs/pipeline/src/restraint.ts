/** Records a second above which a server is busy: far more than a province's stations send, a tenth of what a machine can take. */
const BUSY_PER_SECOND = 1_500
/** Share of the time that work may take meanwhile. */
const SHARE = 0.08
const LONGEST_CREDIT_MS = 400
/** One piece of work may take far longer than that, and is paid back. */
const LONGEST_DEBT_MS = 5_000
const SECOND_MS = 1_000

/**
 * Keeps work that can wait out of the way of what is coming in: while many records come it gets a small share of the time, else all
 * of it. `now` in milliseconds, of any beginning.
 */
export class Restraint {
  readonly #now: () => number
  #second = Number.NEGATIVE_INFINITY
  #came = 0
  #cameBefore = 0
  #credit = LONGEST_CREDIT_MS
  #seenAt: number

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
    this.#seenAt = now()
  }

  came(records: number): void {
    this.#turn()
    this.#came += records
  }

  get busy(): boolean {
    this.#turn()
    return Math.max(this.#came, this.#cameBefore) > BUSY_PER_SECOND
  }

  /** Whether a piece of work may begin. */
  get allows(): boolean {
    const now = this.#now()
    this.#credit = Math.min(LONGEST_CREDIT_MS, this.#credit + (now - this.#seenAt) * SHARE)
    this.#seenAt = now
    return this.#credit > 0 || !this.busy
  }

  /** A piece of work took so long. */
  took(ms: number): void {
    this.#credit = Math.max(-LONGEST_DEBT_MS, this.#credit - ms)
  }

  #turn(): void {
    const second = Math.floor(this.#now() / SECOND_MS)
    if (second === this.#second) return
    this.#cameBefore = second === this.#second + 1 ? this.#came : 0
    this.#came = 0
    this.#second = second
  }
}
