import type { Marks } from './store.js'

/** How far consumers have come. Sent to the writer in bulk, now and then: a mark must cost nothing. */
export class CursorMarks {
  readonly #send: (marks: Marks) => void
  readonly #intervalMs: number
  readonly #cursors = new Map<string, number>()
  #unsent = new Map<string, number | null>()
  #timer: NodeJS.Timeout | undefined

  constructor(intervalMs: number, send: (marks: Marks) => void) {
    this.#intervalMs = intervalMs
    this.#send = send
  }

  get cursors(): ReadonlyMap<string, number> {
    return this.#cursors
  }

  /** Takes what an earlier run left in the file. */
  load(saved: Marks): void {
    for (const [name, sequence] of saved) if (sequence !== null) this.#cursors.set(name, sequence)
  }

  set(name: string, sequence: number): void {
    const before = this.#cursors.get(name)
    if (before === sequence) return
    this.#cursors.set(name, sequence)
    this.#unsent.set(name, sequence)
    // A new consumer, and one that goes back to read again, must hold retention up from now on.
    if (before === undefined || sequence < before) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), this.#intervalMs).unref()
  }

  forget(name: string): void {
    if (!this.#cursors.delete(name)) return
    this.#unsent.set(name, null)
    this.flush()
  }

  /** Sends what the writer does not know yet. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#unsent.size === 0) return
    this.#send(this.#unsent)
    this.#unsent = new Map()
  }

  /** Sends everything to a fresh writer, which knows only what the file holds. */
  resend(saved: Marks): void {
    this.#unsent = new Map([...[...saved.keys()].map(name => [name, null] as const), ...this.#cursors])
    this.flush()
  }
}
