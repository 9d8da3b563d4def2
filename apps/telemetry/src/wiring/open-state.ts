import type { StatePlace } from '#libs/adapters/state'
import { State, stateLock } from '#libs/adapters/state'
import { acknowledge, mergeAlarm } from '#libs/alarms'
import type { Closers, Config } from '#libs/platform'
import { CodedError } from '#libs/platform'

/** The state with the life of alarms by ISA-18.2. */
export const openState = (place: StatePlace): Promise<State> => State.open({ ...place, life: { mergeAlarm, acknowledge } })

/**
 * Where this server's state is, and the right to be the only server on it. The file needs no more than the data
 * directory's lock; PostgreSQL has one of its own, and `onDeath` is told when another server has taken it.
 */
export async function ownState({ dataDir, stateUrl }: Config, closers: Closers, onDeath: (error: Error) => void): Promise<StatePlace> {
  if (stateUrl === null) return { dataDir }
  const lock = closers.add('state lock', await stateLock(stateUrl, onDeath))
  return { dataDir, url: stateUrl, owner: lock.owner }
}

/**
 * A state outside the data directory counts the records of one journal, whose identity is given with its last record.
 * @throws CodedError QT_STATE_OTHER_JOURNAL when that is another one: its records would be passed over.
 */
export async function tieToJournal(state: State, identity: string, last: number): Promise<void> {
  const known = await state.journal.identity()
  if (known === identity) return
  if (known === null) return state.journal.adopt(identity, last)
  const text = `the state of QUANTRAC_STATE_URL belongs to journal ${known}, the data directory holds journal ${identity}`
  throw new CodedError('QT_STATE_OTHER_JOURNAL', `${text}; name another database, or: npm run -s ops -- state adopt`)
}
