import { ProofError } from './errors.js'

/** The proofs' own standard output is their last line; everything else goes here. */
export const say = (line: string): void => void process.stderr.write(`${line}\n`)

/** Clean-ups that must also happen when the process is told to go: children and temporary directories. */
const leftovers = new Set<() => void>()
process.on('exit', () => {
  for (const clear of leftovers) clear()
})

/** Has `clear` done at the process's end at the latest; what is returned does it now. */
export function leftover(clear: () => void): () => void {
  leftovers.add(clear)
  return () => {
    clear()
    leftovers.delete(clear)
  }
}

/** Runs a proof's main function: signals end it with all that it has started, and its own failures are told by their code. */
export async function runMain(main: () => Promise<void>): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  try {
    await main()
  } catch (error) {
    say(error instanceof ProofError ? `${error.code}: ${error.message}` : String(error instanceof Error ? error.stack : error))
    process.exit(1)
  }
}

/** Gives `work` so long; then the process ends with exit code 1. */
export async function withinLimit<T>(ms: number, work: () => Promise<T>): Promise<T> {
  const limit = setTimeout(() => {
    say(`QT_PROOF_TIME: not done after ${Math.round(ms / 60_000)} minutes`)
    process.exit(1)
  }, ms)
  try {
    return await work()
  } finally {
    clearTimeout(limit)
  }
}
