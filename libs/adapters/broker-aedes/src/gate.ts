import type { RefusalReason } from './errors.js'
import type { LoginPenalties } from './login-penalties.js'

export interface GateLimits {
  readonly connections: number
  readonly connectionsPerAddress: number
}

/** Counts open connections, in all and by address, and says who may not come in. */
export class Gate {
  readonly #limits: GateLimits
  readonly #penalties: LoginPenalties
  readonly #byAddress = new Map<string, number>()
  #open = 0

  constructor(limits: GateLimits, penalties: LoginPenalties) {
    this.#limits = limits
    this.#penalties = penalties
  }

  get open(): number {
    return this.#open
  }

  /** Null: come in, and `leave` later. */
  enter(address: string): RefusalReason | null {
    const here = this.#byAddress.get(address) ?? 0
    if (this.#open >= this.#limits.connections) return 'total-connections'
    if (here >= this.#limits.connectionsPerAddress) return 'address-connections'
    if (this.#penalties.isBlocked(address)) return 'address-blocked'
    this.#open++
    this.#byAddress.set(address, here + 1)
    return null
  }

  leave(address: string): void {
    this.#open--
    const left = (this.#byAddress.get(address) ?? 1) - 1
    if (left > 0) this.#byAddress.set(address, left)
    else this.#byAddress.delete(address)
  }
}

const V6_NETWORK_GROUPS = 4

/**
 * What counts as one address: an IPv4 address, also when it comes mapped into IPv6; of an IPv6 address the first 64 bits, since
 * one subscriber usually holds all the others (RFC 6177).
 */
export function addressKey(remote: string | undefined): string {
  if (remote === undefined) return 'unknown'
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(remote)?.[1]
  if (mapped) return mapped
  if (!remote.includes(':')) return remote
  const [head = '', tail = ''] = (remote.split('%')[0] as string).split('::')
  const first = head === '' ? [] : head.split(':')
  const last = tail === '' ? [] : tail.split(':')
  const zeros = remote.includes('::') ? Array.from({ length: 8 - first.length - last.length }, () => '0') : []
  return `${[...first, ...zeros, ...last].slice(0, V6_NETWORK_GROUPS).join(':')}::/64`
}
