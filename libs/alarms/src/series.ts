import type { Millis } from '#libs/model'
import { isValidAt } from '#libs/model'
import type { AlarmTransition } from './alarm.js'
import { emptyFold, isAtRest, keptOf } from './fold.js'
import type { RuleLimit } from './limit.js'
import { Track } from './track.js'
import type { Cause } from './transition.js'
import type { Placement } from './window.js'
import { Window } from './window.js'

/** Late readings of one journal record that wait to be folded in together, so that one message is one repair. */
interface Dirty {
  from: number
  to: number
  at: Millis
}

/** One parameter of one station under its rules: newest readings in event time, and each rule's state after them. */
export class Series {
  readonly station: string
  readonly parameter: string
  readonly window = new Window()
  #tracks: readonly Track[] = []
  #dirty: Dirty | undefined
  /** Strictly between the two a value is in no band of any rule … */
  #calmAbove = -Infinity
  #calmBelow = Infinity
  /** … and while every rule is at rest, such a value changes nothing. That is nearly always, so it must cost next to nothing. */
  #isAtRest = true

  constructor(station: string, parameter: string, limits: readonly RuleLimit[]) {
    this.station = station
    this.parameter = parameter
    this.#use(limits.map(limit => new Track(station, limit)))
  }

  get tracks(): readonly Track[] {
    return this.#tracks
  }

  /** Canonical unit of the values in the window. */
  get unit(): string {
    return this.tracks[0]?.limit.unit ?? ''
  }

  get isDirty(): boolean {
    return this.#dirty !== undefined
  }

  /** The usual case: a reading after the newest. NaN when it is not usable. True when it began a block. */
  append(at: Millis, value: number, revision: number, transitions: AlarmTransition[]): boolean {
    const begun = this.window.append(at, value, revision)
    if (begun) begun.folds = this.tracks.map(track => keptOf(track.fold))
    if (Number.isNaN(value) || (this.#isAtRest && value < this.#calmBelow && value > this.#calmAbove)) return begun !== undefined
    for (const track of this.#tracks) track.advance(at, value, transitions)
    this.#isAtRest = this.#tracks.every(track => isAtRest(track.fold))
    return begun !== undefined
  }

  /** Folds the whole window anew from the state before its first reading; the episodes are somebody else's to tell. */
  refoldSilently(): void {
    this.#tracks.forEach((track, index) => track.foldSilently(index, this.window.blocks))
    this.#isAtRest = this.#tracks.every(track => isAtRest(track.fold))
  }

  /** A reading at or before the newest. What it changes is folded in by `settle`. */
  put(at: Millis, value: number, revision: number): Placement {
    const { placement, block, split } = this.window.put(at, value, revision)
    const isChange = placement === 'replaced' || (placement === 'inserted' && !Number.isNaN(value))
    if (!isChange && !split) return placement
    // How readings lie in blocks must show nowhere, so a split alone has no instant.
    const instant = isChange ? at : this.#dirty?.at
    // Late readings of one record come in ascending time, so a split never lies before an earlier change; the new half has no folds yet.
    this.#dirty = {
      from: Math.min(this.#dirty?.from ?? block, block),
      to: Math.max(this.#dirty?.to ?? block, block),
      at: instant ?? -Infinity
    }
    return placement
  }

  /** Folds the late readings in and tells what they changed. `mark` makes the transitions' ids unique. */
  settle(mark: string): AlarmTransition[] {
    const dirty = this.#dirty
    if (!dirty) return []
    this.#dirty = undefined
    const cause: Cause = { at: dirty.at, mark }
    const transitions = this.#tracks.flatMap((track, index) => track.refold(index, this.window.blocks, dirty, cause))
    this.#isAtRest = this.#tracks.every(track => isAtRest(track.fold))
    return transitions
  }

  /** Lets go of the oldest blocks while at least `keep` readings remain. */
  trim(keep: number): void {
    const { window } = this
    let oldest = window.blocks[0]
    while (oldest && window.count - oldest.length >= keep) {
      window.dropOldest()
      for (const track of this.tracks) track.forgetBefore(window.horizon)
      oldest = window.blocks[0]
    }
  }

  /**
   * Puts other limits in force: a rule that stays keeps its state, a new or changed one folds the window from its start. Episodes
   * that were over stay as they were judged; of one that lasts it is told what becomes of it.
   */
  adopt(limits: readonly RuleLimit[], mark: string): AlarmTransition[] {
    const before = this.#tracks
    const cause: Cause = { at: this.window.newest, mark }
    const kept = limits.map(limit => before.findIndex(track => isSameLimit(track.limit, limit)))
    const gone = before.filter((_, index) => !kept.includes(index))
    for (const block of this.window.blocks) block.folds = kept.map(index => block.folds[index] ?? emptyFold())
    this.#use(limits.map((limit, index) => before[kept[index] ?? -1] ?? new Track(this.station, limit)))
    const followed = new Set<Track>()
    const transitions = this.#tracks.flatMap((track, index) => {
      if (before.includes(track)) return []
      // A rule may have a limit for each of several spans of time; the one that holds now follows the one under which an alarm stands.
      const predecessor = isValidAt(track.limit, cause.at) ? gone.find(one => one.limit.rule === track.limit.rule && one.open) : undefined
      if (predecessor) followed.add(predecessor)
      return track.inherit(track.foldSilently(index, this.window.blocks), predecessor?.current(), cause)
    })
    this.#isAtRest = this.#tracks.every(track => isAtRest(track.fold))
    const ended = gone.filter(track => !followed.has(track))
    return [...ended.flatMap(track => track.end(cause)), ...transitions]
  }

  #use(tracks: readonly Track[]): void {
    this.#tracks = tracks
    this.#calmAbove = Math.max(...tracks.map(({ limit }) => limit.calmAbove))
    this.#calmBelow = Math.min(...tracks.map(({ limit }) => limit.calmBelow))
  }
}

const isSameLimit = (a: RuleLimit, b: RuleLimit): boolean => JSON.stringify(a) === JSON.stringify(b)
