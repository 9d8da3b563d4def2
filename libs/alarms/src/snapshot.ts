import { ByteReader, ByteWriter } from './bytes.js'
import type { Episode } from './episode.js'
import type { Fold } from './fold.js'
import { emptyFold } from './fold.js'
import type { RuleTerms } from './rules.js'
import { CompiledRules } from './rules.js'
import { Series } from './series.js'
import type { Hearing } from './silence.js'
import type { Track } from './track.js'
import type { Silence } from './transition.js'

/**
 * The engine's memory as bytes, version 1: rules; hearings; series. Of a series: its horizon, its readings in event time, the
 * revisions that are not 0, and of each rule the state before the first reading and the episodes. All other states are folded
 * again on restoring, so the bytes do not depend on how the readings lay in blocks. A checksum ends it.
 */
const MAGIC = 'quantrac-alarms'
const VERSION = 1

export interface EngineState {
  readonly rules: CompiledRules
  readonly hearings: ReadonlyMap<string, Hearing>
  readonly series: readonly Series[]
}

/** A snapshot that cannot be read: damaged, or of another version. The journal must be replayed instead. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError'
  readonly code = 'QT_ALARM_SNAPSHOT'
}

export function encodeSnapshot({ rules, hearings, series }: EngineState): Uint8Array {
  const out = new ByteWriter()
  out.text(MAGIC)
  out.count(VERSION)
  out.order()
  out.text(JSON.stringify(rules.terms))
  out.count(hearings.size)
  for (const [station, hearing] of hearings) writeHearing(out, station, hearing)
  out.count(series.length)
  for (const one of series) writeSeries(out, one)
  return out.finish()
}

/** Throws SnapshotError `QT_ALARM_SNAPSHOT`. */
export function decodeSnapshot(bytes: Uint8Array): EngineState {
  try {
    const source = new ByteReader(bytes)
    if (source.text() !== MAGIC) throw new RangeError('it is none')
    const version = source.count()
    if (version !== VERSION) throw new RangeError(`its version is ${version}, not ${VERSION}`)
    source.order()
    const rules = new CompiledRules(JSON.parse(source.text()) as RuleTerms)
    const hearings = new Map(times(source.count(), () => readHearing(source)))
    const series = times(source.count(), () => readSeries(source, rules))
    return { rules, hearings, series }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new SnapshotError(`the alarm engine's snapshot cannot be used: ${reason}`, { cause: error })
  }
}

function writeHearing(out: ByteWriter, station: string, { heardAt, silence }: Hearing): void {
  out.text(station)
  out.number(heardAt)
  out.text(silence?.rule ?? '')
  if (!silence) return
  out.number(silence.after)
  out.number(silence.raisedAt)
}

function readHearing(source: ByteReader): [string, Hearing] {
  const station = source.text()
  const heardAt = source.number()
  const rule = source.text()
  const silence: Silence | null = rule === '' ? null : { rule, after: source.number(), raisedAt: source.number() }
  return [station, { heardAt, silence }]
}

function writeSeries(out: ByteWriter, { station, parameter, window, tracks }: Series): void {
  out.text(station)
  out.text(parameter)
  out.number(window.horizon)
  out.count(window.count)
  for (const block of window.blocks) out.numbers(block.points)
  const revised = window.revised()
  out.count(revised.length)
  for (const [index, revision] of revised) {
    out.count(index)
    out.count(revision)
  }
  tracks.forEach((track, index) => writeTrack(out, track, window.blocks[0]?.folds[index] ?? track.fold))
}

function readSeries(source: ByteReader, rules: CompiledRules): Series {
  const station = source.text()
  const parameter = source.text()
  const series = new Series(station, parameter, rules.limitsOf(station, parameter))
  const { window, tracks } = series
  window.horizon = source.number()
  const points = source.numbers(2 * source.count())
  const revisions = new Map(times(source.count(), () => [source.count(), source.count()] as const))
  for (let i = 0; 2 * i < points.length; i++) window.append(points[2 * i] as number, points[2 * i + 1] as number, revisions.get(i) ?? 0)
  const first = tracks.map(track => readTrack(source, track))
  const [oldest] = window.blocks
  if (oldest) oldest.folds = first
  else tracks.forEach((track, index) => Object.assign(track.fold, first[index]))
  series.refoldSilently()
  return series
}

function writeTrack(out: ByteWriter, track: Track, first: Readonly<Fold>): void {
  for (const field of FOLD_FIELDS) out.number(first[field])
  out.count(track.episodes.length)
  for (const episode of track.episodes) {
    out.text(episode.id === track.plainId(episode.born) ? '' : episode.id)
    const { worst } = episode.clearedAt === null ? track.fold : episode
    for (const number of [episode.born, episode.raisedAt, episode.clearedAt ?? NaN, episode.level, episode.top, worst]) out.number(number)
  }
}

const FOLD_FIELDS = ['bands', 'held', 'level', 'top', 'raisedAt', 'worst'] as const satisfies readonly (keyof Fold)[]

/** Returns the state before the window's first reading. */
function readTrack(source: ByteReader, track: Track): Fold {
  const first = emptyFold()
  for (const field of FOLD_FIELDS) first[field] = source.number()
  track.episodes = times(source.count(), () => readEpisode(source, track))
  return first
}

function readEpisode(source: ByteReader, track: Track): Episode {
  const id = source.text()
  const [born, raisedAt, clearedAt, level, top, worst] = times(6, () => source.number()) as [number, number, number, number, number, number]
  const ends = Number.isNaN(clearedAt) ? null : clearedAt
  return { id: id === '' ? track.plainId(born) : id, born, raisedAt, clearedAt: ends, level, top, worst }
}

const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make)
