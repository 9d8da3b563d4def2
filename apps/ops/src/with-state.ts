import { State } from '#libs/adapters/state'
import { acknowledge, mergeAlarm } from '#libs/alarms'
import type { Config } from '#libs/platform'

/** Works on the state of the data directory, also while a server runs on it. */
export async function withState<T>(config: Config, work: (state: State) => Promise<T>): Promise<T> {
  const state = await State.open({ dataDir: config.dataDir, life: { mergeAlarm, acknowledge } })
  try {
    return await work(state)
  } finally {
    await state.close()
  }
}
