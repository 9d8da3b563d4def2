// What must be there before the server starts, made once and then left alone: buckets and a token of its own in InfluxDB, and an API
// token for Prometheus. Writes both tokens into the folder that is named: node setup.mjs DIR.
import { spawnSync } from 'node:child_process'
import { existsSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const OPS = fileURLToPath(new URL('../../dist/apps/ops/src/main.js', import.meta.url))
const SCRAPER = 'prometheus'
const [dir] = process.argv.slice(2)
if (!dir) throw new Error('usage: node setup.mjs DIR')
const influxToken = join(dir, 'influx_token')
const metricsToken = join(dir, 'metrics_token')

// The state's commands need no InfluxDB, and before the first setup there is no token for it.
const stateOnly = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('QUANTRAC_INFLUX_')))

function ops(words, env = stateOnly) {
  const { status, stdout } = spawnSync(process.execPath, [OPS, ...words], { env, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' })
  if (status !== 0) process.exit(status ?? 1)
  return stdout.trim()
}

/** Readable for Prometheus and Grafana, which run as other users; nobody else is given this folder. */
function keep(file, text) {
  writeFileSync(`${file}.new`, `${text}\n`, { mode: 0o644 })
  renameSync(`${file}.new`, file)
}

ops(['influx', 'setup', '--token-file', influxToken], process.env)

const known = ops(['token', 'list'])
  .split('\n')
  .some(line => line.trim().endsWith(` ${SCRAPER}`))
if (!known || !existsSync(metricsToken)) {
  if (known) ops(['token', 'remove', SCRAPER])
  keep(metricsToken, ops(['token', 'add', SCRAPER, '--role', 'reader']))
}
console.log('setup: InfluxDB and the tokens are ready')
