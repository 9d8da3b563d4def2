import { hashSecret, newSecret } from '#libs/adapters/state'
import { CodedError, loadRegistry } from '#libs/platform'
import type { Call, Command } from './command.js'
import { usageError } from './command.js'
import { withState } from './with-state.js'

/** Secrets made here stand beside the demo's own; making one again replaces it. */
const LABEL = 'ops'

const secret: Command = {
  words: 'station secret',
  usage: 'CODE | --all [--json]',
  help: 'makes a station’s secret and prints it, once',
  options: { all: { type: 'boolean' }, json: { type: 'boolean' } },
  async run(call) {
    const { stations } = await loadRegistry(call.config.registryDir, call.config.devicesDir)
    const known = stations.map(station => station.code)
    const codes = call.options['all'] ? known : call.positional
    if (codes.length === 0) throw usageError(secret, 'name a station, or --all')
    const unknown = codes.filter(code => !known.includes(code))
    if (unknown.length > 0)
      throw new CodedError('QT_OPS_UNKNOWN_STATION', `not in the registry ${call.config.registryDir}: ${unknown.join(', ')}`)
    await make(call, codes)
    return 0
  }
}

async function make({ config, options, print }: Call, codes: readonly string[]): Promise<void> {
  const secrets: Record<string, string> = {}
  await withState(config, async ({ credentials }) => {
    for (const code of codes) {
      const made = newSecret()
      await credentials.set(code, LABEL, hashSecret(made))
      secrets[code] = made
    }
  })
  if (options['json']) print(JSON.stringify(secrets))
  else for (const made of Object.values(secrets)) print(made)
}

const list: Command = {
  words: 'station list',
  usage: '',
  help: 'the registry’s stations, and which have a secret',
  async run({ config, print }) {
    const { stations } = await loadRegistry(config.registryDir, config.devicesDir)
    const credentials = await withState(config, state => state.credentials.list())
    const withSecret = new Set(credentials.map(credential => credential.station))
    for (const { code, kind, name } of stations) {
      print(`${code.padEnd(28)} ${kind.padEnd(14)} ${withSecret.has(code) ? 'secret   ' : 'no secret'} ${name}`)
    }
    return 0
  }
}

export const stationCommands: readonly Command[] = [secret, list]
