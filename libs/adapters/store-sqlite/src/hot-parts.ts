import type { Part } from './part.js'

/**
 * The part that was written last, per series, so that the next write need not read it again. Least recently used ones go
 * when all together are above the budget. Kept only while the file holds exactly the same: after a rollback, or a commit
 * of somebody else, `clear`.
 */
export class HotParts {
  readonly #parts = new Map<number, { readonly part: Part; readonly bytes: number }>()
  readonly #budgetBytes: number
  #bytes = 0

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  get(seriesId: number): Part | undefined {
    return this.#parts.get(seriesId)?.part
  }

  set(seriesId: number, part: Part): void {
    this.delete(seriesId)
    const bytes = part.footprint
    this.#parts.set(seriesId, { part, bytes })
    this.#bytes += bytes
    for (const oldest of this.#parts.keys()) {
      if (this.#bytes <= this.#budgetBytes) return
      this.delete(oldest)
    }
  }

  delete(seriesId: number): void {
    const held = this.#parts.get(seriesId)
    if (!held) return
    this.#parts.delete(seriesId)
    this.#bytes -= held.bytes
  }

  clear(): void {
    this.#parts.clear()
    this.#bytes = 0
  }
}
