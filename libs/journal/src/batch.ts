import { FRAME_BYTES } from './block.js'
import type { Committed, ToWriter } from './messages.js'
import type { AppendResult } from './record.js'
import { REPEAT_WINDOW } from './repeats.js'
import { MAY_REPEAT } from './seal.js'

type Resolve = (result: AppendResult) => void
type Reject = (error: Error) => void

// The executor of a promise runs at once, so one function can serve all of them and no closure is made per append.
let resolveOfNew: Resolve
let rejectOfNew: Reject
const catchSettlers = (resolve: Resolve, reject: Reject): void => {
  resolveOfNew = resolve
  rejectOfNew = reject
}

/** Records on their way to one commit: packed into one piece of memory, with their waiters in order. */
export class Batch {
  #buffer: ArrayBuffer
  #bytes: Uint8Array
  #view: DataView
  #used = 0
  #mayRepeat = false
  readonly #resolves: Resolve[] = []
  readonly #rejects: Reject[] = []

  constructor(buffer: ArrayBuffer) {
    this.#buffer = buffer
    this.#bytes = new Uint8Array(buffer)
    this.#view = new DataView(buffer)
  }

  get count(): number {
    return this.#resolves.length
  }

  get used(): number {
    return this.#used
  }

  /** True while `size` more bytes keep the batch within `limit`; an empty batch takes any record. */
  takes(size: number, limit: number): boolean {
    return this.#used === 0 || (this.#used + size <= limit && this.count < REPEAT_WINDOW)
  }

  /** Copies a record; the promise settles with the batch. */
  add(head: Uint8Array, body: Uint8Array, mayRepeat: boolean): Promise<AppendResult> {
    const at = this.#used
    const bodyAt = at + FRAME_BYTES + head.length
    const end = bodyAt + body.length
    if (end > this.#bytes.length) this.#grow(end)
    this.#view.setUint32(at, head.length, true)
    this.#view.setUint32(at + 4, body.length, true)
    this.#view.setUint32(at + 8, mayRepeat ? MAY_REPEAT : 0, true)
    this.#bytes.set(head, at + FRAME_BYTES)
    this.#bytes.set(body, bodyAt)
    this.#used = end
    if (mayRepeat) this.#mayRepeat = true
    const promise = new Promise<AppendResult>(catchSettlers)
    this.#resolves.push(resolveOfNew)
    this.#rejects.push(rejectOfNew)
    return promise
  }

  /** The message for the writer, with the memory to transfer; from here on nothing can be added. */
  toMessage(): ToWriter & { kind: 'commit' } {
    return { kind: 'commit', mayRepeat: this.#mayRepeat, buffer: this.#buffer, used: this.#used, count: this.count }
  }

  /** Settles the waiters in the order of their appends. */
  resolve({ first, repeats }: Committed): void {
    const resolves = this.#resolves
    let sequence = first
    let next = 0
    for (let index = 0; index < resolves.length; index++) {
      const resolve = resolves[index] as Resolve
      if (repeats[next] !== index) resolve({ sequence: sequence++, repeated: false })
      else {
        resolve({ sequence: repeats[next + 1] as number, repeated: true })
        next += 2
      }
    }
  }

  reject(error: Error): void {
    for (const reject of this.#rejects) reject(error)
  }

  #grow(needed: number): void {
    const buffer = new ArrayBuffer(Math.max(needed, 2 * this.#buffer.byteLength))
    const bytes = new Uint8Array(buffer)
    bytes.set(this.#bytes.subarray(0, this.#used))
    this.#buffer = buffer
    this.#bytes = bytes
    this.#view = new DataView(buffer)
  }
}
