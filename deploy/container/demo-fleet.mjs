// Simulated stations that publish to the server of the composition, as the stations of the example registry: node demo-fleet.mjs URL.
// It gives them new secrets first. For a trial: on a registry of your own no station has these codes.
import { spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const [url] = process.argv.slice(2)
if (!url) throw new Error('usage: node demo-fleet.mjs mqtt://HOST:PORT')
const program = path => fileURLToPath(new URL(`../../dist/${path}`, import.meta.url))

const made = spawnSync(process.execPath, [program('apps/ops/src/main.js'), 'station', 'secret', '--all', '--json'], {
  stdio: ['ignore', 'pipe', 'inherit'],
  encoding: 'utf8'
})
if (made.status !== 0) process.exit(made.status ?? 1)
const stations = Object.entries(JSON.parse(made.stdout)).map(([code, secret]) => ({ code, secret }))
const task = { url, registryDir: 'devices/registry', devicesDir: 'devices', scenario: 'simulators/scenarios/demo.yaml', stations }

const fleet = spawn(process.execPath, ['--enable-source-maps', program('simulators/fleet/src/main.js')], {
  stdio: ['pipe', 'inherit', 'inherit']
})
fleet.stdin.write(`${JSON.stringify(task)}\n`) // it plays until this ends
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => fleet.kill(signal))
fleet.once('exit', code => process.exit(code ?? 1))
