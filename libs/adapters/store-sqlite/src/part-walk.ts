import type { Millis } from '#libs/model'
import { HOUR } from '#libs/model'
import { hourOf, MAX_POINTS, Part } from './part.js'
import type { PartTable, TailTable } from './part-table.js'
import type { Series } from './series.js'

/** The two tables that a walk reads and writes. */
export interface Tables {
  readonly parts: PartTable
  readonly tails: TailTable
}

/**
 * A walk through the parts of one series in ascending time, for the readings of one batch. At most two parts are open: the tail,
 * and an earlier one while the readings are older than it. Each is written once, when the walk leaves it.
 */
export class PartWalk {
  readonly #series: Series
  readonly #tables: Tables
  #tail: Part | undefined
  #late: Part | undefined
  #newParts = 0

  constructor(series: Series, tables: Tables, hotTail: Part | undefined) {
    this.#series = series
    this.#tables = tables
    this.#tail = hotTail ?? tables.tails.load(series)
  }

  /** The part that holds `at`, or has room for it. `at` never goes back during a walk. */
  partFor(at: Millis): Part {
    const part = this.#partOf(at)
    return part.full && part.find(at) < 0 ? this.#makeRoom(part, at) : part
  }

  /** Writes what is open. Answers the tail, and how many rows of the table `part` are new. */
  finish(): { tail: Part | undefined; newParts: number } {
    this.#leaveLate()
    if (this.#tail?.changed) this.#tables.tails.save(this.#series, this.#tail)
    return { tail: this.#tail, newParts: this.#newParts }
  }

  #partOf(at: Millis): Part {
    if (this.#tail && at < this.#tail.start) return this.#latePartOf(at, this.#tail.start)
    if (this.#tail?.covers(at)) return this.#tail
    if (this.#tail) this.#save(this.#tail)
    const hour = hourOf(at)
    this.#tail = Part.empty(this.#series, hour, hour + HOUR)
    return this.#tail
  }

  #latePartOf(at: Millis, tailStart: Millis): Part {
    if (this.#late?.covers(at)) return this.#late
    this.#leaveLate()
    this.#late = this.#tables.parts.holding(this.#series, at, tailStart)
    return this.#late
  }

  /** Behind its last point a full part is left full, and the next one begins: what comes in order fills every part. Elsewhere it is halved. */
  #makeRoom(part: Part, at: Millis): Part {
    const isBehind = part.find(at) === -1 - part.count
    const next = isBehind ? part.openNext(at) : part.splitAt(MAX_POINTS >> 1)
    const here = next.covers(at) ? next : part
    if (part === this.#tail) {
      this.#tail = next
      this.#leaveLate() // the walk has passed it
      if (here === next) this.#save(part)
      else this.#late = part
    } else {
      this.#late = here
      this.#save(here === next ? part : next)
    }
    return here
  }

  #leaveLate(): void {
    if (this.#late?.changed) this.#save(this.#late)
    this.#late = undefined
  }

  #save(part: Part): void {
    if (part.isNew) this.#newParts++
    this.#tables.parts.save(this.#series, part)
  }
}
