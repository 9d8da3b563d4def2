import type { Consumer } from './consumer-runner.js'
import type { SequencedRecord } from './journal-source.js'
import type { LedgerAccount } from './ledger-ports.js'

/** One account of the ledger, as the consumer drives it. */
export interface AccountKeeper {
  readonly name: LedgerAccount
  start(): Promise<number>
  /** Loads what `enter` will need of these records. May throw, and be called again. */
  prepare(records: readonly SequencedRecord[], span: { readonly after: number; readonly upTo: number }): Promise<void>
  /** Enters the records in memory; must not fail. */
  enter(records: readonly SequencedRecord[]): void
  /** Writes what was entered, with the cursor. May throw, and be called again. */
  save(upTo: number): Promise<void>
  /** Forgets everything, in memory and on disk. */
  reset(): Promise<void>
}

/** Records entered in memory before they must be written. */
const MOST_UNSAVED = 50_000

/**
 * Keeps an account of the ledger from the journal. Entries are gathered in memory and written together by `flush`, with the cursor:
 * killed in between, the records come again and are entered again into what stood before them. So each counts once.
 */
export class LedgerConsumer implements Consumer {
  readonly name: string
  readonly #keeper: AccountKeeper
  readonly #onSaved: () => void
  #entered = 0
  #kept = 0
  #turn: Promise<unknown> = Promise.resolve()

  constructor(keeper: AccountKeeper, onSaved: () => void = () => {}) {
    this.name = keeper.name
    this.#keeper = keeper
    this.#onSaved = onSaved
  }

  async start(): Promise<number> {
    this.#entered = this.#kept = await this.#keeper.start()
    return this.#kept
  }

  kept(): number {
    return this.#kept
  }

  consume(records: readonly SequencedRecord[], upTo: number): Promise<void> {
    return this.#alone(async () => {
      if (upTo <= this.#entered) await this.#beginAnew() // the journal was put back to an earlier state
      if (this.#entered - this.#kept >= MOST_UNSAVED) await this.#save()
      await this.#keeper.prepare(records, { after: this.#entered, upTo })
      this.#keeper.enter(records)
      this.#entered = upTo
    })
  }

  /** Writes what was entered since the last time. */
  flush(): Promise<void> {
    return this.#alone(() => this.#save())
  }

  async #beginAnew(): Promise<void> {
    await this.#keeper.reset()
    this.#entered = this.#kept = 0
  }

  async #save(): Promise<void> {
    if (this.#entered === this.#kept) return
    await this.#keeper.save(this.#entered)
    this.#kept = this.#entered
    this.#onSaved()
  }

  #alone(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => {})
    return done
  }
}
