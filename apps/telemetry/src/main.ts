import 'reflect-metadata'
import { codeOf, messageOf } from '#libs/model'
import type { Config } from '#libs/platform'
import { Closers, CodedError, readConfig } from '#libs/platform'
import { listen } from './http/listen.js'
import { startDemo } from './wiring/demo.js'
import { startDemoWarehouse } from './wiring/demo-warehouse.js'
import type { Parts } from './wiring/parts.js'
import { openParts } from './wiring/parts.js'

/** Reads the settings, starts, waits for a signal, stops. */
async function main(): Promise<void> {
  const config = readConfig(process.env)
  const closers = new Closers()
  const ended = new Promise<Error | null>(resolve => {
    process.once('SIGTERM', () => resolve(null))
    process.once('SIGINT', () => resolve(null))
    void start(config, closers, resolve).catch(resolve)
  })
  const reason = await ended
  const failures = await closers.close()
  for (const { name, code, message } of failures) process.stderr.write(`quantrac: closing ${name}: ${message} [${code}]\n`)
  if (reason) throw reason
}

async function start(config: Config, closers: Closers, onDeath: (error: Error) => void): Promise<void> {
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

main().then(
  () => process.exit(0),
  (error: unknown) => {
    const known = error instanceof CodedError || codeOf(error).startsWith('QT_')
    process.stderr.write(
      `quantrac: ${known ? messageOf(error) : String(error instanceof Error ? error.stack : error)} [${codeOf(error)}]\n`
    )
    process.exit(1)
  }
)
