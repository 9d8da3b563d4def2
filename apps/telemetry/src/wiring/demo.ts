import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { hashSecret, newSecret } from '#libs/adapters/state'
import { readingsTopic } from '#libs/wire'
import { endChild } from './demo-warehouse.js'
import type { Parts } from './parts.js'

const FLEET = fileURLToPath(new URL('../../../../simulators/fleet/src/main.js', import.meta.url))
const SCENARIO = 'simulators/scenarios/demo.yaml'
/** The demo's own credentials stand beside those that `ops station secret` makes, and are new at every start. */
const LABEL = 'demo'

/** Gives every example station a secret and lets simulated devices publish as these stations, over real MQTT, from a process of their own. */
export async function startDemo(parts: Parts, { url, warehouse }: Addresses): Promise<{ close: () => Promise<void> }> {
  const { config, stations, state, broker, log } = parts
  const port = broker.ports.tcp
  if (port === null) {
    log.error({ code: 'QT_DEMO_FLEET' }, 'the simulated stations need plain MQTT on this machine: QUANTRAC_MQTT_PORT is off')
    return { close: async () => {} }
  }
  const secrets = stations.all.map(({ code }) => ({ code, secret: newSecret() }))
  for (const { code, secret } of secrets) await state.credentials.set(code, LABEL, hashSecret(secret))
  const fleet = spawn(process.execPath, ['--enable-source-maps', FLEET], { stdio: ['pipe', 'ignore', 'inherit'] })
  fleet.on('error', error => log.error({ code: 'QT_DEMO_FLEET' }, `the simulated stations could not be started: ${error.message}`))
  fleet.on('exit', code => {
    if (code !== 0 && code !== null) log.error({ code: 'QT_DEMO_FLEET' }, `the simulated stations ended with code ${code}`)
  })
  const mqtt = `mqtt://${config.mqtt.host}:${port}`
  const task = { url: mqtt, registryDir: config.registryDir, devicesDir: config.devicesDir, scenario: SCENARIO, stations: secrets }
  fleet.stdin.on('error', () => {}) // told by 'exit'
  fleet.stdin.write(`${JSON.stringify(task)}\n`)
  greet(parts, { url, warehouse, port, secrets })
  return { close: () => endChild(fleet) }
}

interface Addresses {
  readonly url: string
  /** Where the simulated warehouse shows what it has; null where there is none. */
  readonly warehouse: string | null
}

interface Greeting extends Addresses {
  readonly port: number
  readonly secrets: readonly { readonly code: string; readonly secret: string }[]
}

/** What a person types next. The secret is the demo's, of a simulated station, and gone with the next start. */
function greet({ config, stations }: Parts, { url, warehouse, port, secrets }: Greeting): void {
  const station = stations.all.find(s => s.kind === 'wastewater' && stations.profileOf(s).profile.dialect === 'quantrac-json')
  const secret = secrets.find(s => s.code === station?.code)?.secret
  if (!station || !secret) return
  const parameter = station.parameters.includes('COD') ? 'COD' : station.parameters[0]
  const payload = `{"at":"'$(date -Iseconds)'","readings":{"${parameter}":60.5}}`
  const topic = readingsTopic(station.code)
  process.stdout.write(`
quantrac demo: ${stations.all.length} simulated stations (${stations.all[0]?.code} …)
  look     ${url}/api/v1/latest   ${url}/api/v1/alarms   ${url}/api/docs
  publish  mosquitto_pub -h ${config.mqtt.host} -p ${port} -u ${station.code} -P ${secret} -i my-logger -q 1 -t ${topic} -m '${payload}'
  read     curl '${url}/api/v1/series/${station.code}/${parameter}/readings?from='$(date +%s000 -d '-10 min')
${warehouse === null ? '' : `  forward  curl '${warehouse}/rows?limit=5'   (what the simulated warehouse has)\n`}  stop     Ctrl-C

`)
}
