import { serverLock } from '#libs/adapters/state'
import type { Command } from './command.js'
import { withJournal } from './with-journal.js'
import { withState } from './with-state.js'

const adopt: Command = {
  words: 'state adopt',
  usage: '',
  help: 'lets a state in PostgreSQL follow this data directory’s journal: after a restore, or with a new data directory; the server is stopped',
  async run({ config, print }) {
    const lock = serverLock(config.dataDir)
    try {
      const [identity, last] = await withJournal(config.dataDir, journal => [journal.identity(), journal.lastSequence()])
      await withState(config, state => state.journal.adopt(identity, last))
      print(`journal ${identity} last ${last}`)
    } finally {
      lock.close()
    }
    return 0
  }
}

export const stateCommands: readonly Command[] = [adopt]
