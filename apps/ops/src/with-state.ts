import { State } from '#libs/adapters/state'
import { acknowledge, mergeAlarm } from '#libs/alarms'
import type { Config } from '#libs/platform'

/** Works on the server's state, in the data directory or on PostgreSQL, also while the server runs. */
export async function withState<T>(config: Config, work: (state: State) => Promise<T>): Promise<T> {
  const state = await State.open({ dataDir: config.dataDir, url: config.stateUrl, life: { mergeAlarm, acknowledge } })
  try {
    return await work(state)
  } finally {
    await state.close()
  }
}
