import { JournalReader } from '#libs/journal'
import type { WireRecord } from '#libs/wire'
import { decodeRecord } from '#libs/wire'
import type { Log } from './ports.js'

/** A decoded record of the journal. */
export interface SequencedRecord {
  readonly sequence: number
  readonly record: WireRecord
}

export interface RecordBatch {
  readonly records: readonly SequencedRecord[]
  /** Sequence up to which the journal was read, also where a record in between could not be used. */
  readonly upTo: number
}

/** Large enough to be worth a transaction, small enough that three of them, decoded, are a few megabytes. */
const BATCH = { records: 2_000, bytes: 2 * 2 ** 20 }
const REMEMBERED_BATCHES = 2

/**
 * Reads the journal for the consumers of one thread and decodes each batch once, however many consumers read it.
 * A record that is damaged or of an unknown version is logged, counted and passed: it stays in the journal as evidence.
 */
export class JournalSource {
  readonly #reader: Pick<JournalReader, 'read' | 'firstSequence' | 'lastSequence' | 'identity' | 'close'>
  readonly #log: Log
  readonly #remembered = new Map<number, RecordBatch>()
  #unreadable = 0

  /** Opens a reader of its own on the journal in `dir`. @throws JournalError QT_JOURNAL_MISSING and others of its reader. */
  constructor(dir: string, log: Log) {
    this.#reader = JournalReader.open(dir, { onDamaged: error => this.#pass(error.sequence ?? 0, error.code) })
    this.#log = log
  }

  /** Records that could not be decoded since the start. */
  get unreadable(): number {
    return this.#unreadable
  }

  /** Sequence of the oldest record kept; 0 when there is none. */
  firstSequence(): number {
    return this.#reader.firstSequence()
  }

  lastSequence(): number {
    return this.#reader.lastSequence()
  }

  /** Tells this journal from every other: goes with a cursor that is kept outside the data directory. */
  identity(): string {
    return this.#reader.identity()
  }

  close(): void {
    this.#reader.close()
  }

  /** The records after `after`, in order; an empty batch with `upTo === after` when there are none. */
  read(after: number): RecordBatch {
    const known = this.#remembered.get(after)
    if (known) return known
    const batch = this.#decode(after)
    if (batch.upTo > after) this.#remember(after, batch)
    return batch
  }

  #decode(after: number): RecordBatch {
    const records: SequencedRecord[] = []
    let upTo = after
    for (const entry of this.#reader.read(after, BATCH)) {
      upTo = entry.sequence
      try {
        records.push({ sequence: entry.sequence, record: decodeRecord(entry.head, entry.body) })
      } catch {
        this.#pass(entry.sequence, 'QT_WIRE_DAMAGED')
      }
    }
    return { records, upTo }
  }

  #pass(sequence: number, code: string): void {
    this.#unreadable++
    this.#log.error({ code, sequence }, `journal record ${sequence} cannot be read and is passed over; it stays where it is`)
  }

  #remember(after: number, batch: RecordBatch): void {
    this.#remembered.set(after, batch)
    if (this.#remembered.size <= REMEMBERED_BATCHES) return
    const [oldest] = this.#remembered.keys()
    if (oldest !== undefined) this.#remembered.delete(oldest)
  }
}
