import type { StoredReading, WriteOutcome } from '#libs/pipeline'
import { ruleOn } from '#libs/pipeline'
import type { Content } from './conflict-table.js'
import type { Part } from './part.js'

export type Fate = Exclude<keyof WriteOutcome, 'setAside'>

/** Where two readings of one identity and revision are told apart; both methods say whether the loser is news. */
export interface Conflicts {
  note(kept: Content, other: StoredReading): boolean
  swap(kept: StoredReading, winner: StoredReading): boolean
}

/** Applies the pipeline's rule to a reading and the point that stands for its identity at `index` of the part. */
export function merge(part: Part, index: number, reading: StoredReading, conflicts: Conflicts): Fate {
  const kept = part.standing(index)
  const ruling = ruleOn(kept, reading)
  if (ruling === 'repeats') return 'repeated'
  if (ruling === 'contradicts') return conflicts.note(kept, reading) ? 'conflicts' : 'repeated'
  const isNews = ruling === 'ousts' && conflicts.swap(part.stored(index), reading)
  part.replace(index, reading)
  if (ruling === 'replaces') return 'replaced'
  return isNews ? 'conflicts' : 'repeated'
}
