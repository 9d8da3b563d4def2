import type { Millis, Reading, SeriesKey } from '#libs/model'
import { seriesId } from '#libs/model'
import type { Conflict, StoredReading, WriteOutcome } from '#libs/pipeline'

/** What a time series store has to answer, written as plainly as can be: lists, no index, no memory of how it came about. */

type Counts = { -readonly [K in keyof WriteOutcome]: number }

const identity = (reading: StoredReading): string => `${seriesId(reading)}@${reading.at}`
const content = ({ value, status, unit }: StoredReading): string => `${value} ${unit} ${status}`

/** Of all readings of one identity: the highest revision; among equal ones the earliest journal record. */
function winner(readings: readonly StoredReading[]): StoredReading | undefined {
  return [...readings].sort((a, b) => b.revision - a.revision || a.sequence - b.sequence)[0]
}

export function withoutSequence({ sequence: _, ...reading }: StoredReading): Reading {
  return reading
}

/** Points of one series in a span, from everything that was ever written, in any order. */
export function naiveRange(
  written: readonly StoredReading[],
  key: SeriesKey,
  span: { from: Millis; to: Millis; limit: number }
): Reading[] {
  const ofSeries = written.filter(reading => seriesId(reading) === seriesId(key))
  const instants = [...new Set(ofSeries.map(reading => reading.at))].sort((a, b) => a - b)
  return instants
    .filter(at => at >= span.from && at < span.to)
    .map(at => winner(ofSeries.filter(reading => reading.at === at)))
    .flatMap(reading => (reading ? [withoutSequence(reading)] : []))
    .slice(0, span.limit)
}

/** Newest point of each series, ordered by station, then parameter. */
/** Newest of each series before an instant, or newest of all where there is none. */
export function naiveLatest(written: readonly StoredReading[], before = Number.MAX_SAFE_INTEGER): Reading[] {
  const keys = new Map(written.map(reading => [seriesId(reading), reading]))
  return [...keys.values()]
    .sort((a, b) => (a.station === b.station ? (a.parameter < b.parameter ? -1 : 1) : a.station < b.station ? -1 : 1))
    .flatMap(key => {
      const upTo = (to: number) => naiveRange(written, key, { from: 0, to, limit: Number.MAX_SAFE_INTEGER }).slice(-1)
      const earlier = upTo(before)
      return earlier.length > 0 ? earlier : upTo(Number.MAX_SAFE_INTEGER)
    })
}

/** What writing these in the journal's order reports: the counts, and the conflicts as they are listed. */
export function naiveJournal(inOrder: readonly StoredReading[]): { counts: Counts; conflicts: Conflict[]; fates: (keyof Counts)[] } {
  const counts: Counts = { stored: 0, replaced: 0, repeated: 0, conflicts: 0, setAside: 0 }
  const fates: (keyof Counts)[] = []
  const standing = new Map<string, StoredReading>()
  const conflicts = new Map<string, Conflict>()
  for (const reading of inOrder) {
    const first = standing.get(identity(reading))
    const loser = `${identity(reading)} ${reading.revision} ${content(reading)}`
    if (!first || reading.revision > first.revision) {
      standing.set(identity(reading), reading)
      fates.push(first ? 'replaced' : 'stored')
    } else if (reading.revision < first.revision || content(reading) === content(first) || conflicts.has(loser)) {
      fates.push('repeated')
    } else {
      conflicts.set(loser, conflict(first, reading))
      fates.push('conflicts')
    }
  }
  for (const fate of fates) counts[fate]++
  return { counts, conflicts: [...conflicts.values()], fates }
}

function conflict(kept: StoredReading, other: StoredReading): Conflict {
  const { station, parameter, at, revision, sequence, receivedAt } = other
  return { station, parameter, at, revision, kept: kept.value, other: other.value, sequence, receivedAt }
}
