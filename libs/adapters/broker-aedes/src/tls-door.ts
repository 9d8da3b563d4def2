import type { Socket } from 'node:net'
import { createServer, type PeerCertificate, type Server, type TLSSocket } from 'node:tls'
import type { TlsCertificates } from '#libs/platform'
import type { RefusalReason } from './errors.js'

/** A finished handshake. */
export interface Secured {
  readonly stream: TLSSocket
  /** Common name of the client's certificate, which an authority of ours signed; null when it sent none. */
  readonly certificate: string | null
}

export interface TlsDoorOptions {
  readonly certificates: TlsCertificates
  readonly onRefused: (reason: RefusalReason, socket: Socket, code?: string) => void
}

/**
 * Shakes hands over connections that were accepted elsewhere; there their time is limited. A client without a certificate passes, if it can log in by
 * password; one that sends a certificate must be able to stand by it.
 */
export class TlsDoor {
  readonly #options: TlsDoorOptions
  readonly #server: Server
  readonly #forget: () => void
  /** By the two addresses: Node hands the encrypted socket over, and does not tell on which one it sits. */
  readonly #waiting = new Map<string, (secured: Secured) => void>()

  constructor(options: TlsDoorOptions) {
    const { certificates } = options
    this.#options = options
    // Refusing by `rejectUnauthorized` would refuse clients without a certificate too.
    const client = { requestCert: certificates.asksClients, rejectUnauthorized: false }
    this.#server = createServer({ ...certificates.secureOptions, ...client })
    this.#server.on('secureConnection', stream => this.#secured(stream))
    this.#server.on('tlsClientError', (error: NodeJS.ErrnoException, stream) => {
      // A peer that just went away has done nothing wrong.
      if (error.code !== 'ECONNRESET') options.onRefused('tls-handshake', stream, error.code)
      stream.destroy()
    })
    this.#forget = certificates.onChange(fresh => this.#server.setSecureContext(fresh))
  }

  /** Handshakes that have begun and not ended. */
  get waiting(): number {
    return this.#waiting.size
  }

  enter(socket: Socket, onSecured: (secured: Secured) => void): void {
    const key = peerOf(socket)
    this.#waiting.set(key, onSecured)
    socket.once('close', () => {
      if (this.#waiting.get(key) === onSecured) this.#waiting.delete(key)
    })
    this.#server.emit('connection', socket)
  }

  close(): void {
    this.#forget()
    this.#waiting.clear()
  }

  #secured(stream: TLSSocket): void {
    const key = peerOf(stream)
    const onSecured = this.#waiting.get(key)
    this.#waiting.delete(key)
    stream.on('error', () => undefined) // whoever gets the stream has a listener of its own
    const certificate = this.#options.certificates.asksClients ? nameOf(stream) : null
    if (onSecured && certificate !== undefined) onSecured({ stream, certificate })
    else {
      if (onSecured) this.#options.onRefused('client-certificate', stream, reasonOf(stream))
      stream.destroy()
    }
  }
}

const peerOf = (socket: Socket): string => `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`

/** Why a certificate was not taken: Node gives OpenSSL's word, whatever its types say. */
function reasonOf(stream: TLSSocket): string {
  const error: unknown = stream.authorizationError
  return typeof error === 'string' ? error : 'no-name'
}

/** Null without a certificate; undefined when it is not one of ours or names nobody. */
function nameOf(stream: TLSSocket): string | null | undefined {
  const { subject } = stream.getPeerCertificate() as Partial<PeerCertificate> // empty without one
  // Asked first: of a resumed session without a certificate Node says that it is authorized.
  if (!subject) return null
  const name: unknown = subject.CN // an array where there are several
  return stream.authorized && typeof name === 'string' ? name : undefined
}
