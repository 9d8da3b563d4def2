import { Batch } from './batch.js'
import { FRAME_BYTES } from './block.js'
import type { AppendResult, JournalRecord } from './record.js'

/** Memory that a fresh batch starts with; it grows, and comes back from the writer as large as it became. */
const FRESH_BATCH_BYTES = 64 * 1024
/** One batch gathers while one flies; memory beyond that is left to the garbage collector. */
const SPARE_BUFFERS = 2

/** Appends that are not durable yet, in order: one batch in flight, full ones behind it, one that gathers. */
export class AppendQueue {
  readonly #batchBytes: number
  readonly #full: Batch[] = []
  readonly #spares: ArrayBuffer[] = []
  #gathering = new Batch(new ArrayBuffer(FRESH_BATCH_BYTES))
  #flying: Batch | null = null
  #records = 0
  #bytes = 0

  /** No batch exceeds `batchBytes`, save one of a single larger record. */
  constructor(batchBytes: number) {
    this.#batchBytes = batchBytes
  }

  /** Appended, not yet durable. */
  get records(): number {
    return this.#records
  }

  /** Their size with frames. */
  get bytes(): number {
    return this.#bytes
  }

  get isFlying(): boolean {
    return this.#flying !== null
  }

  /** Size of the batch in flight; 0 without one. */
  get flyingBytes(): number {
    return this.#flying?.used ?? 0
  }

  add({ head, body }: JournalRecord, mayRepeat: boolean): Promise<AppendResult> {
    const size = FRAME_BYTES + head.length + body.length
    if (!this.#gathering.takes(size, this.#batchBytes)) {
      this.#full.push(this.#gathering)
      this.#gathering = this.#freshBatch()
    }
    this.#records++
    this.#bytes += size
    return this.#gathering.add(head, body, mayRepeat)
  }

  /** Sends the oldest batch off; null when there is none or one flies already. */
  takeOff(): Batch | null {
    if (this.#flying !== null || this.#records === 0) return null
    const batch = this.#full.shift() ?? this.#gathering
    if (batch === this.#gathering) this.#gathering = this.#freshBatch()
    this.#flying = batch
    return batch
  }

  /** The flying batch has been committed: its memory is used again, its waiters are the caller's to settle. */
  land(buffer: ArrayBuffer): Batch {
    const batch = this.#flying
    if (batch === null) throw new Error('the writer answered for a batch that it was not sent')
    this.#flying = null
    this.#leave(batch)
    this.#keep(buffer)
    return batch
  }

  /** Rejects everything that waits, in order. `buffer` is the flying batch's memory, where it came back. */
  rejectAll(error: Error, buffer?: ArrayBuffer): void {
    const batches = [...(this.#flying ? [this.#flying] : []), ...this.#full.splice(0), this.#gathering]
    if (buffer) this.#keep(buffer)
    this.#flying = null
    this.#gathering = this.#freshBatch()
    for (const batch of batches) {
      this.#leave(batch)
      batch.reject(error)
    }
  }

  #keep(buffer: ArrayBuffer): void {
    if (this.#spares.length < SPARE_BUFFERS && buffer.byteLength <= 2 * this.#batchBytes) this.#spares.push(buffer)
  }

  #leave(batch: Batch): void {
    this.#records -= batch.count
    this.#bytes -= batch.used
  }

  #freshBatch(): Batch {
    return new Batch(this.#spares.pop() ?? new ArrayBuffer(FRESH_BATCH_BYTES))
  }
}
