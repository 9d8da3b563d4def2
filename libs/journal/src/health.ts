import type { JournalError } from './errors.js'
import { Listeners } from './listeners.js'

/** `full`: no room, on the disk or in the quota. `failing`: the disk or the writer does not work. Both end by themselves. */
export interface JournalHealth {
  readonly state: 'ok' | 'full' | 'failing'
  readonly code?: string
  /** When the state began, in ms since 1970 UTC. */
  readonly since?: number
  readonly message?: string
}

const OK: JournalHealth = { state: 'ok' }

/** What is known of the storage. */
export class HealthRecord {
  #current = OK
  #error: JournalError | null = null
  readonly changes = new Listeners<[JournalHealth]>()

  get current(): JournalHealth {
    return this.#current
  }

  /** The failure that lasts; null while all is well. */
  get error(): JournalError | null {
    return this.#error
  }

  fail(error: JournalError): void {
    const changed = this.#current.code !== error.code
    this.#error = error
    if (!changed) return
    const state = error.code === 'QT_JOURNAL_FULL' || error.code === 'QT_JOURNAL_QUOTA' ? 'full' : 'failing'
    this.#set({ state, code: error.code, since: Date.now(), message: error.message })
  }

  recover(): void {
    this.#error = null
    if (this.#current !== OK) this.#set(OK)
  }

  #set(health: JournalHealth): void {
    this.#current = health
    this.changes.tell(health)
  }
}
