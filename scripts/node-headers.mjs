// Node 24.19 gave ObjectWrap, a class that lives in Node's headers alone, a clean-up hook whose removal aborts the process when an
// object is collected while no JavaScript runs. better-sqlite3 12, the last line that runs on Node 20, is built on that class: compiled
// against those headers it brings a server down within minutes (decision 0007). It is therefore compiled against a copy of this Node's
// headers without that hook, which is how they were before 24.19. Nothing else differs: the class is not part of Node's binary.
import { cpSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const HOOKED = /^\s*(Add|Remove)CleanupHook\(\);\n/gm

/** Where a compiler would find this Node's headers, in the order in which node-gyp looks. */
function includeDirs() {
  const { version, execPath, env } = process
  const configured = env['npm_config_nodedir'] ? [env['npm_config_nodedir']] : []
  return [...configured, dirname(dirname(execPath)), join(homedir(), '.cache', 'node-gyp', version.slice(1))].map(dir =>
    join(dir, 'include', 'node')
  )
}

/** A directory for `npm_config_nodedir`; undefined where this Node's headers can be used as they are, or cannot be found. */
export function mendedNodeDir() {
  const include = includeDirs().find(dir => existsSync(join(dir, 'node_object_wrap.h')))
  if (!include) return undefined
  const header = readFileSync(join(include, 'node_object_wrap.h'), 'utf8')
  if (!HOOKED.test(header)) return undefined
  const dir = mkdtempSync(join(tmpdir(), 'quantrac-node-headers-'))
  cpSync(include, join(dir, 'include', 'node'), { recursive: true, dereference: true })
  writeFileSync(join(dir, 'include', 'node', 'node_object_wrap.h'), header.replace(HOOKED, ''))
  return dir
}
