/** How far back a repeat is looked for, in records; also the most that one batch may hold, for the slots below to suffice. */
export const REPEAT_WINDOW = 65_536

/** Slots: twice the window, so that what one batch adds and takes back never overwrites what is still in the window. */
const SLOTS = 2 * REPEAT_WINDOW

/**
 * Finds records by the CRC-32 of their body among the newest 65,536: hash chains as in a deflate window. Each slot knows the
 * record's hash and the sequence before it in its chain; chains end where they leave the window, so nothing is ever removed.
 */
export class RepeatIndex {
  /** Newest sequence of each chain; 0 = none. */
  readonly #heads = new Float64Array(SLOTS)
  readonly #earlier = new Float64Array(SLOTS)
  readonly #hashes = new Uint32Array(SLOTS)
  #last: number
  /** Records before this one are not in the index. */
  readonly #start: number

  /** An index that takes sequences from `start` on. */
  constructor(start: number) {
    this.#start = start
    this.#last = start - 1
  }

  /** Sequences must come one after the other. */
  add(sequence: number, hash: number): void {
    const slot = sequence % SLOTS
    const chain = hash % SLOTS
    this.#hashes[slot] = hash
    this.#earlier[slot] = this.#heads[chain] as number
    this.#heads[chain] = sequence
    this.#last = sequence
  }

  /** Takes back the newest records down to `first`: their commit failed. */
  takeBack(first: number): void {
    for (let sequence = this.#last; sequence >= first; sequence--) {
      const slot = sequence % SLOTS
      this.#heads[(this.#hashes[slot] as number) % SLOTS] = this.#earlier[slot] as number
    }
    this.#last = first - 1
  }

  /** The newest record of the window with this hash for which `isSame` holds; 0 when there is none. */
  find(hash: number, isSame: (sequence: number) => boolean): number {
    const oldest = Math.max(this.#start, this.#last - REPEAT_WINDOW + 1)
    let sequence = this.#heads[hash % SLOTS] as number
    while (sequence >= oldest) {
      const slot = sequence % SLOTS
      if (this.#hashes[slot] === hash && isSame(sequence)) return sequence
      sequence = this.#earlier[slot] as number
    }
    return 0
  }
}
