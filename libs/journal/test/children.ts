import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach } from '@jest/globals'

const running = new Set<ChildProcess>()

/** Kills what a failed test has left. */
export function killChildrenAfterEach(): void {
  afterEach(() => {
    for (const child of running) child.kill('SIGKILL')
  })
}

export interface Child {
  /** Lines printed so far. */
  readonly lines: readonly string[]
  /** Resolves when so many lines are there, or the child has ended. */
  printed(count: number): Promise<void>
  kill(): void
  /** Resolves when it has ended and all its output is read. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null; readonly errors: string }>
}

/** Runs a script of this folder. With `fileBlocks`, no file of the child can grow beyond so many blocks of 512 (or 1,024) bytes. */
export function runChild(script: string, argument: object, fileBlocks?: number): Child {
  const command = [process.execPath, fileURLToPath(new URL(script, import.meta.url)), JSON.stringify(argument)]
  // The signal is ignored so that a write beyond the limit fails with EFBIG, as it does on a disk, and kills nobody.
  const limited = ['/bin/sh', '-c', `trap '' XFSZ; ulimit -f ${fileBlocks}; exec "$@"`, 'sh', ...command]
  const [program, ...rest] = fileBlocks === undefined ? command : limited
  const child = spawn(program as string, rest, { stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  const output = collect(child)
  const ended = once(child, 'close').then(([code, signal]) => {
    running.delete(child)
    return { code: code as number | null, signal: signal as string | null, errors: output.errors() }
  })
  return { lines: output.lines, printed: output.printed, kill: () => void child.kill('SIGKILL'), ended }
}

function collect(child: ChildProcess) {
  const lines: string[] = []
  let rest = ''
  let errors = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts)
    child.emit('lines')
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  const printed = (count: number): Promise<void> =>
    new Promise(resolve => {
      const check = (): void => {
        if (lines.length >= count || child.exitCode !== null || child.signalCode !== null) resolve()
      }
      child.on('lines', check).on('exit', check)
      check()
    })
  return { lines, printed, errors: () => errors }
}
