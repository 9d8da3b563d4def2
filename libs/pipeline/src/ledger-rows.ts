import type { Millis } from '#libs/model'

interface OfDay {
  readonly day: Millis
}

interface Held<Row> {
  readonly row: Row
  changed: boolean
}

/** The days of one station, or of one series. */
export interface Days<Row extends OfDay> {
  readonly days: Map<Millis, Held<Row>>
  /** The day that was changed last: as a rule the next one to be changed. */
  last: Held<Row> | null
}

export const noDays = <Row extends OfDay>(): Days<Row> => ({ days: new Map(), last: null })

/**
 * Rows of a table that one consumer alone writes: loaded when first met, changed in memory, written whole. They are found without
 * making a text of their key, since this is asked for each reading.
 */
export class LedgerRows<Row extends OfDay> {
  readonly #most: number
  #changed: Held<Row>[] = []
  readonly #owners = new Set<Days<Row>>()
  #held = 0

  /** At most `most` rows stay in memory once they are written. */
  constructor(most: number) {
    this.#most = most
  }

  has(owner: Days<Row>, day: Millis): boolean {
    return owner.last?.row.day === day || owner.days.has(day)
  }

  hold(owner: Days<Row>, row: Row): void {
    owner.days.set(row.day, { row, changed: false })
    this.#owners.add(owner)
    this.#held++
  }

  /** A day that is about to be changed. It must be held. */
  change(owner: Days<Row>, day: Millis): Row {
    const held = owner.last?.row.day === day ? owner.last : owner.days.get(day)
    if (!held) throw new RangeError(`day ${day} was not loaded`)
    owner.last = held
    if (!held.changed) this.#changed.push(held)
    held.changed = true
    return held.row
  }

  changed(): Row[] {
    return this.#changed.map(({ row }) => row)
  }

  /** What was changed is written. With too many in memory, all days are dropped but the last one of each owner. */
  saved(): void {
    for (const held of this.#changed) held.changed = false
    this.#changed = []
    if (this.#held <= this.#most) return
    this.#held = 0
    for (const owner of this.#owners) this.#held += keepLast(owner)
  }

  /** Forgets everything, owners included. */
  clear(): void {
    this.#changed = []
    this.#owners.clear()
    this.#held = 0
  }
}

function keepLast<Row extends OfDay>({ days, last }: Days<Row>): number {
  days.clear()
  if (!last) return 0
  days.set(last.row.day, last)
  return 1
}
