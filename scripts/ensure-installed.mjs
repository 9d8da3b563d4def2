// Makes node_modules fit the lock file and this Node: installs when it is missing or older than the lock file, and builds the one
// native module again when it was built for another Node. Uses only Node's own modules.
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { createRequire } from 'node:module'

const modified = file => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0

/** Runs npm, its output on stderr so that a command's own output stays clean; ends this process when npm fails. */
function npm(...args) {
  const own = process.env['npm_execpath'] // npm's own file when a script of package.json runs this: works without npm on the PATH
  const [command, first] = own ? [process.execPath, [own]] : ['npm', []]
  const { status, error } = spawnSync(command, [...first, ...args, '--loglevel=error'], { stdio: ['ignore', 2, 2] })
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

if (modified('node_modules/.package-lock.json') < modified('package-lock.json')) {
  console.error('quantrac: installing dependencies (once; about two minutes) …')
  npm('ci')
} else if (!nativeModuleLoads()) {
  console.error(`quantrac: building better-sqlite3 for Node ${process.versions.node} …`)
  npm('rebuild', 'better-sqlite3')
}
