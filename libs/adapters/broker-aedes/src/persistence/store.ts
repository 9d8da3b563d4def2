import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { BrokerError } from '../errors.js'
import type { FileContent, FromWriter, Operation, ToWriter, WriterSetup } from './schema.js'

type OnFailed = (error: BrokerError) => void

interface Waiter {
  /** Places of its operations in the batch: `from <= place < to`. */
  readonly from: number
  readonly to: number
  readonly resolve: () => void
  readonly reject: (error: BrokerError) => void
}

interface Batch {
  readonly operations: Operation[]
  readonly waiters: Waiter[]
  durable: boolean
}

/** The writer's own heap holds little: batches lie outside of it. Megabytes. */
const HEAP = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 256 }

/**
 * The main thread's end of the session file: collects changes and hands them to the writer's thread, one batch at a time, in
 * order. What arrives while a batch is being committed becomes the next batch (group commit).
 */
export class SessionStore {
  readonly #worker: Worker
  readonly #onFailed: OnFailed
  #next: Batch = newBatch()
  #committing: Batch | null = null
  #scheduled = false
  #dead: BrokerError | null = null
  #idle: (() => void)[] = []

  private constructor(worker: Worker, onFailed: OnFailed) {
    this.#worker = worker
    this.#onFailed = onFailed
    worker.on('message', (message: FromWriter) => {
      if (message.kind === 'written') this.#written(message)
    })
    worker.on('error', error => this.#died(error))
    worker.on('exit', () => this.#died())
  }

  /** @throws BrokerError QT_MQTT_SESSIONS_LOCKED, QT_MQTT_SESSIONS_UNREADABLE */
  static async open(setup: WriterSetup, onFailed: OnFailed = () => undefined): Promise<{ store: SessionStore; content: FileContent }> {
    const worker = new Worker(new URL('./writer.js', import.meta.url), { workerData: setup, name: 'sessions', resourceLimits: HEAP })
    const [answer] = (await once(worker, 'message')) as [FromWriter]
    if (answer.kind === 'opened') return { store: new SessionStore(worker, onFailed), content: answer.content }
    await worker.terminate()
    throw refusal(setup.file, answer.kind === 'refused' ? answer : { code: 'UNKNOWN', message: 'no answer' })
  }

  /** A change that nobody was promised: written with the next batch. */
  later(...operations: Operation[]): void {
    if (this.#dead) return
    this.#next.operations.push(...operations)
    this.#schedule()
  }

  /**
   * Resolves when the changes have been fsynced.
   * @throws BrokerError QT_MQTT_SESSIONS_FULL, QT_MQTT_SESSIONS_FAILED, QT_MQTT_CLOSED
   */
  durably(...operations: Operation[]): Promise<void> {
    if (this.#dead) return Promise.reject(this.#dead)
    const batch = this.#next
    const from = batch.operations.length
    batch.operations.push(...operations)
    batch.durable = true
    this.#schedule()
    return new Promise((resolve, reject) => batch.waiters.push({ from, to: from + operations.length, resolve, reject }))
  }

  /** As `durably`; where it fails, `undo` puts the memory back to what the file holds, before the promise rejects. */
  async durablyOr(undo: () => void, ...operations: Operation[]): Promise<void> {
    try {
      await this.durably(...operations)
    } catch (error) {
      undo()
      throw error
    }
  }

  /** Writes what was collected, then ends the thread. */
  async close(): Promise<void> {
    if (this.#dead) return
    while (!this.#isIdle()) await new Promise<void>(resolve => this.#idle.push(resolve))
    this.#dead = new BrokerError('QT_MQTT_CLOSED', 'the broker is closed')
    const exited = once(this.#worker, 'exit')
    this.#send({ kind: 'close' })
    await exited
  }

  #isIdle(): boolean {
    return this.#committing === null && this.#next.operations.length === 0
  }

  /** Once per turn of the event loop, so that the changes of one turn share a commit. */
  #schedule(): void {
    if (this.#scheduled || this.#committing) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#commit()
    })
  }

  #commit(): void {
    if (this.#committing || this.#dead || this.#next.operations.length === 0) return
    const batch = this.#next
    this.#next = newBatch()
    this.#committing = batch
    this.#send({ kind: 'write', operations: batch.operations, durable: batch.durable })
  }

  #written(answer: Extract<FromWriter, { kind: 'written' }>): void {
    const batch = this.#committing
    this.#committing = null
    const failed = new Set(answer.failed)
    for (const { from, to, resolve, reject } of batch?.waiters ?? []) {
      let lost = false
      for (let place = from; place < to; place++) lost ||= failed.has(place)
      if (lost) reject(writeError(answer))
      else resolve()
    }
    this.#commit()
    if (this.#isIdle()) for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** The thread is gone, by `close` or by a fault of its own: whoever waits, and whoever comes, is told. */
  #died(cause?: unknown): void {
    if (!this.#dead) {
      this.#dead = new BrokerError('QT_MQTT_SESSIONS_FAILED', 'the thread that keeps MQTT sessions has ended', { cause })
      this.#onFailed(this.#dead)
    }
    const lost = [...(this.#committing?.waiters ?? []), ...this.#next.waiters]
    this.#committing = null
    this.#next = newBatch()
    for (const { reject } of lost) reject(this.#dead)
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  #send(message: ToWriter): void {
    this.#worker.postMessage(message)
  }
}

function newBatch(): Batch {
  return { operations: [], waiters: [], durable: false }
}

interface Fault {
  readonly code?: string
  readonly message?: string
}

function refusal(file: string, { code = '', message = '' }: Fault): BrokerError {
  if (code.startsWith('SQLITE_BUSY')) {
    return new BrokerError('QT_MQTT_SESSIONS_LOCKED', `another process uses ${file}: is a server running on this data directory?`)
  }
  return new BrokerError('QT_MQTT_SESSIONS_UNREADABLE', `${file} cannot be used (${code}: ${message})`)
}

function writeError({ code = '', message = '' }: Fault): BrokerError {
  if (code.startsWith('SQLITE_FULL')) return new BrokerError('QT_MQTT_SESSIONS_FULL', `no room for MQTT sessions (${message})`)
  return new BrokerError('QT_MQTT_SESSIONS_FAILED', `MQTT sessions cannot be written (${code}: ${message})`)
}
