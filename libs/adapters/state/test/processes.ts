import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { StatePlace } from '../src/state.js'

const script = fileURLToPath(new URL('./child.js', import.meta.url))
const running = new Set<ChildProcess>()

/** Starts the child process; `lines` are what it has said so far. */
export function startChild(
  task: string,
  place: StatePlace,
  ...args: string[]
): { child: ChildProcess; lines: string[]; said: (count: number) => Promise<void> } {
  const child = spawn(process.execPath, [script, task, JSON.stringify(place), ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  running.add(child)
  const lines: string[] = []
  const reader = createInterface({ input: child.stdout }).on('line', line => lines.push(line))
  const said = async (count: number): Promise<void> => {
    while (lines.length < count) {
      if (child.exitCode !== null) throw new Error(`the child ended with code ${child.exitCode}`)
      await once(reader, 'line')
    }
  }
  return { child, lines, said }
}

/** Waits for its end, and for all that it said. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close')
  running.delete(child)
}

export async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await ended(child)
}

export async function killAll(): Promise<void> {
  for (const child of running) await kill(child)
}
