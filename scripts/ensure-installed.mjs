// Makes node_modules fit the lock file and this Node: installs when it is missing or older than the lock file, and builds the one
// native module again when it was built for another Node. Uses only Node's own modules.
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { mendedNodeDir } from './node-headers.mjs'

const modified = file => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0

/** Runs npm, its output on stderr so that a command's own output stays clean; ends this process when npm fails. */
function npm(...args) {
  const own = process.env['npm_execpath'] // npm's own file when a script of package.json runs this: works without npm on the PATH
  const [command, first] = own ? [process.execPath, [own]] : ['npm', []]
  const nodeDir = mendedNodeDir()
  const env = nodeDir ? { ...process.env, npm_config_nodedir: nodeDir } : process.env
  const { status, error } = spawnSync(command, [...first, ...args, '--loglevel=error'], { stdio: ['ignore', 2, 2], env })
  if (nodeDir) rmSync(nodeDir, { recursive: true, force: true })
  if (error) console.error(`quantrac: npm could not be run: ${error.message}`)
  if (status !== 0) process.exit(status ?? 1)
}

/** A native module is built for one Node line: after a change of Node it is there and does not load. */
function nativeModuleLoads() {
  try {
    const Database = createRequire(import.meta.url)('better-sqlite3')
    new Database(':memory:').close()
    return true
  } catch {
    return false
  }
}

const BINARY = 'node_modules/better-sqlite3/build/Release/better_sqlite3.node'

/** True for a binary that was built against headers with the hook: see node-headers.mjs. */
function nativeModuleAborts() {
  const binary = statSync(BINARY, { throwIfNoEntry: false }) ? readFileSync(BINARY) : Buffer.alloc(0)
  return binary.includes('RemoveEnvironmentCleanupHook')
}

if (modified('node_modules/.package-lock.json') < modified('package-lock.json')) {
  console.error('quantrac: installing dependencies (once; about two minutes) …')
  npm('ci')
} else if (!nativeModuleLoads() || nativeModuleAborts()) {
  console.error(`quantrac: building better-sqlite3 for Node ${process.versions.node} …`)
  npm('rebuild', 'better-sqlite3')
}

if (nativeModuleAborts()) {
  const advice = 'use Node 20, 22 or 24.18, or a Node that comes with its headers (include/node)'
  console.error(`quantrac: better-sqlite3 as built for Node ${process.versions.node} would abort the server at random; ${advice}`)
  process.exit(1)
}
