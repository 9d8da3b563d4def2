import { Interval } from '@nestjs/schedule'
import { codeOf, MINUTE, messageOf, SECOND } from '#libs/model'
import type { Parts } from '../wiring/parts.js'

/** What must be done now and then. Each method is one call; a failure is logged and tried again next time. */
export class Housekeeping {
  readonly #parts: Pick<Parts, 'journal' | 'consumers' | 'log'>

  constructor(parts: Pick<Parts, 'journal' | 'consumers' | 'log'>) {
    this.#parts = parts
  }

  @Interval(2 * SECOND)
  closeWindows(): void {
    this.#parts.consumers.closeWindows()
  }

  @Interval(MINUTE)
  pruneJournal(): Promise<void> {
    return this.#attempt('pruning the journal', () => this.#parts.journal.prune(Date.now()))
  }

  async #attempt(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#parts.log.error({ code: codeOf(error) }, `${what}: ${messageOf(error)}`)
    }
  }
}
