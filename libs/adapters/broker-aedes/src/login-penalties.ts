import type { Clock } from '#libs/pipeline'

export interface LoginLimits {
  /** How long the first refusal is held back; doubles with each failure up to `loginMaxDelayMs`. */
  readonly loginDelayMs: number
  readonly loginMaxDelayMs: number
  /** Failures after which the address may not connect at all, for `loginBlockMs`, doubling up to `loginMaxBlockMs`. */
  readonly loginFailures: number
  readonly loginBlockMs: number
  readonly loginMaxBlockMs: number
  /** Addresses remembered; the one that failed longest ago is forgotten first. */
  readonly loginAddresses: number
}

interface Offender {
  failures: number
  lastFailure: number
  blockedUntil: number
}

/** Failed log-ins per address. A success wipes the slate, and so does twice the longest block without a failure. */
export class LoginPenalties {
  readonly #limits: LoginLimits
  readonly #now: Clock
  readonly #offenders = new Map<string, Offender>()

  constructor(limits: LoginLimits, now: Clock) {
    this.#limits = limits
    this.#now = now
  }

  isBlocked(address: string): boolean {
    return (this.#offenders.get(address)?.blockedUntil ?? 0) > this.#now()
  }

  /** Counts a failure; returns how long the refusal must be held back, in milliseconds. */
  failed(address: string): number {
    const { loginDelayMs, loginMaxDelayMs, loginFailures, loginBlockMs, loginMaxBlockMs } = this.#limits
    const now = this.#now()
    const known = this.#offenders.get(address)
    const fresh = !known || now - known.lastFailure > 2 * loginMaxBlockMs
    const failures = fresh ? 1 : known.failures + 1
    const blockMs = failures < loginFailures ? 0 : doubled(loginBlockMs, failures - loginFailures, loginMaxBlockMs)
    this.#remember(address, { failures, lastFailure: now, blockedUntil: now + blockMs })
    return doubled(loginDelayMs, failures - 1, loginMaxDelayMs)
  }

  succeeded(address: string): void {
    this.#offenders.delete(address)
  }

  #remember(address: string, offender: Offender): void {
    this.#offenders.delete(address) // so that the map is in the order of the last failure
    this.#offenders.set(address, offender)
    if (this.#offenders.size <= this.#limits.loginAddresses) return
    const [oldest] = this.#offenders.keys()
    if (oldest !== undefined) this.#offenders.delete(oldest)
  }
}

function doubled(first: number, times: number, most: number): number {
  return Math.min(most, first * 2 ** Math.min(times, 32))
}
