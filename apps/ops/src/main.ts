import { codeOf, messageOf } from '#libs/model'
import { readConfig } from '#libs/platform'
import type { Command } from './command.js'
import { dispatch } from './command.js'

/** By the first word of a command, in the order of the help: who asks for one need not wait until all are loaded. */
const GROUPS: ReadonlyMap<string, () => Promise<readonly Command[]>> = new Map(
  Object.entries({
    station: () => import('./stations.js').then(({ stationCommands }) => stationCommands),
    token: () => import('./access.js').then(({ tokenCommands }) => tokenCommands),
    recipient: () => import('./access.js').then(({ recipientCommands }) => recipientCommands),
    outbox: () => import('./access.js').then(({ outboxCommands }) => outboxCommands),
    journal: () => import('./journal.js').then(({ journalCommands }) => journalCommands),
    store: () => import('./store.js').then(({ storeCommands }) => storeCommands),
    aggregates: () => import('./aggregates.js').then(({ aggregateCommands }) => aggregateCommands),
    correction: () => import('./corrections.js').then(({ correctionCommands }) => correctionCommands),
    forward: () => import('./forward.js').then(({ forwardCommands }) => forwardCommands),
    rules: () => import('./rules.js').then(({ ruleCommands }) => ruleCommands),
    state: () => import('./state.js').then(({ stateCommands }) => stateCommands),
    influx: () => import('./influx.js').then(({ influxCommands }) => influxCommands),
    tls: () => import('./tls.js').then(({ tlsCommands }) => tlsCommands),
    backup: () => import('./backup.js').then(({ backupCommands }) => backupCommands)
  })
)

// Whoever reads our lines may stop early, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

/** The operator's command line. Answers go to standard output, everything else to standard error. */
async function main(): Promise<number> {
  const [word = ''] = process.argv.slice(2)
  const asked = GROUPS.get(word)
  const commands = asked ? await asked() : (await Promise.all([...GROUPS.values()].map(load => load()))).flat()
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
