import type { Duplex } from 'node:stream'
import { mayPublish, type Principal } from '#libs/pipeline'
import { Refusal, type RefusalReason } from './errors.js'
import { FrameGuard, type FrameLimits } from './frame-guard.js'
import { InOrder } from './in-order.js'
import { Outlet } from './outlet.js'

export interface LinkLimits extends FrameLimits {
  readonly unreadBytes: number
  readonly unkeptBytes: number
}

/** Last part of the one topic whose messages may be retained (design, section 6). */
const RETAINABLE = '/status'

export function isRetainable(topic: string): boolean {
  return topic.endsWith(RETAINABLE)
}

/** What the broker knows of one connection besides what Aedes does; watches its socket in both directions. */
export class Link {
  readonly stream: Duplex
  readonly address: string
  /** Common name of the client certificate that was shown in the handshake. */
  readonly certificate: string | null
  /** Acknowledgements of what this connection published. */
  readonly acknowledgements = new InOrder()
  /** Filters granted on this connection. */
  readonly filters = new Set<string>()
  principal: Principal | null = null
  /** As the client gave it; Aedes' `client.id` is the session's name. */
  clientId = ''
  /** Why the CONNECT is to be refused, known before Aedes asks. */
  refusal: Refusal | null = null
  /** The CONNACK has been sent: nothing may leave before it [MQTT-3.2.0-1]. */
  ready = false
  /** Topics that were allowed; a station has three. */
  readonly #topics = new Set<string>()

  constructor(stream: Duplex, { address, certificate }: { address: string; certificate: string | null }, limits: LinkLimits) {
    this.stream = stream
    this.address = address
    this.certificate = certificate
    const full = (): boolean => this.acknowledgements.bytes > limits.unkeptBytes
    watchReads(stream, { guard: new FrameGuard(limits), full })
    new Outlet(stream, limits.unreadBytes, () => cut(stream, 'slow-reader'))
  }

  mayPublish(topic: string): boolean {
    if (this.#topics.has(topic)) return true
    if (!this.principal || !mayPublish(this.principal, topic)) return false
    this.#topics.add(topic)
    return true
  }

  get station(): string | undefined {
    return this.principal?.kind === 'station' ? this.principal.code : undefined
  }
}

/**
 * Aedes reads with `read()`: each chunk passes the guard first; and nothing is read while too much waits to be kept, so that TCP
 * holds the sender back. Aedes itself only counts packets, and takes one more read with each `readable` event. It reads again
 * after each answer, so what was left here is fetched then.
 */
function watchReads(stream: Duplex, { guard, full }: { guard: FrameGuard; full: () => boolean }): void {
  const read = stream.read.bind(stream)
  stream.read = size => {
    if (size !== 0 && full()) return null
    const chunk = read(size) as Buffer | null
    const fault = chunk && guard.scan(chunk)
    if (!fault) return chunk
    cut(stream, fault)
    return null
  }
}

/** Aedes reports the error as the client's; that is where it is counted. */
function cut(stream: Duplex, reason: RefusalReason): void {
  stream.destroy(new Refusal(reason))
}
