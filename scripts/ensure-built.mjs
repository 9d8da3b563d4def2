// Builds when a source has no compiled file at least as new. Says nothing unless the build fails. It deletes nothing in dist, so that
// a server running from there finds its files.
import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const SOURCES = ['apps', 'libs', 'simulators', 'dashboards']
const modified = file => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0

const isStale = source => {
  const compiled = join('dist', source.replace(/\.ts$/, '.js'))
  return modified(compiled) < Math.max(modified(source), modified('.swcrc'))
}

const sources = SOURCES.filter(folder => modified(folder) > 0)
  .flatMap(folder => readdirSync(folder, { recursive: true }).map(name => join(folder, name)))
  .filter(file => /(?<!\.d)\.ts$/.test(file) && !file.includes('node_modules'))

if (sources.some(isStale)) {
  const args = ['node_modules/@swc/cli/bin/swc.js', ...SOURCES, '-d', 'dist', '--config-file', '.swcrc', '--quiet']
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (status !== 0) {
    console.error(`quantrac: the build failed\n${stdout}${stderr}`)
    process.exit(1)
  }
}
