import type { StatePlace } from '#libs/adapters/state'
import type { ForwardReport } from '#libs/pipeline'
import type { Config, Logger } from '#libs/platform'
import type { ForwarderSetup, FromForwarder, ToForwarder } from '../workers/protocol.js'
import { WorkerThread } from './worker-thread.js'

const NOTHING_YET: ForwardReport = { accepted: 0, known: 0, rejected: 0, retried: 0, trouble: null }

/** The main thread's end of forwarding; nothing at all where no warehouse is set. */
export class ForwarderThread {
  readonly #thread: WorkerThread<ToForwarder>
  readonly #latest: { report: ForwardReport }

  private constructor(thread: WorkerThread<ToForwarder>, latest: { report: ForwardReport }) {
    this.#thread = thread
    this.#latest = latest
  }

  static async start(
    { warehouse, log: options }: Config,
    state: StatePlace,
    { log, onDeath }: { readonly log: Logger; readonly onDeath: (error: Error) => void }
  ): Promise<ForwarderThread | null> {
    if (!warehouse) return null
    const latest = { report: NOTHING_YET }
    const thread = await WorkerThread.start<FromForwarder, ToForwarder>({
      file: 'forwarder',
      name: 'the forwarder’s thread',
      setup: { state, warehouse, log: options } satisfies ForwarderSetup,
      code: 'QT_FORWARDER_DIED',
      onMessage: ({ report }) => {
        latest.report = report
      },
      onDeath,
      log
    })
    return new ForwarderThread(thread, latest)
  }

  /** What was forwarded since the start. */
  get report(): ForwardReport {
    return this.#latest.report
  }

  close(): Promise<void> {
    return this.#thread.close()
  }
}
