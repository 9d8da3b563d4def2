interface Entry<T> {
  readonly item: T
  sent: boolean
}

/**
 * What a device has measured and nobody has acknowledged, oldest first, at most `capacity` items. When it is full the
 * oldest item that is not under way is dropped and counted: the newest matter most, and a logger's memory has an end.
 */
export class SendBuffer<T> {
  readonly capacity: number
  readonly #entries: Entry<T>[] = []
  #dropped = 0

  constructor(capacity: number) {
    this.capacity = capacity
  }

  get length(): number {
    return this.#entries.length
  }

  get underWay(): number {
    return this.#entries.reduce((count, entry) => count + (entry.sent ? 1 : 0), 0)
  }

  get dropped(): number {
    return this.#dropped
  }

  push(item: T): void {
    this.#entries.push({ item, sent: false })
    if (this.#entries.length <= this.capacity) return
    const oldest = this.#entries.findIndex(entry => !entry.sent)
    this.#entries.splice(oldest, 1)
    this.#dropped++
  }

  /** The oldest item that is not under way, now marked as being so; undefined when there is none. */
  take(): T | undefined {
    const entry = this.#entries.find(candidate => !candidate.sent)
    if (!entry) return undefined
    entry.sent = true
    return entry.item
  }

  /** The item has been acknowledged and is forgotten. */
  acknowledge(item: T): void {
    const index = this.#entries.findIndex(entry => entry.item === item)
    if (index >= 0) this.#entries.splice(index, 1)
  }

  /** The item did not get through; it keeps its place and will be taken again. */
  giveBack(item: T): void {
    const entry = this.#entries.find(candidate => candidate.item === item)
    if (entry) entry.sent = false
  }
}
