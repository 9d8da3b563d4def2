import type { Uptime } from '#libs/adapters/state'
import type { Millis } from '#libs/model'
import { codeOf, messageOf, SECOND } from '#libs/model'
import type { Clock, Log } from '#libs/pipeline'

interface Sources {
  readonly uptime: Pick<Uptime, 'beat'>
  /** False while nothing can be acknowledged. */
  readonly acknowledges: () => boolean
  readonly clock: Clock
  readonly log: Log
}

interface Run {
  readonly since: Millis
  until: Millis
}

const BEAT_MS = 5 * SECOND
/** Without a beat for this long, the server was not there: it stood still, its machine slept, or it was killed. */
const LONGEST_PAUSE = 3 * BEAT_MS

/** Records while the server runs and can acknowledge, so that the ledger tells our own downtime from a station's. */
export class Heartbeat {
  readonly #sources: Sources
  readonly #timer: NodeJS.Timeout
  #run: Run | null = null
  /** Runs whose last beat is not recorded. */
  readonly #due = new Set<Run>()
  #turn: Promise<void> = Promise.resolve()
  #failed = false

  constructor(sources: Sources) {
    this.#sources = sources
    this.beat()
    this.#timer = setInterval(() => this.beat(), BEAT_MS)
  }

  /** What cannot be recorded now is recorded with the next beat: a run is one row, written whole. */
  beat(): void {
    const { clock, acknowledges } = this.#sources
    const now = clock()
    if (!acknowledges()) {
      this.#run = null
      return
    }
    if (this.#run && now >= this.#run.until && now - this.#run.until <= LONGEST_PAUSE) this.#run.until = now
    else this.#run = { since: now, until: now }
    this.#due.add(this.#run)
    this.#turn = this.#turn.then(() => this.#record())
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.beat()
    await this.#turn
  }

  async #record(): Promise<void> {
    try {
      for (const run of [...this.#due]) {
        await this.#sources.uptime.beat(run.since, run.until)
        this.#due.delete(run)
      }
      this.#failed = false
    } catch (error) {
      if (!this.#failed) this.#sources.log.warn({ code: codeOf(error) }, `the heartbeat cannot be recorded: ${messageOf(error)}`)
      this.#failed = true
    }
  }
}
