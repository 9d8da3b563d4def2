import { fileURLToPath } from 'node:url'

/** The built programs that proofs start, as arguments of Node. */
const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))
export const SERVER = ['--enable-source-maps', path('../../../apps/telemetry/src/main.js')]
export const OPS = ['--enable-source-maps', path('../../../apps/ops/src/main.js')]
export const DEVICES = path('../../../../devices')

export const say = (line: string): void => void process.stderr.write(`${line}\n`)

/** Clean-ups that must also happen when the process is told to go: children and temporary directories. */
export const leftovers = new Set<() => void>()
process.on('exit', () => {
  for (const clear of leftovers) clear()
})
