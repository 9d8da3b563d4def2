import type { ResourceLimits } from 'node:worker_threads'
import { Worker } from 'node:worker_threads'
import type { Logger } from '#libs/platform'
import { CodedError } from '#libs/platform'

/** What every thread says of itself; what else it says is its own. */
export type ThreadLife = { readonly type: 'started' } | { readonly type: 'failed'; readonly code: string; readonly message: string }

export interface ThreadOptions<From> {
  /** File under `workers/`, without its ending. */
  readonly file: string
  /** What people call it: `the consumers’ thread`. */
  readonly name: string
  readonly setup: unknown
  readonly limits?: ResourceLimits
  /** Code of the error with which it ends by itself. */
  readonly code: string
  readonly onMessage: (message: From) => void
  /** It ended by itself: the server must stop and be started again. */
  readonly onDeath: (error: CodedError) => void
  readonly log: Logger
}

/** The main thread's end of another one. It is told to `stop`, and ends when it has closed what it holds. */
export class WorkerThread<To extends { readonly type: string }> {
  readonly #worker: Worker
  #closing = false

  private constructor(worker: Worker) {
    this.#worker = worker
  }

  /** Resolves when the thread says that it has started. @throws CodedError with the code with which it failed */
  static async start<From extends { readonly type: string }, To extends { readonly type: string }>(
    options: ThreadOptions<From>
  ): Promise<WorkerThread<To>> {
    const { file, name, setup, limits, code, onMessage, onDeath, log } = options
    const worker = new Worker(new URL(`../workers/${file}.js`, import.meta.url), {
      workerData: setup,
      name: `quantrac-${file}`,
      ...(limits ? { resourceLimits: limits } : {})
    })
    const thread = new WorkerThread<To>(worker)
    await new Promise<void>((resolve, reject) => {
      worker.on('message', (message: From | ThreadLife) => {
        if (isLife(message)) {
          if (message.type === 'started') resolve()
          else reject(new CodedError(message.code, message.message))
        } else onMessage(message)
      })
      worker.on('error', error => {
        reject(error)
        log.error({ code }, `${name} failed: ${error.message}`)
      })
      worker.on('exit', status => {
        const death = new CodedError(code, `${name} ended with code ${status}`)
        reject(death)
        if (!thread.#closing) onDeath(death)
      })
    })
    return thread
  }

  post(message: To): void {
    this.#worker.postMessage(message)
  }

  /** Lets it finish what is at hand. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    const ended = new Promise<void>(resolve => this.#worker.once('exit', () => resolve()))
    this.#worker.postMessage({ type: 'stop' })
    await ended
  }
}

const isLife = (message: { readonly type: string }): message is ThreadLife => message.type === 'started' || message.type === 'failed'
