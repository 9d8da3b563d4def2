import type { Millis } from '#libs/model'
import { SECOND } from '#libs/model'
import type { Clock, Consumer, SequencedRecord } from '#libs/pipeline'
import type { TallyCounts } from '../wiring/tally.js'
import { DELAY_SECONDS, Tally } from '../wiring/tally.js'

/** A consumer whose delay is taken: once for each batch, by the newest reading of its last message. */
export class Delayed implements Consumer {
  readonly name: string
  readonly #consumer: Consumer
  readonly #clock: Clock
  readonly #delays = new Tally(DELAY_SECONDS)

  constructor(consumer: Consumer, clock: Clock) {
    this.name = consumer.name
    this.#consumer = consumer
    this.#clock = clock
  }

  start(): Promise<number> {
    return this.#consumer.start()
  }

  kept(): number {
    return this.#consumer.kept()
  }

  async consume(records: readonly SequencedRecord[], upTo: number): Promise<void> {
    await this.#consumer.consume(records, upTo)
    const newest = newestInstant(records)
    if (newest !== undefined) this.#delays.add(Math.max(0, this.#clock() - newest) / SECOND)
  }

  report(): { readonly consumer: string; readonly delays: TallyCounts } {
    return { consumer: this.name, delays: this.#delays.counts() }
  }
}

function newestInstant(records: readonly SequencedRecord[]): Millis | undefined {
  for (let i = records.length - 1; i >= 0; i--) {
    const record = records[i]?.record
    if (record?.kind === 'readings' && record.readings.length > 0) return Math.max(...record.readings.map(reading => reading.at))
  }
  return undefined
}
