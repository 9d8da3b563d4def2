type Done = (error?: Error | null) => void

interface Pending {
  settled: boolean
  error: Error | null
  readonly done: Done
  readonly bytes: number
  next: Pending | null
}

/**
 * Answers in the order of arrival, whatever the order in which the work is finished [MQTT-4.6.0-2]. After the first failure
 * nothing is answered any more: the connection is being closed.
 */
export class InOrder {
  #first: Pending | null = null
  #last: Pending | null = null
  #failed = false
  #bytes = 0

  /** Of the work that is not answered yet. */
  get bytes(): number {
    return this.#bytes
  }

  add(work: Promise<void>, bytes: number, done: Done): void {
    const pending: Pending = { settled: false, error: null, done, bytes, next: null }
    this.#bytes += bytes
    if (this.#last) this.#last.next = pending
    else this.#first = pending
    this.#last = pending
    work.then(
      () => this.#settle(pending, null),
      (error: unknown) => this.#settle(pending, error as Error)
    )
  }

  #settle(pending: Pending, error: Error | null): void {
    pending.settled = true
    pending.error = error
    while (this.#first?.settled && !this.#failed) {
      const { done, error: failure, bytes, next } = this.#first
      this.#bytes -= bytes
      this.#first = next
      if (!next) this.#last = null
      this.#failed = failure !== null
      done(failure)
    }
  }
}
