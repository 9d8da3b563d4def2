import type { Principal } from '#libs/pipeline'
import type { Config, Logger } from '#libs/platform'
import { isLoopback, TlsCertificates } from '#libs/platform'
import type { Stations } from './stations.js'

/**
 * The certificates of all encrypted listeners; null where nothing is encrypted.
 * @throws CodedError QT_TLS_UNREADABLE, QT_TLS_INVALID, QT_TLS_KEY_MISMATCH
 */
export async function openCertificates(config: Config, log: Logger): Promise<TlsCertificates | null> {
  return config.tls && TlsCertificates.open(config.tls, { log, now: Date.now })
}

/** With a client certificate the station is the one that it names; a user name may only say the same. */
export function certifiedStation(name: string, username: string | undefined, stations: Stations): Principal | null {
  const agrees = username === undefined || username === name
  return agrees && stations.byCode.has(name) ? { kind: 'station', code: name } : null
}

/** Secrets and tokens cross the network readably: told at each start, with the setting that ends it. */
export function warnOfPlainListeners({ http, mqtt }: Config, log: Logger): void {
  const plain = [
    { what: 'HTTP', host: http.host, port: http.port, remedy: 'QUANTRAC_HTTPS_PORT and QUANTRAC_HTTP_PORT=off' },
    { what: 'MQTT', host: mqtt.host, port: mqtt.port, remedy: 'QUANTRAC_MQTTS_PORT and QUANTRAC_MQTT_PORT=off' },
    { what: 'MQTT over WebSocket', host: mqtt.host, port: mqtt.wsPort, remedy: 'QUANTRAC_MQTT_WSS_PORT instead of QUANTRAC_MQTT_WS_PORT' }
  ]
  const open = plain.filter(({ host, port }) => port !== null && !isLoopback(host))
  if (open.length === 0) return
  const lines = open.map(({ what, host, port, remedy }) => `${what} on ${host}:${port} (set ${remedy})`)
  log.warn({ code: 'QT_LISTEN_PLAIN' }, `secrets cross the network unencrypted: ${lines.join('; ')}`)
}
