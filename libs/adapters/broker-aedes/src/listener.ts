import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { BrokerError } from './errors.js'

/** Ways to reach the broker: MQTT over TCP or TLS, bare or inside a WebSocket. */
export const LISTENER_KINDS = ['tcp', 'tls', 'ws', 'wss'] as const
export type ListenerKind = (typeof LISTENER_KINDS)[number]

/** The port of each; null where it is off. */
export type ListenerPorts = Readonly<Record<ListenerKind, number | null>>

/** Where connections come from. */
export interface Listener {
  readonly port: number
  /** Takes no new connections; resolves when the last one has ended. */
  close(): Promise<void>
}

/** The setting that chooses each listener's port. */
const SETTINGS: Readonly<Record<ListenerKind, string>> = {
  tcp: 'QUANTRAC_MQTT_PORT',
  tls: 'QUANTRAC_MQTTS_PORT',
  ws: 'QUANTRAC_MQTT_WS_PORT',
  wss: 'QUANTRAC_MQTT_WSS_PORT'
}

/** Idle time after which the system begins to probe a silent peer. */
const PROBE_AFTER_MS = 60_000

interface Where {
  readonly kind: ListenerKind
  readonly host: string
  readonly port: number
}

/**
 * Accepts TCP connections, whatever is spoken inside.
 * @throws BrokerError QT_MQTT_PORT_IN_USE, QT_MQTT_PORT_FORBIDDEN, QT_MQTT_LISTEN_FAILED
 */
export async function listenTcp(where: Where, onSocket: (socket: Socket) => void): Promise<Listener> {
  const { host, port } = where
  const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: PROBE_AFTER_MS }, onSocket)
  try {
    server.listen({ host, port })
    await once(server, 'listening')
  } catch (error) {
    throw listenError(where, error as NodeJS.ErrnoException)
  }
  const closed = new Promise<void>(resolve => server.once('close', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close()
      return closed
    }
  }
}

function listenError({ kind, host, port }: Where, cause: NodeJS.ErrnoException): BrokerError {
  const where = `${host}:${port}`
  const setting = SETTINGS[kind]
  if (cause.code === 'EADDRINUSE') {
    const hint = `Another MQTT broker (mosquitto?) or another copy of this server runs there; stop it or set ${setting}.`
    return new BrokerError('QT_MQTT_PORT_IN_USE', `${where} is in use. ${hint}`, { cause })
  }
  if (cause.code === 'EACCES') {
    const hint = `Ports below 1024 need a privilege; set ${setting} to another one.`
    return new BrokerError('QT_MQTT_PORT_FORBIDDEN', `this user may not listen on ${where}. ${hint}`, { cause })
  }
  return new BrokerError('QT_MQTT_LISTEN_FAILED', `cannot listen on ${where} (${setting}): ${cause.message}`, { cause })
}
