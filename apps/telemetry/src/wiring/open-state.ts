import type { StatePlace } from '#libs/adapters/state'
import { State, stateLock } from '#libs/adapters/state'
import { acknowledge, mergeAlarm } from '#libs/alarms'
import type { Closers, Config } from '#libs/platform'

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
