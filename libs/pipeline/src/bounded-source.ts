import type { JournalSource, RecordBatch } from './journal-source.js'

type Source = Pick<JournalSource, 'read' | 'firstSequence' | 'lastSequence'>

/** Reads the journal no further than other consumers have come: for one who needs what they made of it. */
export class BoundedSource implements Source {
  readonly #source: Source
  readonly #bounds: readonly (() => number)[]

  constructor(source: Source, bounds: readonly (() => number)[]) {
    this.#source = source
    this.#bounds = bounds
  }

  firstSequence(): number {
    return this.#source.firstSequence()
  }

  lastSequence(): number {
    return this.#source.lastSequence()
  }

  read(after: number): RecordBatch {
    const limit = Math.min(...this.#bounds.map(bound => bound()))
    if (limit <= after) return { records: [], upTo: after }
    const batch = this.#source.read(after)
    if (batch.upTo <= limit) return batch
    return { records: batch.records.filter(({ sequence }) => sequence <= limit), upTo: limit }
  }
}
