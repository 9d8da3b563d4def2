import { codeOf, messageOf } from '#libs/model'
import type { JournalSource, LedgerBook, Log, StoreConsumer, TimeSeriesStore } from '#libs/pipeline'
import { BoundedSource, ConsumerRunner, GAP_INTERVALS, LedgerConsumer, OutcomeKeeper, ReceiptKeeper } from '#libs/pipeline'

interface Sources {
  readonly book: LedgerBook
  readonly store: TimeSeriesStore
  readonly storing: Pick<StoreConsumer, 'kept'>
  readonly source: JournalSource
  readonly intervals: ReadonlyMap<string, number>
  readonly log: Log
}

/** How often the ledger is written. Short enough to be called now, long enough that a busy server writes each row once for thousands of readings. */
const WRITE_MS = 250
/** Of a thread's time, the ledger's writing takes at most three hundredths. */
const REST = 30
const DEFAULT_INTERVAL_MS = 300_000

/** The two consumers of the ledger: what comes in, and, as far as the store and the first have come, what became of it. */
export function openLedger({ book, store, storing, source, intervals, log }: Sources) {
  const toleranceOf = (station: string): number => GAP_INTERVALS * (intervals.get(station) ?? DEFAULT_INTERVAL_MS)
  const receipts = new LedgerConsumer(new ReceiptKeeper(book))
  const outcomes = new LedgerConsumer(new OutcomeKeeper({ book, store, toleranceOf }))
  const bounded = new BoundedSource(source, [() => storing.kept(), () => receipts.kept()])
  const outcomeRunner = new ConsumerRunner(outcomes, { source: bounded, log })
  const writing = new Writing(async () => {
    await receipts.flush()
    outcomeRunner.wake()
    await outcomes.flush()
  }, log)
  return { runners: [new ConsumerRunner(receipts, { source, log }), outcomeRunner], close: () => writing.close() }
}

/** Calls `write` again and again, with a pause that grows with what it took. */
class Writing {
  readonly #write: () => Promise<void>
  readonly #log: Log
  #timer: NodeJS.Timeout
  #turn: Promise<void> = Promise.resolve()
  #closed = false
  #failed = false

  constructor(write: () => Promise<void>, log: Log) {
    this.#write = write
    this.#log = log
    this.#timer = setTimeout(() => this.#next(), WRITE_MS)
  }

  /** Writes once more; what cannot be written comes from the journal at the next start. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#turn
    await this.#attempt()
  }

  #next(): void {
    const begun = performance.now()
    this.#turn = this.#attempt().then(() => {
      const pause = Math.max(WRITE_MS, (performance.now() - begun) * REST)
      if (!this.#closed) this.#timer = setTimeout(() => this.#next(), pause)
    })
  }

  async #attempt(): Promise<void> {
    try {
      await this.#write()
      this.#failed = false
    } catch (error) {
      if (!this.#failed) this.#log.error({ code: codeOf(error) }, `the ledger cannot be written and is tried again: ${messageOf(error)}`)
      this.#failed = true
    }
  }
}
