import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TlsCertificates } from '#libs/platform'

export interface SecureListenerOptions {
  readonly host: string
  readonly port: number
  readonly certificates: TlsCertificates
  readonly requestTimeoutMs: number
  readonly onRequest: RequestListener
  /** Of a request that is no HTTP, or a handshake that failed; ends the socket. */
  readonly onClientError: (error: Error, socket: Socket) => void
}

export interface SecureListener {
  readonly port: number
  /** Takes no new connections and ends those that are open, as the plain listener does. */
  close(): Promise<void>
}

/** From the connection to the end of the handshake; as on MQTT. */
const HANDSHAKE_MS = 10_000
/** Above the minute after which common proxies let an idle connection go; the plain listener has the same. */
const KEEP_ALIVE_MS = 72_000

/**
 * HTTPS beside, or instead of, plain HTTP: the same requests go to the same routes. Clients are not asked for certificates.
 * @throws NodeJS.ErrnoException of the listening
 */
export async function listenSecurely(options: SecureListenerOptions): Promise<SecureListener> {
  const { host, port, certificates, requestTimeoutMs } = options
  const timeouts = { requestTimeout: requestTimeoutMs, keepAliveTimeout: KEEP_ALIVE_MS, handshakeTimeout: HANDSHAKE_MS }
  const { cert, key, minVersion } = certificates.secureOptions
  const server = createServer({ cert, key, minVersion, ...timeouts }, options.onRequest)
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('clientError', options.onClientError)
  server.listen({ host, port })
  await once(server, 'listening')
  const forget = certificates.onChange(fresh => server.setSecureContext({ cert: fresh.cert, key: fresh.key, minVersion: fresh.minVersion }))
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      forget()
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    }
  }
}
