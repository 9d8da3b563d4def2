// npm run check: every check that reads the sources without running them, two at a time. `--only NAME` runs one (repeatable).
// Prints a line for each, the output of those that failed, and exits 1 if any did.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'

const npm = process.env['npm_execpath'] ? [process.execPath, process.env['npm_execpath']] : ['npm']
const MOST_LINES = 60
const node = (script, ...args) => [process.execPath, `node_modules/${script}`, ...args]

// The slowest first: the others then finish beside it.
const CHECKS = {
  eslint: { command: node('eslint/bin/eslint.js', 'apps', 'libs', 'simulators', 'dashboards', '--max-warnings=0') },
  types: { command: node('typescript-7/bin/tsc', '--noEmit', '-p', 'tsconfig.json') },
  biome: { command: node('@biomejs/biome/bin/biome', 'ci', '--colors=off', '--error-on-warnings', '--max-diagnostics=200', '.') },
  layers: {
    command: node('dependency-cruiser/bin/dependency-cruise.mjs', '--config', '.dependency-cruiser.cjs', 'apps', 'libs', 'simulators')
  },
  knip: { command: node('knip/bin/knip.js', '--no-progress') },
  // `npm install` can write a lock file that `npm ci` refuses (another system's binaries missing); this sees it before a clone does.
  lock: { command: [...npm, 'ci', '--dry-run', '--loglevel=error'], also: lockNamesNoRegistry }
}

/** Addresses in the lock file would tie every clone to one registry (.npmrc: omit-lockfile-registry-resolved). */
function lockNamesNoRegistry() {
  const named = (readFileSync('package-lock.json', 'utf8').match(/"resolved":/g) ?? []).length
  return named === 0 ? '' : `package-lock.json names a registry address ${named} times`
}

function run([command, ...args]) {
  return new Promise(settle => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', text => (output += text))
    child.on('error', error => settle({ ok: false, output: String(error) }))
    child.on('close', code => settle({ ok: code === 0, output }))
  })
}

async function check(name) {
  const started = performance.now()
  const { ok, output } = await run(CHECKS[name].command)
  const complaint = CHECKS[name].also?.() ?? ''
  const passed = ok && complaint === ''
  console.log(`${name.padEnd(8)} ${passed ? 'ok    ' : 'failed'} ${((performance.now() - started) / 1000).toFixed(1)} s`)
  return { name, passed, output: `${output}${complaint}` }
}

const { values } = parseArgs({ options: { only: { type: 'string', multiple: true } } })
const names = values.only ?? Object.keys(CHECKS)
const unknown = names.filter(name => !(name in CHECKS))
if (unknown.length > 0) {
  console.error(`check: no check named ${unknown.join(', ')}; there are ${Object.keys(CHECKS).join(', ')}`)
  process.exit(2)
}

const waiting = [...names]
const results = []
const lane = async () => {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) results.push(await check(name))
}
await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, lane))

/** The beginning of what a check said: so that no check hides the others. Alone it may say everything. */
function excerpt({ name, output }) {
  const lines = output.trim().split('\n')
  if (names.length === 1 || lines.length <= MOST_LINES) return lines.join('\n')
  return [...lines.slice(0, MOST_LINES), `… ${lines.length - MOST_LINES} more lines: npm run check -- --only ${name}`].join('\n')
}

const failed = results.filter(result => !result.passed)
for (const result of failed) console.log(`\n── ${result.name} ──\n${excerpt(result)}`)
process.exitCode = failed.length === 0 ? 0 : 1
