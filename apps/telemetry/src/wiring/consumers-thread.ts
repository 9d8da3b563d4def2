import type { AlarmTransition } from '#libs/pipeline'
import type { CodedError, Logger } from '#libs/platform'
import type { ConsumersSetup, FromConsumers, ToConsumers } from '../workers/protocol.js'
import { WorkerThread } from './worker-thread.js'

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

/** The main thread's end of the consumers' thread (store, alarms, refusals, aggregates, ledger). */
export class ConsumersThread {
  #thread: WorkerThread<ToConsumers> | null = null
  #report: ConsumersReport = NOTHING_YET
  #told = false

  private constructor() {}

  /** Starts the thread; resolves when its consumers read. */
  static async start(setup: ConsumersSetup, events: Events, log: Logger): Promise<ConsumersThread> {
    const consumers = new ConsumersThread()
    consumers.#thread = await WorkerThread.start<FromConsumers, ToConsumers>({
      file: 'consumers',
      name: 'the consumers’ thread',
      setup,
      limits: HEAP,
      code: 'QT_CONSUMERS_DIED',
      onMessage: message => consumers.#hear(message, events),
      onDeath: error => events.onDeath(error),
      log
    })
    return consumers
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
      this.#thread?.post({ type: 'committed' })
    })
  }

  /** Has the windows summed up that are due. */
  closeWindows(): void {
    this.#thread?.post({ type: 'close-windows' })
  }

  /** Lets the consumers finish the batch at hand. */
  async close(): Promise<void> {
    await this.#thread?.close()
  }

  #hear(message: FromConsumers, events: Events): void {
    if (message.type === 'report') {
      this.#report = message
      events.onReport(message)
    }
    if (message.type === 'transitions') events.onTransitions(message.transitions)
  }
}
