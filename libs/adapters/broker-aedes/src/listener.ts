import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { BrokerError } from './errors.js'

/** Where connections come from. TCP is the first; TLS and WebSocket listeners have the same two properties. */
export interface Listener {
  readonly port: number
  /** Takes no new connections; resolves when the last one has ended. */
  close(): Promise<void>
}

/** Idle time after which the system begins to probe a silent peer. */
const PROBE_AFTER_MS = 60_000

/** @throws BrokerError QT_MQTT_PORT_IN_USE, QT_MQTT_PORT_FORBIDDEN, QT_MQTT_LISTEN_FAILED */
export async function listenTcp(where: { host: string; port: number }, onSocket: (socket: Socket) => void): Promise<Listener> {
  const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: PROBE_AFTER_MS }, onSocket)
  try {
    server.listen(where)
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

function listenError({ host, port }: { host: string; port: number }, cause: NodeJS.ErrnoException): BrokerError {
  const where = `${host}:${port}`
  if (cause.code === 'EADDRINUSE') {
    const hint = 'Another MQTT broker (mosquitto?) or another copy of this server runs there; stop it or set QUANTRAC_MQTT_PORT.'
    return new BrokerError('QT_MQTT_PORT_IN_USE', `${where} is in use. ${hint}`, { cause })
  }
  if (cause.code === 'EACCES') {
    const hint = 'Ports below 1024 need a privilege; set QUANTRAC_MQTT_PORT to another one.'
    return new BrokerError('QT_MQTT_PORT_FORBIDDEN', `this user may not listen on ${where}. ${hint}`, { cause })
  }
  return new BrokerError('QT_MQTT_LISTEN_FAILED', `cannot listen on ${where}: ${cause.message}`, { cause })
}
