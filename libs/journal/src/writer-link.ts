import { Worker } from 'node:worker_threads'
import { JournalError } from './errors.js'
import type { FromWriter, ToWriter, WriterSettings } from './messages.js'

/** A writer that died is started again after this long, twice as long each time it dies without having committed. */
const FIRST_RESTART_MS = 100
const LONGEST_RESTART_MS = 5_000

export type Ready = FromWriter & { kind: 'ready' }
/** What a running writer says. */
export type Answer = Exclude<FromWriter, { kind: 'ready' | 'not-ready' }>

export interface LinkEvents {
  onAnswer(answer: Answer): void
  /** The writer is gone; what it was sent is lost or not, nobody knows. */
  onDown(error: JournalError): void
  /** A fresh writer has opened the file. */
  onUp(ready: Ready): void
}

/** The writer's own heap holds little: batches lie outside of it. Megabytes. */
const HEAP = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 256 }

/** Keeps one writer thread running. */
export class WriterLink {
  #worker: Worker | null = null
  #up = false
  #stopping = false
  #restarts = 0
  #delayMs = FIRST_RESTART_MS
  #timer: NodeJS.Timeout | undefined
  #restarting: Promise<void> | null = null

  constructor(
    readonly settings: WriterSettings,
    readonly events: LinkEvents
  ) {}

  get isUp(): boolean {
    return this.#up
  }

  get restarts(): number {
    return this.#restarts
  }

  /** The first start: its failure is thrown and not tried again. */
  async start(): Promise<Ready> {
    const worker = this.#spawn()
    const answer = await new Promise<FromWriter | JournalError>(resolve => {
      worker.once('message', resolve)
      worker.once('error', error => resolve(writerDied(error)))
      worker.once('exit', () => resolve(writerDied(undefined)))
    })
    if (answer instanceof JournalError) throw answer
    if (answer.kind === 'not-ready') throw new JournalError(answer.failure.code, answer.failure.message)
    this.#adopt(worker)
    return answer as Ready
  }

  send(message: ToWriter, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker?.postMessage(message, transfer)
  }

  /** A commit came through: the next death is the first again. */
  proven(): void {
    this.#delayMs = FIRST_RESTART_MS
  }

  /** Lets the writer finish what it was sent, and waits for its end. */
  async stop(): Promise<void> {
    this.#stopping = true
    clearTimeout(this.#timer)
    await this.#restarting
    const worker = this.#worker
    if (!worker) return
    const ended = new Promise<void>(resolve => worker.once('exit', () => resolve()))
    this.send({ kind: 'close' })
    await ended
  }

  #spawn(): Worker {
    return new Worker(new URL('./writer.js', import.meta.url), { workerData: this.settings, name: 'journal-writer', resourceLimits: HEAP })
  }

  #adopt(worker: Worker): void {
    this.#worker = worker
    this.#up = true
    let cause: unknown
    worker.on('message', (message: FromWriter) => this.events.onAnswer(message as Answer))
    worker.on('error', error => {
      cause = error
    })
    worker.on('exit', () => this.#ended(writerDied(cause)))
  }

  #ended(error: JournalError): void {
    this.#worker = null
    this.#up = false
    if (this.#stopping) return
    this.events.onDown(error)
    this.#restartLater()
  }

  #restartLater(): void {
    this.#timer = setTimeout(() => {
      this.#restarting = this.#restart()
    }, this.#delayMs)
    this.#delayMs = Math.min(LONGEST_RESTART_MS, 2 * this.#delayMs)
  }

  async #restart(): Promise<void> {
    this.#restarts++
    try {
      const ready = await this.start()
      if (!this.#stopping) this.events.onUp(ready)
    } catch (error) {
      if (!(error instanceof JournalError)) throw error
      if (this.#stopping) return
      this.events.onDown(error)
      this.#restartLater()
    }
  }
}

function writerDied(cause: unknown): JournalError {
  const why = cause instanceof Error ? `: ${cause.message}` : ''
  return new JournalError('QT_JOURNAL_WRITER', `the journal's writer thread ended${why}`, { cause })
}
