import type { StoredReading, WriteOutcome } from '#libs/pipeline'
import type { Content } from './conflict-table.js'
import type { Part } from './part.js'

export type Fate = keyof WriteOutcome

/** Where two readings of one identity and revision are told apart; both methods say whether the loser is news. */
export interface Conflicts {
  note(kept: Content, other: StoredReading): boolean
  swap(kept: StoredReading, winner: StoredReading): boolean
}

/**
 * Which of two readings of one identity (station, parameter, instant) stays (design, invariant 4). The higher revision; of equal
 * revisions the one of the earlier journal record, so that neither the order of arrival nor a replay changes the answer.
 * `index` is where the one that stands already stands.
 */
export function merge(part: Part, index: number, reading: StoredReading, conflicts: Conflicts): Fate {
  const revision = part.revision(index)
  if (reading.revision < revision) return 'repeated'
  if (reading.revision > revision) {
    part.replace(index, reading)
    return 'replaced'
  }
  const kept: Content = { value: part.value(index), status: part.status(index), unit: part.unit(index) }
  const earlier = reading.sequence < part.sequence(index)
  let isNews = false
  if (isSame(kept, reading)) {
    if (earlier) part.replace(index, reading)
  } else if (earlier) {
    isNews = conflicts.swap(part.stored(index), reading)
    part.replace(index, reading)
  } else {
    isNews = conflicts.note(kept, reading)
  }
  return isNews ? 'conflicts' : 'repeated'
}

const isSame = (a: Content, b: Content): boolean => a.value === b.value && a.status === b.status && a.unit === b.unit
