/**
 * Rows of a table that one consumer alone writes: loaded when first met, changed in memory, written whole. What is neither changed
 * nor lately used is dropped when there are too many.
 */
export class LedgerRows<Row> {
  readonly #rows = new Map<string, Row>()
  readonly #changed = new Set<string>()
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  has(key: string): boolean {
    return this.#rows.has(key)
  }

  set(key: string, row: Row): void {
    this.#rows.set(key, row)
  }

  /** A row that is about to be changed. It must have been loaded or set. */
  change(key: string): Row {
    const row = this.#rows.get(key)
    if (row === undefined) throw new RangeError(`row ${key} was not loaded`)
    this.#changed.add(key)
    return row
  }

  changed(): Row[] {
    return [...this.#changed].map(key => this.change(key))
  }

  /** What was changed is written. */
  saved(): void {
    this.#changed.clear()
    for (const key of this.#rows.keys()) {
      if (this.#rows.size <= this.#most) return
      this.#rows.delete(key)
    }
  }

  clear(): void {
    this.#rows.clear()
    this.#changed.clear()
  }
}
