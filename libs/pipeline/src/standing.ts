import type { StoredReading } from './ports.js'

/** The reading that stands for an identity (station, parameter, instant), as far as it decides what becomes of another one. */
export type Standing = Pick<StoredReading, 'value' | 'unit' | 'status' | 'revision' | 'sequence'>

/**
 * What becomes of a reading that meets one of the same identity:
 * - `repeats`: nothing changes; it says the same, or is of a lower revision.
 * - `replaces`: its higher revision takes the place.
 * - `predates`: it says the same and is of an earlier journal record, so it takes the place; nobody sees a difference but `receivedAt`.
 * - `contradicts`: equal revision, other content: the one that stands stays, this one is a conflict.
 * - `ousts`: equal revision, other content, but of an earlier journal record: it takes the place, and the one that stood is the conflict.
 */
export type Ruling = 'repeats' | 'replaces' | 'predates' | 'contradicts' | 'ousts'

/**
 * Which of two readings of one identity stays (design, invariant 4). The higher revision; of equal revisions the one of the earlier
 * journal record, so that neither the order of arrival nor a replay changes the answer. Within one record the first stays.
 */
export function ruleOn(standing: Standing, reading: StoredReading): Ruling {
  if (reading.revision < standing.revision) return 'repeats'
  if (reading.revision > standing.revision) return 'replaces'
  const earlier = reading.sequence < standing.sequence
  if (saysTheSame(standing, reading)) return earlier ? 'predates' : 'repeats'
  return earlier ? 'ousts' : 'contradicts'
}

/** Two readings of one identity and revision contradict each other when they differ in value, unit or status. */
export const saysTheSame = (a: Pick<Standing, 'value' | 'unit' | 'status'>, b: Pick<Standing, 'value' | 'unit' | 'status'>): boolean =>
  a.value === b.value && a.status === b.status && a.unit === b.unit
