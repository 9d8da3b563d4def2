import { keyOf, type Row } from './rows.js'

/** What must hold at every moment, and not only in the end: the warehouse forgets no row, and no revision goes down. */
export class RevisionWatch {
  readonly #highest = new Map<string, number>()
  readonly #faults: string[] = []

  /** Takes in what the warehouse holds now. */
  look(there: readonly Row[]): void {
    const left = new Set(this.#highest.keys())
    for (const row of there) {
      const key = keyOf(row)
      left.delete(key)
      const before = this.#highest.get(key) ?? 0
      if (row.revision < before) this.#faults.push(`${key} went from revision ${before} down to ${row.revision} in the warehouse`)
      this.#highest.set(key, Math.max(before, row.revision))
    }
    for (const key of left) this.#faults.push(`${key} has gone from the warehouse`)
  }

  /**
   * Takes in what is published here of the same series, asked after `there`: the warehouse must know nothing that we could forget, so
   * that each of its rows stands here too, with no lower revision.
   */
  compare(there: readonly Row[], here: readonly Row[]): void {
    const ours = new Map(here.map(row => [keyOf(row), row.revision]))
    for (const row of there) {
      const key = keyOf(row)
      const revision = ours.get(key) ?? 0
      if (revision < row.revision) this.#faults.push(`${key} has revision ${row.revision} in the warehouse and ${revision} here`)
    }
  }

  get faults(): readonly string[] {
    return this.#faults
  }

  /** Rows that were seen with a revision above 1, and the highest of all. */
  get revised(): { readonly rows: number; readonly highest: number } {
    const revisions = [...this.#highest.values()]
    return { rows: revisions.filter(revision => revision > 1).length, highest: Math.max(0, ...revisions) }
  }
}
