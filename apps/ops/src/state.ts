import { serverLock } from '#libs/adapters/state'
import { JournalReader } from '#libs/journal'
import type { Command } from './command.js'
import { withState } from './with-state.js'

const adopt: Command = {
  words: 'state adopt',
  usage: '',
  help: 'lets a state in PostgreSQL follow this data directory’s journal: after a restore, or with a new data directory; the server is stopped',
  async run({ config, print }) {
    const lock = serverLock(config.dataDir)
    const reader = JournalReader.open(config.dataDir)
    try {
      const [identity, last] = [reader.identity(), reader.lastSequence()]
      await withState(config, state => state.journal.adopt(identity, last))
      print(`journal ${identity} last ${last}`)
    } finally {
      reader.close()
      lock.close()
    }
    return 0
  }
}

export const stateCommands: readonly Command[] = [adopt]
