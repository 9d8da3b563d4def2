import 'reflect-metadata'
import type { Closers, Config } from '#libs/platform'
import { listen } from './http/listen.js'
import { startDemo } from './wiring/demo.js'
import { startDemoWarehouse } from './wiring/demo-warehouse.js'
import type { Parts } from './wiring/parts.js'
import { openParts } from './wiring/parts.js'

/** Opens all parts, then the way to them; the demo last. @throws CodedError naming what must be changed */
export async function start(config: Config, closers: Closers, onDeath: (error: Error) => void): Promise<void> {
  const simulated = config.demo && config.warehouse === null ? await startDemoWarehouse(config, closers) : null
  const parts = await openParts(simulated ? { ...config, warehouse: simulated.settings } : config, closers, onDeath)
  const http = closers.add('http', await listen(parts))
  announce(parts, http.url)
  if (config.demo) closers.add('demo', await startDemo(parts, { url: http.url, warehouse: simulated?.adminUrl ?? null }))
}

function announce({ config, log, broker, stations }: Parts, url: string): void {
  const { ports } = broker
  const mqtt = Object.entries(ports).flatMap(([kind, port]) => (port === null ? [] : [`${config.mqtt.host}:${port} (${kind})`]))
  log.info(
    { url, mqttPorts: ports, stations: stations.all.length },
    `HTTP on ${url} (documentation: ${url}/api/docs), MQTT ${mqtt.length === 0 ? 'off' : `on ${mqtt.join(', ')}`}`
  )
}
