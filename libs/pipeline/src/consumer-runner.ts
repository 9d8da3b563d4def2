import { codeOf, messageOf } from '#libs/model'
import type { JournalSource, SequencedRecord } from './journal-source.js'
import type { Log } from './ports.js'

/** Something that is derived from the journal at its own pace. Killed at any instant, it repeats nothing visible and loses nothing. */
export interface Consumer {
  readonly name: string
  /** Opens what it needs and tells the sequence after which it wants to read. A throw means: ask again later. */
  start(): Promise<number>
  /** The sequence after which it would read if it were started again now; retention keeps what follows. */
  kept(): number
  /** Applies the records, in order; `upTo` is the cursor to keep with the effect. A throw means: nothing of it counts, call again. */
  consume(records: readonly SequencedRecord[], upTo: number): Promise<void>
}

export interface ConsumerPosition {
  readonly name: string
  /** Applied up to here. */
  readonly sequence: number
  /** Safe up to here: what a restart would not read again. */
  readonly kept: number
  /** Why it stands still, when it does. */
  readonly trouble: { readonly code: string; readonly message: string } | null
}

interface RunnerOptions {
  readonly source: Pick<JournalSource, 'read' | 'firstSequence' | 'lastSequence'>
  readonly log: Log
  /** Pause after a batch, so that the next one is worth its transaction. Milliseconds. */
  readonly gatherMs?: number
}

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 10_000
/** A store's cost follows the series that a batch touches more than its readings: fewer, larger batches halve it. */
const DEFAULT_GATHER_MS = 40

/**
 * Drives one consumer through the journal: reads after its position, hands the batch over, moves on. When the consumer
 * throws, its position stays and the same batch is tried again after growing waits; the trouble is logged once.
 */
export class ConsumerRunner {
  readonly #consumer: Consumer
  readonly #options: RunnerOptions
  #position = 0
  #started = false
  #trouble: ConsumerPosition['trouble'] = null
  #stopping = false
  #wanted = false
  #wakeUp: (() => void) | null = null
  #running: Promise<void> | null = null

  constructor(consumer: Consumer, options: RunnerOptions) {
    this.#consumer = consumer
    this.#options = options
  }

  /** True once the consumer has told where it stands. */
  get started(): boolean {
    return this.#started
  }

  get position(): ConsumerPosition {
    return { name: this.#consumer.name, sequence: this.#position, kept: this.#consumer.kept(), trouble: this.#trouble }
  }

  /** Does not wait for the far side: where that is away at the start, it is asked again like later on. */
  start(): void {
    this.#running = this.#run()
  }

  /** There may be something new to read. Cheap; call it as often as you like. */
  wake(): void {
    this.#wanted = true
    this.#wakeUp?.()
  }

  /** Finishes the batch at hand and ends. */
  async close(): Promise<void> {
    this.#stopping = true
    this.#wakeUp?.()
    await this.#running
  }

  async #run(): Promise<void> {
    let wait = FIRST_WAIT_MS
    while (!this.#stopping) {
      this.#wanted = false
      try {
        const moved = await this.#step()
        this.#recover()
        wait = FIRST_WAIT_MS
        await (moved ? this.#pause(this.#options.gatherMs ?? DEFAULT_GATHER_MS) : this.#idle())
      } catch (error) {
        this.#stumble(error)
        await this.#pause(wait)
        wait = Math.min(wait * 2, LONGEST_WAIT_MS)
      }
    }
  }

  async #step(): Promise<boolean> {
    if (!this.#started) await this.#begin()
    const batch = this.#options.source.read(this.#position)
    if (batch.upTo <= this.#position) return false
    await this.#consumer.consume(batch.records, batch.upTo)
    this.#position = batch.upTo
    return true
  }

  async #begin(): Promise<void> {
    this.#position = this.#startFrom(await this.#consumer.start())
    this.#started = true
  }

  /** What a cursor may tell that does not fit the journal: nothing may be passed over in silence. */
  #startFrom(cursor: number): number {
    const { source, log } = this.#options
    const { name } = this.#consumer
    const [first, last] = [source.firstSequence(), source.lastSequence()]
    if (cursor > last) {
      const text = `consumer ${name} stands at ${cursor}, beyond the journal's last record ${last} (restored from a copy?): it reads from the start`
      log.error({ code: 'QT_JOURNAL_BEHIND', consumer: name }, text)
      return 0
    }
    if (first > cursor + 1) {
      const text = `consumer ${name} stands at ${cursor}, but the journal begins at ${first}: what lies between must come from elsewhere`
      log.warn({ code: 'QT_JOURNAL_GAP', consumer: name }, text)
    }
    return cursor
  }

  #recover(): void {
    if (!this.#trouble) return
    this.#trouble = null
    this.#options.log.info({ consumer: this.#consumer.name }, `consumer ${this.#consumer.name} goes on`)
  }

  #stumble(error: unknown): void {
    const code = codeOf(error)
    const news = this.#trouble?.code !== code
    this.#trouble = { code, message: messageOf(error) }
    if (!news) return
    const text = `consumer ${this.#consumer.name} waits at record ${this.#position} and tries again: ${messageOf(error)}`
    this.#options.log.error({ code, consumer: this.#consumer.name }, text)
  }

  /** Waits for a wake-up, at most `ms` where given; returns at once if one came in the meantime. */
  async #idle(): Promise<void> {
    if (this.#wanted || this.#stopping) return
    await new Promise<void>(resolve => {
      this.#wakeUp = resolve
    })
    this.#wakeUp = null
  }

  async #pause(ms: number): Promise<void> {
    if (this.#stopping || ms <= 0) return
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, ms)
      this.#wakeUp = () => {
        if (!this.#stopping) return
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wakeUp = null
  }
}
