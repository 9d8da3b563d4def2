// What must be there before the server starts, made once and then left alone: buckets in InfluxDB, a token that may read and write
// them, one for Grafana that may read them, and an API token for Prometheus. Each goes into a folder of its own, so that each service
// is given its own alone: node setup.mjs FOLDER. Says nothing of a secret.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setupInflux } from '#libs/adapters/store-influx'

const OPS = fileURLToPath(new URL('../../dist/apps/ops/src/main.js', import.meta.url))
const SCRAPER = 'prometheus'
const [folder] = process.argv.slice(2)
if (!folder) throw new Error('usage: node setup.mjs FOLDER')

const serverFile = join(folder, 'telemetry', 'influx_token')
const grafanaFile = join(folder, 'grafana', 'quantrac_grafana_influx_token')
const metricsFile = join(folder, 'prometheus', 'metrics_token')

/** Whole or not at all. Other users may read it, since services are users of their own; only the folder's service has the folder. */
function keep(file, text) {
  writeFileSync(`${file}.new`, `${text}\n`, { mode: 0o644 })
  renameSync(`${file}.new`, file)
}

function setting(name) {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set`)
  return value
}

async function influx(rotate) {
  const { done, token, grafanaToken } = await setupInflux({
    url: setting('QUANTRAC_INFLUX_URL'),
    org: setting('QUANTRAC_INFLUX_ORG'),
    bucket: setting('QUANTRAC_INFLUX_BUCKET'),
    adminToken: readFileSync(setting('INFLUX_ADMIN_TOKEN_FILE'), 'utf8').trim(),
    grafana: true,
    rotate
  })
  for (const line of done) console.log(`setup: ${line}`)
  if (token) keep(serverFile, token)
  if (grafanaToken) keep(grafanaFile, grafanaToken)
}

function ops(...words) {
  // These commands work on the state alone, and before the first setup there is no token for InfluxDB.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('QUANTRAC_INFLUX_')))
  const { status, stdout } = spawnSync(process.execPath, [OPS, ...words], { env, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' })
  if (status !== 0) process.exit(status ?? 1)
  return stdout.trim()
}

function scraper() {
  const known = ops('token', 'list')
    .split('\n')
    .some(line => line.trim().endsWith(` ${SCRAPER}`))
  if (known && existsSync(metricsFile)) return
  if (known) ops('token', 'remove', SCRAPER)
  keep(metricsFile, ops('token', 'add', SCRAPER, '--role', 'reader'))
  console.log('setup: API token for Prometheus made')
}

await influx(false)
// InfluxDB tells a token only when it makes it: where the file is gone, a new one takes its place.
if (!existsSync(serverFile) || !existsSync(grafanaFile)) await influx(true)
scraper()
console.log('setup: all is ready')
