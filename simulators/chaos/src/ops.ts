import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { z } from 'zod'
import { ProofError } from './errors.js'

const run = promisify(execFile)
const MOST_OUTPUT = 64 * 1_024 * 1_024

/** The operator's command line, on the proof's data directory. */
export class Ops {
  readonly #command: readonly string[]
  readonly #environment: Readonly<Record<string, string>>

  constructor(command: readonly string[], environment: Readonly<Record<string, string>>) {
    this.#command = command
    this.#environment = environment
  }

  /** A new secret for every station. */
  async secrets(): Promise<Readonly<Record<string, string>>> {
    return parse(z.record(z.string(), z.string()), await this.run('station', 'secret', '--all', '--json'))
  }

  async readerToken(): Promise<string> {
    return (await this.run('token', 'add', 'kill-proof', '--role', 'reader')).trim()
  }

  async addWebhook(url: string): Promise<void> {
    await this.run('recipient', 'add', '--channel', 'webhook', '--target', url)
  }

  /** How many records the journal has, and how many of them repeat an earlier one's body. */
  async journalRepeats(): Promise<{ records: number; repeatedBodies: number }> {
    return parse(z.object({ records: z.number(), repeatedBodies: z.number() }), await this.run('journal', 'stats', '--repeats', '--json'))
  }

  /** Runs one command and gives what it printed. */
  async run(...words: readonly string[]): Promise<string> {
    try {
      const env = { ...process.env, ...this.#environment }
      return (await run(process.execPath, [...this.#command, ...words], { env, maxBuffer: MOST_OUTPUT })).stdout
    } catch (error) {
      throw new ProofError('QT_PROOF_SERVER', `ops ${words.join(' ')}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}

function parse<T>(schema: z.ZodType<T>, text: string): T {
  const lines = text.trim().split('\n')
  const parsed = schema.safeParse(parseJson(lines.at(-1) ?? ''))
  if (!parsed.success) throw new ProofError('QT_PROOF_ANSWER', 'an ops command did not print the JSON line that is expected of it')
  return parsed.data
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
