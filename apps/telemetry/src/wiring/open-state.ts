import { State } from '#libs/adapters/state'
import { acknowledge, mergeAlarm } from '#libs/alarms'

/** The state with the life of alarms by ISA-18.2. */
export const openState = (dataDir: string): Promise<State> => State.open({ dataDir, life: { mergeAlarm, acknowledge } })
