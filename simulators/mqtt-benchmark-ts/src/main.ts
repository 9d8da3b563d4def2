import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { LoadError } from './errors.js'
import { runLoad } from './load.js'
import { type Arguments, anonymousClients, clientsFromUsers, HELP, loadOptions, parseArguments } from './options.js'
import { formatResult } from './report.js'

async function clients(args: Arguments) {
  if (args.users === undefined) return anonymousClients(args.connections, args['station-prefix'])
  return clientsFromUsers(args.users === '-' ? await text(process.stdin) : await readFile(args.users, 'utf8'))
}

async function main(): Promise<void> {
  const args = parseArguments(process.argv.slice(2))
  if (args.help) {
    process.stdout.write(HELP)
    return
  }
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  const result = await runLoad({ ...loadOptions(args, await clients(args)), signal: stop.signal })
  process.stdout.write(args.json ? `${JSON.stringify(result)}\n` : formatResult(result))
  process.exitCode = result.total.lost > 0 ? 1 : 0
}

try {
  await main()
} catch (error) {
  if (!(error instanceof LoadError)) throw error
  process.stderr.write(`${error.code}: ${error.message}\n`)
  process.exitCode = 2
}
