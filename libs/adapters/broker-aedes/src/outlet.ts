import type { Duplex } from 'node:stream'

/** Writes up to this size are copied together; larger ones (payloads) go out as they are. */
const COPIED_BYTES = 8 * 1024
const FIRST_BYTES = 256
const BATCH_BYTES = 16 * 1024

type Written = string | Uint8Array

const unflushed: Outlet[] = []

function flushAll(): void {
  for (const outlet of unflushed.splice(0)) outlet.flush()
}

/**
 * The writing side of a connection: gathers the small writes of one tick into one.
 *
 * mqtt-packet writes a PUBACK in three pieces, and a group commit releases many PUBACKs at once: unbundled, each is a system
 * call of several buffers. Flushing runs after the promises of the tick have been settled, so nothing waits longer than that.
 * What a peer does not read is bounded: above `maxBytes` the connection is given up (`onOverflow`).
 */
export class Outlet {
  readonly #stream: Duplex
  readonly #write: Duplex['write']
  readonly #maxBytes: number
  readonly #onOverflow: () => void
  #batch: Buffer | null = null
  #length = 0

  constructor(stream: Duplex, maxBytes: number, onOverflow: () => void) {
    this.#stream = stream
    this.#write = stream.write.bind(stream)
    this.#maxBytes = maxBytes
    this.#onOverflow = onOverflow
    stream.write = ((chunk: Written) => this.write(chunk)) as Duplex['write']
    const destroy = stream.destroy.bind(stream)
    stream.destroy = error => {
      this.flush() // acknowledgements that came before the fault
      return destroy(error)
    }
    // mqtt-packet corks and schedules an uncork for each packet where there is a `cork`.
    Object.defineProperty(stream, 'cork', { value: undefined })
  }

  /** As `stream.write`: false means that a `drain` event will follow. */
  write(chunk: Written): boolean {
    if (this.#stream.destroyed) return true
    const bytes = typeof chunk === 'string' ? Buffer.byteLength(chunk) : chunk.length
    if (bytes > COPIED_BYTES) {
      this.flush()
      return this.#pass(chunk)
    }
    if (this.#length + bytes > BATCH_BYTES) this.flush()
    this.#append(chunk, bytes)
    return !this.#stream.writableNeedDrain
  }

  flush(): void {
    if (!this.#batch) return
    const bytes = this.#batch.subarray(0, this.#length)
    this.#batch = null
    this.#length = 0
    if (!this.#stream.destroyed) this.#pass(bytes)
  }

  #append(chunk: Written, bytes: number): void {
    const batch = this.#room(bytes)
    if (typeof chunk === 'string') batch.write(chunk, this.#length)
    else batch.set(chunk, this.#length)
    this.#length += bytes
  }

  #room(bytes: number): Buffer {
    if (!this.#batch) {
      this.#batch = Buffer.allocUnsafe(Math.max(FIRST_BYTES, bytes))
      if (unflushed.push(this) === 1) process.nextTick(flushAll)
    }
    if (this.#length + bytes > this.#batch.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * this.#batch.length, this.#length + bytes))
      larger.set(this.#batch.subarray(0, this.#length))
      this.#batch = larger
    }
    return this.#batch
  }

  #pass(chunk: Written): boolean {
    const ready = this.#write(chunk)
    if (this.#stream.writableLength > this.#maxBytes) this.#onOverflow()
    return ready
  }
}
