import { parseArgs } from 'node:util'
import type { Config } from '#libs/platform'
import { CodedError } from '#libs/platform'

type Options = Readonly<Record<string, string | boolean | undefined>>

/** One command of the operator's: words after `npm run -s ops --`. */
export interface Command {
  /** For example `station secret`. */
  readonly words: string
  /** Positional arguments and options as the help shows them. */
  readonly usage: string
  readonly help: string
  readonly options?: Readonly<Record<string, { readonly type: 'string' | 'boolean' }>>
  run(call: Call): Promise<number | undefined>
}

export interface Call {
  readonly config: Config
  readonly positional: readonly string[]
  readonly options: Options
  readonly print: (line: string) => void
}

/** A call that cannot be carried out because its words are off. */
export const usageError = (command: Command, detail: string): CodedError =>
  new CodedError('QT_OPS_USAGE', `${detail}\nusage: npm run -s ops -- ${command.words} ${command.usage}`)

/** Finds the command that the arguments name and runs it; returns the exit code. */
export async function dispatch(
  commands: readonly Command[],
  argv: readonly string[],
  call: Pick<Call, 'config' | 'print'>
): Promise<number> {
  const command = commands.find(c => c.words.split(' ').every((word, i) => argv[i] === word))
  if (!command) {
    printHelp(commands, call.print)
    return argv.length === 0 || argv.includes('--help') ? 0 : 2
  }
  const args = argv.slice(command.words.split(' ').length)
  const { values, positionals } = parse(command, args)
  return (await command.run({ ...call, positional: positionals, options: values })) ?? 0
}

function parse(command: Command, args: readonly string[]): { values: Options; positionals: string[] } {
  try {
    const parsed = parseArgs({ args: [...args], options: { ...command.options }, allowPositionals: true, strict: true })
    return { values: parsed.values, positionals: parsed.positionals }
  } catch (error) {
    throw usageError(command, error instanceof Error ? error.message : String(error))
  }
}

function printHelp(commands: readonly Command[], print: (line: string) => void): void {
  print('npm run -s ops -- COMMAND    works on the data directory of a running server too (QUANTRAC_DATA_DIR)')
  for (const { words, usage, help } of commands) print(`  ${`${words} ${usage}`.padEnd(62)} ${help}`)
}

/** People's words on one line, and nothing in them that a terminal would obey. */
export const plain = (words: string): string => words.replace(/\p{Cc}+/gu, ' ')

export function textOption(options: Options, name: string): string | undefined {
  const value = options[name]
  return typeof value === 'string' ? value : undefined
}
