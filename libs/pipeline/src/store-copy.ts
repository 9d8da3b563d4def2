import type { Millis } from '#libs/model'
import type { DayDigest } from './digest.js'
import { dayOf, digestOf } from './digest.js'
import type { Conflict, StoredReading, TimeSeriesStore } from './ports.js'

/** A store that can be read as a whole: both are. */
export interface WholeStore extends TimeSeriesStore {
  /** Every reading with its sequence, ordered by station, parameter and instant, in batches. */
  readAll(): AsyncIterable<readonly StoredReading[]>
  digest(): Promise<DayDigest[]>
}

export interface CopyProgress {
  /** Readings looked at so far. */
  readonly read: number
  /** Readings written: the others were there already. */
  readonly written: number
}

export interface CopyReport extends CopyProgress {
  readonly days: number
  readonly conflicts: number
  /** Days of a series that differ between what was read and what the target holds now; none after a good copy. */
  readonly different: readonly DayDigest[]
  /** Where the target's cursor stands: the server goes on from there with the journal. */
  readonly cursor: number
}

/** The target was written to by somebody else in the meantime, or its cursor is ahead of the source's. */
export class StoreCopyError extends Error {
  override readonly name = 'StoreCopyError'
  readonly code = 'QT_STORE_COPY_BUSY'
}

const CONFLICTS_A_PAGE = 1_000
/** Many days of a series in one write: each costs the far side a request or two. */
const READINGS_A_WRITE = 20_000

/**
 * Copies everything that one store holds into another, day by day of each series. A day that the target holds already, to the last
 * bit, is passed over, so a copy that was broken off goes on where it was, and a second one takes only what is new. The server may
 * run on the source meanwhile: the target's cursor ends where the source's stood at the begin, and the journal brings the rest.
 * @throws StoreCopyError when the target is not at rest.
 */
export async function copyStore(source: WholeStore, target: WholeStore, onProgress: (progress: CopyProgress) => void): Promise<CopyReport> {
  const cursor = await source.cursor()
  const rest = await target.cursor()
  if (rest > cursor)
    throw new StoreCopyError(`the target has records up to ${rest}, the source up to ${cursor}: is it the other way round?`)
  const conflicts = await copyConflicts(source, target, rest)
  const held = new Map((await target.digest()).map(digest => [keyOf(digest), digest.checksum]))
  const read: DayDigest[] = []
  let waiting: StoredReading[] = []
  let progress: CopyProgress = { read: 0, written: 0 }
  const flush = async (): Promise<void> => {
    if (waiting.length > 0) await writeAtRest(target, waiting, rest)
    progress = { ...progress, written: progress.written + waiting.length }
    waiting = []
    onProgress(progress)
  }
  for await (const day of daysOf(source.readAll())) {
    const [digest] = await digestOf(once(day))
    if (!digest) continue
    read.push(digest)
    progress = { ...progress, read: progress.read + day.length }
    if (held.get(keyOf(digest)) !== digest.checksum) waiting = waiting.concat(day)
    if (waiting.length >= READINGS_A_WRITE) await flush()
  }
  await flush()
  const now = new Map((await target.digest()).map(digest => [keyOf(digest), digest.checksum]))
  const different = read.filter(digest => now.get(keyOf(digest)) !== digest.checksum)
  if (different.length === 0) await target.write([], cursor)
  return { ...progress, days: read.length, conflicts, different, cursor: await target.cursor() }
}

async function writeAtRest(target: WholeStore, readings: readonly StoredReading[], rest: number): Promise<void> {
  await target.write(readings, rest)
  const now = await target.cursor()
  if (now !== rest)
    throw new StoreCopyError(`somebody else writes into the target (its cursor went from ${rest} to ${now}): stop the server`)
}

/**
 * A conflict is written as its two readings, so that the target finds that the second contradicts the first. This comes before all
 * other readings: where a higher revision stands by now, nothing contradicts what it has replaced. Conflicts of unit or status alone
 * are not told, and not copied.
 */
async function copyConflicts(source: WholeStore, target: WholeStore, rest: number): Promise<number> {
  let after = 0
  let copied = 0
  for (;;) {
    const page = await source.conflicts(after, CONFLICTS_A_PAGE)
    const pairs: StoredReading[] = []
    for (const conflict of page) pairs.push(...(await readingsOf(source, conflict)))
    if (pairs.length > 0) await writeAtRest(target, pairs, rest)
    copied += pairs.length / 2
    const last = page.at(-1)
    if (!last) return copied
    after = last.sequence
  }
}

/** The reading that stayed, then the one that lost; nothing where retention has taken both. */
async function readingsOf(source: WholeStore, { station, parameter, at, ...conflict }: Conflict): Promise<StoredReading[]> {
  const { revision, kept, other, sequence, receivedAt } = conflict
  const [standing] = await source.range({ station, parameter, from: at, to: at + 1, limit: 1 })
  if (!standing || kept === other) return []
  const stays = { ...standing, revision, sequence, receivedAt }
  return [
    { ...stays, value: kept },
    { ...stays, value: other }
  ]
}

/** Cuts a whole store, in its order, into days of one series. */
async function* daysOf(batches: AsyncIterable<readonly StoredReading[]>): AsyncGenerator<StoredReading[]> {
  let day: StoredReading[] = []
  for await (const batch of batches) {
    for (const reading of batch) {
      const [first] = day
      if (first && !isSameDay(first, reading)) {
        yield day
        day = []
      }
      day.push(reading)
    }
  }
  if (day.length > 0) yield day
}

const isSameDay = (a: StoredReading, b: StoredReading): boolean =>
  a.station === b.station && a.parameter === b.parameter && dayOf(a.at) === dayOf(b.at)

const keyOf = ({ station, parameter, day }: { station: string; parameter: string; day: Millis }): string => `${station}/${parameter}/${day}`

async function* once<T>(value: T): AsyncGenerator<T> {
  yield value
}
