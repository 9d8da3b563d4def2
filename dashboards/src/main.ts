import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import type { File } from './files.js'
import { files } from './files.js'

const ROOT = 'dashboards'

function onDisk({ path }: File): string | null {
  try {
    return readFileSync(join(ROOT, path), 'utf8')
  } catch {
    return null
  }
}

/** Writes the files; with `--check` it only says which are not current, and fails if one is not. */
function main(): void {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
  const stale = files().filter(file => onDisk(file) !== file.text)
  for (const { path, text } of stale) {
    if (values.check) process.stderr.write(`${join(ROOT, path)} is not current: npm run dashboards\n`)
    else {
      mkdirSync(dirname(join(ROOT, path)), { recursive: true })
      writeFileSync(join(ROOT, path), text)
      process.stdout.write(`wrote ${join(ROOT, path)}\n`)
    }
  }
  if (values.check && stale.length > 0) process.exitCode = 1
}

main()
