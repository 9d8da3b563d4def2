import { codeOf, messageOf } from '#libs/model'
import { readConfig } from '#libs/platform'
import { accessCommands } from './access.js'
import { aggregateCommands } from './aggregates.js'
import { backupCommands } from './backup.js'
import { dispatch } from './command.js'
import { forwardCommands } from './forward.js'
import { influxCommands } from './influx.js'
import { journalCommands } from './journal.js'
import { stateCommands } from './state.js'
import { stationCommands } from './stations.js'
import { storeCommands } from './store.js'
import { tlsCommands } from './tls.js'

/** The operator's command line. Answers go to standard output, everything else to standard error. */
async function main(): Promise<number> {
  const commands = [
    ...stationCommands,
    ...accessCommands,
    ...journalCommands,
    ...storeCommands,
    ...aggregateCommands,
    ...forwardCommands,
    ...stateCommands,
    ...influxCommands,
    ...tlsCommands,
    ...backupCommands
  ]
  const print = (line: string) => void process.stdout.write(`${line}\n`)
  return dispatch(commands, process.argv.slice(2), { config: readConfig(process.env, 'ops'), print })
}

main().then(
  code => {
    process.exitCode = code
  },
  (error: unknown) => {
    process.stderr.write(`ops: ${messageOf(error)} [${codeOf(error)}]\n`)
    process.exitCode = 1
  }
)
