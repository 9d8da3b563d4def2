import type { JournalHealth } from '#libs/journal'
import type { ConsumerPosition } from '#libs/pipeline'

interface Sources {
  readonly journal: () => JournalHealth
  readonly lastSequence: () => number
  readonly positions: () => readonly ConsumerPosition[]
}

export interface HealthReport {
  readonly status: 'ready' | 'not-ready'
  readonly problems: readonly { readonly part: string; readonly code: string; readonly message: string }[]
  readonly consumers: readonly { readonly name: string; readonly sequence: number; readonly lag: number }[]
}

/**
 * Ready means: what comes in can be kept. A consumer that waits for its far side is told among the problems but does not
 * make the server unready, because ingest goes on (design, invariant 8).
 */
export class Health {
  readonly #sources: Sources

  constructor(sources: Sources) {
    this.#sources = sources
  }

  report(): HealthReport {
    const { journal, lastSequence, positions } = this.#sources
    const { state, code, message } = journal()
    const last = lastSequence()
    const consumers = positions()
    const waiting = consumers.flatMap(({ name, trouble }) => (trouble ? [{ part: `consumer ${name}`, ...trouble }] : []))
    const storage = state === 'ok' ? [] : [{ part: 'journal', code: code ?? 'QT_JOURNAL_IO', message: message ?? state }]
    return {
      status: state === 'ok' ? 'ready' : 'not-ready',
      problems: [...storage, ...waiting],
      consumers: consumers.map(({ name, sequence }) => ({ name, sequence, lag: Math.max(0, last - sequence) }))
    }
  }
}
