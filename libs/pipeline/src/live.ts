import type { Reading } from '#libs/model'
import type { JournalSource } from './journal-source.js'

/** What a listener hears. */
export interface LiveReadings {
  /** Sequence of the journal record: give it back to go on after a break without a gap. */
  readonly sequence: number
  readonly station: string
  readonly readings: readonly Reading[]
}

/** Takes one event; resolves when the listener can take the next. */
export type Listener = (event: LiveReadings) => Promise<void>

/** Further back than this a listener cannot re-join; it starts here and must ask the history for the rest. */
const REJOIN_RECORDS = 10_000

/**
 * Readings as they come in, for screens. Each listener has its own place in the journal, so one that is slow only falls
 * behind; one that fell too far behind is moved forward. Nothing is read while nobody listens.
 */
export class Live {
  readonly #source: Pick<JournalSource, 'read' | 'lastSequence'>
  readonly #bells = new Set<Bell>()

  constructor(source: Pick<JournalSource, 'read' | 'lastSequence'>) {
    this.#source = source
  }

  get listeners(): number {
    return this.#bells.size
  }

  /** Call it at each commit of the journal. */
  wake(): void {
    for (const bell of this.#bells) bell.ring()
  }

  /** Feeds a listener from after `after` (from now on when null) until the signal ends it. */
  async listen(after: number | null, listener: Listener, signal: AbortSignal): Promise<void> {
    const bell = new Bell()
    this.#bells.add(bell)
    const ring = () => bell.ring()
    signal.addEventListener('abort', ring)
    try {
      let position = this.#startFrom(after)
      while (!signal.aborted) {
        bell.reset()
        const moved = await this.#feed(position, listener)
        if (moved > position) position = this.#startFrom(moved)
        else await bell.heard()
      }
    } finally {
      signal.removeEventListener('abort', ring)
      this.#bells.delete(bell)
    }
  }

  #startFrom(after: number | null): number {
    const last = this.#source.lastSequence()
    return after === null ? last : Math.min(last, Math.max(after, last - REJOIN_RECORDS))
  }

  async #feed(position: number, listener: Listener): Promise<number> {
    const { records, upTo } = this.#source.read(position)
    for (const { sequence, record } of records) {
      if (record.kind === 'readings') await listener({ sequence, station: record.station, readings: record.readings })
    }
    return upTo
  }
}

/** Rings for one listener; a ring between `reset` and `heard` is not missed. */
class Bell {
  #rung = false
  #resume: () => void = () => {}

  ring(): void {
    this.#rung = true
    this.#resume()
  }

  reset(): void {
    this.#rung = false
  }

  async heard(): Promise<void> {
    if (!this.#rung) await new Promise<void>(resolve => (this.#resume = resolve))
  }
}
