import { codeOf, messageOf } from '#libs/model'

interface Closer {
  readonly name: string
  readonly close: () => Promise<void> | void
}

export interface CloseFailure {
  readonly name: string
  readonly code: string
  readonly message: string
}

/**
 * What must be closed, last in first out. Nest closes the providers of one module in parallel, so the product keeps this
 * list of its own and calls it from one hook. A step that fails does not stop the others.
 */
export class Closers {
  #closers: Closer[] = []

  /** Registers a part that has just been opened, and returns it. */
  add<T extends { close(): Promise<void> | void }>(name: string, part: T): T {
    this.#closers.push({ name, close: () => part.close() })
    return part
  }

  /** Registers a step that is no part of its own. */
  defer(name: string, close: () => Promise<void> | void): void {
    this.#closers.push({ name, close })
  }

  /** Closes everything, newest first; safe to call twice. Returns what failed. */
  async close(): Promise<CloseFailure[]> {
    const closers = this.#closers.reverse()
    this.#closers = []
    const failures: CloseFailure[] = []
    for (const { name, close } of closers) {
      try {
        await close()
      } catch (error) {
        failures.push({ name, code: codeOf(error), message: messageOf(error) })
      }
    }
    return failures
  }
}
