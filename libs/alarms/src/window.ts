import type { Millis } from '#libs/model'
import type { Fold } from './fold.js'

/** Readings of a full block. Small enough to insert into, large enough that its folds weigh little. */
const FULL = 128
const SMALLEST = 8

/** A run of readings in ascending event time, with the state of each rule before the first of them. */
export class Block {
  length = 0
  /** By rule; empty where it must be folded anew. */
  folds: Readonly<Fold>[] = []
  /** Instant and value of each reading in turn. NaN marks one that is not usable: it holds its place, its revision, its repeats. */
  #points = new Float64Array(2 * SMALLEST)
  /** null while every revision is 0, which is nearly always. */
  #revisions: Uint16Array | null = null

  get first(): Millis {
    return this.atOf(0)
  }

  get last(): Millis {
    return this.atOf(this.length - 1)
  }

  atOf(index: number): Millis {
    return this.#points[2 * index] as number
  }

  valueAt(index: number): number {
    return this.#points[2 * index + 1] as number
  }

  revisionOf(index: number): number {
    return this.#revisions?.[index] ?? 0
  }

  get isRevised(): boolean {
    return this.#revisions !== null
  }

  /** Instant and value in turn, for reading only. */
  get points(): Float64Array {
    return this.#points.subarray(0, 2 * this.length)
  }

  insert(index: number, at: Millis, value: number, revision: number): void {
    if (2 * this.length === this.#points.length) this.#grow()
    if (index < this.length) {
      this.#points.copyWithin(2 * index + 2, 2 * index, 2 * this.length)
      this.#revisions?.copyWithin(index + 1, index, this.length)
    }
    this.#points[2 * index] = at
    this.length++
    this.set(index, value, revision)
  }

  set(index: number, value: number, revision: number): void {
    this.#points[2 * index + 1] = value
    if (revision > 0) this.#revisions ??= new Uint16Array(FULL)
    if (this.#revisions) this.#revisions[index] = revision
  }

  /** Cuts off the later half as a block of its own. */
  split(): Block {
    const half = this.length >> 1
    const later = new Block()
    later.#points = this.#points.slice(2 * half)
    later.length = this.length - half
    if (this.#revisions) {
      later.#revisions = new Uint16Array(FULL)
      later.#revisions.set(this.#revisions.subarray(half, this.length))
    }
    this.#points = this.#points.slice(0, 2 * half)
    this.length = half
    return later
  }

  /** Index of the first reading at or after `at`. */
  indexOf(at: Millis): number {
    let low = 0
    let high = this.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.atOf(middle) < at) low = middle + 1
      else high = middle
    }
    return low
  }

  #grow(): void {
    const points = new Float64Array(Math.min(this.#points.length * 4, 2 * FULL))
    points.set(this.#points)
    this.#points = points
  }
}

/**
 * What became of a reading that is not the newest: `inserted` and `replaced` change the series; `noted` is a higher revision of
 * the same value; `repeated`, `outdated` (a lower revision) and `conflict` (equal revision, another value: the first stays, design,
 * invariant 4) change nothing; `too-late` lies before everything that is still kept.
 */
export type Placement = 'inserted' | 'replaced' | 'noted' | 'repeated' | 'outdated' | 'conflict' | 'too-late'

export interface Placed {
  readonly placement: Placement
  /** Index of the block that holds it; -1 when too late. */
  readonly block: number
  /** True when the block was cut in two to make room. */
  readonly split: boolean
}

/** The most recent readings of one series in event time: a list of blocks, cheap at the end and not dear in the middle. */
export class Window {
  readonly blocks: Block[] = []
  /** Nothing at or before this instant is kept. */
  horizon: Millis = -Infinity
  newest: Millis = -Infinity
  count = 0

  /** Adds a reading after the newest. Returns the block that it began, if it began one. */
  append(at: Millis, value: number, revision: number): Block | undefined {
    const last = this.blocks.at(-1)
    const hasRoom = last !== undefined && last.length < FULL
    const block = hasRoom ? last : new Block()
    if (!hasRoom) this.blocks.push(block)
    block.insert(block.length, at, value, revision)
    this.newest = at
    this.count++
    return hasRoom ? undefined : block
  }

  /** Places a reading that is not the newest. */
  put(at: Millis, value: number, revision: number): Placed {
    if (at <= this.horizon) return { placement: 'too-late', block: -1, split: false }
    const block = this.#blockFor(at)
    const held = this.blocks[block] as Block
    const index = held.indexOf(at)
    if (index < held.length && held.atOf(index) === at) return { placement: replace(held, index, value, revision), block, split: false }
    this.count++
    if (held.length < FULL) {
      held.insert(index, at, value, revision)
      return { placement: 'inserted', block, split: false }
    }
    const later = held.split()
    this.blocks.splice(block + 1, 0, later)
    if (index <= held.length) held.insert(index, at, value, revision)
    else later.insert(index - held.length, at, value, revision)
    return { placement: 'inserted', block, split: true }
  }

  /** Index and revision of the readings whose revision is not 0. */
  revised(): [index: number, revision: number][] {
    const found: [number, number][] = []
    let start = 0
    for (const block of this.blocks) {
      if (block.isRevised) for (let i = 0; i < block.length; i++) if (block.revisionOf(i) > 0) found.push([start + i, block.revisionOf(i)])
      start += block.length
    }
    return found
  }

  dropOldest(): void {
    const dropped = this.blocks.shift()
    if (!dropped) return
    this.horizon = dropped.last
    this.count -= dropped.length
  }

  /** The last block that begins at or before `at`, or the first one. */
  #blockFor(at: Millis): number {
    let low = 0
    let high = this.blocks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.blocks[middle] as Block).first <= at) low = middle
      else high = middle - 1
    }
    return low
  }
}

function replace(block: Block, index: number, value: number, revision: number): Placement {
  const known = block.revisionOf(index)
  const same = Object.is(block.valueAt(index), value)
  if (revision < known) return 'outdated'
  if (revision === known) return same ? 'repeated' : 'conflict'
  block.set(index, value, revision)
  return same ? 'noted' : 'replaced'
}
