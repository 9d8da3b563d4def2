import type { ReadingFate, StoredReading } from '#libs/pipeline'
import { bucketName } from './catalogue.js'
import type { InfluxLink } from './link.js'
import type { Fate } from './plan.js'
import * as queries from './queries.js'
import { ask, timeOf } from './reader.js'

const MEASUREMENT = 'fate'
const LINES_AT_A_TIME = 5_000
/** As they are written; what was stored as new is not. */
const LETTERS: Readonly<Record<ReadingFate['fate'], string>> = { replaced: 'r', repeated: 'd', conflicts: 'c', setAside: 's' }
const FATES = new Map(Object.entries(LETTERS).map(([fate, letter]) => [letter, fate as ReadingFate['fate']]))

/** Fates of readings by journal record and place in it. */
type Items = ReadonlyMap<number, ReadingFate['fate']>

/** What was decided of a batch that the cursor does not cover: it may be stored in part, so it is not decided again. */
export interface Decided {
  readonly upTo: number
  readonly records: ReadonlyMap<number, Items>
}

/**
 * What became of readings that were not new: one point for each journal record that has such, at as many milliseconds as its sequence.
 * It is written before the readings and never decided again, so that neither a kill in mid-write nor a replay changes it.
 */
export class FateLog {
  readonly #link: InfluxLink
  readonly #bucket: string
  readonly #consumer: string

  /** `consumer`: whose cursor it goes with; the records of another journal are none of its business. */
  constructor(link: InfluxLink, bucket: string, consumer: string) {
    this.#link = link
    this.#bucket = bucketName(bucket, 'context')
    this.#consumer = consumer
  }

  /**
   * What is decided counts from its mark on, which is written when everything else is there: of a request that was carried out in part
   * nobody could tell what is missing.
   */
  async save(fates: readonly ReadingFate[], upTo: number): Promise<void> {
    const lines = [...byRecord(fates)].map(([sequence, items]) => {
      const text = [...items].map(([item, fate]) => `${item}${LETTERS[fate]}`).join(' ')
      return `${MEASUREMENT},consumer=${this.#consumer} items="${text}" ${sequence}`
    })
    for (let n = 0; n < lines.length; n += LINES_AT_A_TIME) {
      await this.#link.write(this.#bucket, lines.slice(n, n + LINES_AT_A_TIME).join('\n'))
    }
    await this.#link.write(this.#bucket, `${MEASUREMENT},consumer=${this.#consumer} up_to=${upTo}i ${upTo}`)
  }

  async list(after: number, upTo: number): Promise<ReadingFate[]> {
    const { records } = await this.#read(after, upTo)
    return [...records]
      .sort(([a], [b]) => a - b)
      .flatMap(([sequence, items]) => [...items].map(([item, fate]) => ({ sequence, item, fate })))
      .sort((a, b) => a.sequence - b.sequence || a.item - b.item)
  }

  /** What stands beyond the cursor: of a batch that broke off. */
  decidedAfter(cursor: number): Promise<Decided> {
    return this.#read(cursor, Number.MAX_SAFE_INTEGER)
  }

  async #read(after: number, upTo: number): Promise<Decided> {
    const records = new Map<number, Items>()
    let last = 0
    if (upTo <= after) return { upTo: last, records }
    const source = { bucket: this.#bucket, measurement: MEASUREMENT }
    await ask(this.#link, queries.fatesOf(source, this.#consumer, { from: after + 1, to: upTo }), (cells, columns) => {
      const value = cells[columns['_value'] ?? 0] ?? ''
      if (cells[columns['_field'] ?? 0] === 'up_to') last = Math.max(last, Number(value))
      else records.set(timeOf(cells, columns), itemsOf(value))
    })
    return { upTo: last, records }
  }
}

const itemsOf = (text: string): Items =>
  new Map(text.split(' ').map(part => [Number(part.slice(0, -1)), FATES.get(part.slice(-1)) ?? 'repeated']))

export function byRecord(fates: readonly ReadingFate[]): Map<number, Map<number, ReadingFate['fate']>> {
  const records = new Map<number, Map<number, ReadingFate['fate']>>()
  for (const { sequence, item, fate } of fates) {
    let items = records.get(sequence)
    if (!items) records.set(sequence, (items = new Map<number, ReadingFate['fate']>()))
    items.set(item, fate)
  }
  return records
}

interface Placed {
  readonly reading: StoredReading
  readonly index: number
  /** Place among the readings of its record. */
  readonly item: number
}

/** Those of a batch that were not stored as new, of the records after `after`. */
export function exceptions(readings: readonly StoredReading[], after: number, fateOf: (placed: Placed) => Fate): ReadingFate[] {
  const found: ReadingFate[] = []
  let sequence = 0
  let item = 0
  for (const [index, reading] of readings.entries()) {
    item = reading.sequence === sequence ? item + 1 : 0
    sequence = reading.sequence
    const fate = sequence > after ? fateOf({ reading, index, item }) : 'stored'
    if (fate !== 'stored') found.push({ sequence, item, fate })
  }
  return found
}
