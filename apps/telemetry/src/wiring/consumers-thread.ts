import { Worker } from 'node:worker_threads'
import type { AlarmTransition } from '#libs/pipeline'
import type { Logger } from '#libs/platform'
import { CodedError } from '#libs/platform'
import type { ConsumersSetup, FromConsumers, ToConsumers } from '../workers/protocol.js'

export type ConsumersReport = Extract<FromConsumers, { type: 'report' }>

const NOTHING_YET: ConsumersReport = {
  type: 'report',
  positions: [],
  store: { stored: 0, replaced: 0, repeated: 0, conflicts: 0, setAside: 0 },
  delays: [],
  unreadable: 0
}

/** Batches live for milliseconds: a small nursery keeps them cheap. The rest is the alarm engine's windows, about 50 MB when full. */
const HEAP = { maxYoungGenerationSizeMb: 24, maxOldGenerationSizeMb: 1_024 }

interface Events {
  /** Transitions that are recorded: messages wait in the outbox. */
  onTransitions(transitions: readonly AlarmTransition[]): void
  onReport(report: ConsumersReport): void
  /** The thread ended by itself. Nothing is lost, but nothing is derived any more: the server must stop and be started again. */
  onDeath(error: CodedError): void
}

/** The main thread's end of the consumers' thread (store, alarms, refusals). */
export class ConsumersThread {
  readonly #worker: Worker
  #report: ConsumersReport = NOTHING_YET
  #closing = false
  #told = false

  private constructor(worker: Worker) {
    this.#worker = worker
  }

  /** Starts the thread; resolves when its consumers read. */
  static async start(setup: ConsumersSetup, events: Events, log: Logger): Promise<ConsumersThread> {
    const worker = new Worker(new URL('../workers/consumers.js', import.meta.url), {
      workerData: setup,
      name: 'quantrac-consumers',
      resourceLimits: HEAP
    })
    const thread = new ConsumersThread(worker)
    await new Promise<void>((resolve, reject) => {
      worker.on('message', (message: FromConsumers) => {
        if (message.type === 'started') resolve()
        if (message.type === 'failed') reject(new CodedError(message.code, message.message))
        thread.#hear(message, events)
      })
      worker.on('error', error => {
        reject(error)
        log.error({ code: 'QT_CONSUMERS_DIED' }, `the consumers' thread failed: ${error.message}`)
      })
      worker.on('exit', code => {
        const death = new CodedError('QT_CONSUMERS_DIED', `the consumers' thread ended with code ${code}`)
        reject(death)
        if (!thread.#closing) events.onDeath(death)
      })
    })
    return thread
  }

  get report(): ConsumersReport {
    return this.#report
  }

  /** The journal holds more. Told once per turn of the event loop, however many commits there were. */
  committed(): void {
    if (this.#told) return
    this.#told = true
    setImmediate(() => {
      this.#told = false
      this.#post({ type: 'committed' })
    })
  }

  /** Has the windows summed up that are due. */
  closeWindows(): void {
    this.#post({ type: 'close-windows' })
  }

  /** Lets the consumers finish the batch at hand. */
  async close(): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    const ended = new Promise<void>(resolve => this.#worker.once('exit', () => resolve()))
    this.#post({ type: 'stop' })
    await ended
  }

  #hear(message: FromConsumers, events: Events): void {
    if (message.type === 'report') {
      this.#report = message
      events.onReport(message)
    }
    if (message.type === 'transitions') events.onTransitions(message.transitions)
  }

  #post(message: ToConsumers): void {
    this.#worker.postMessage(message)
  }
}
