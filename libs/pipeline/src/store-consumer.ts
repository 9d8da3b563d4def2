import type { Reading } from '#libs/model'
import type { Consumer } from './consumer-runner.js'
import type { SequencedRecord } from './journal-source.js'
import type { StoredReading, TimeSeriesStore, WriteOutcome } from './ports.js'

/** Writes every reading of the journal into the time series store. The store keeps the cursor with the data. */
export class StoreConsumer implements Consumer {
  readonly name = 'store'
  readonly #store: TimeSeriesStore
  readonly #onWritten: (outcome: WriteOutcome) => void
  #kept = 0

  constructor(store: TimeSeriesStore, onWritten: (outcome: WriteOutcome) => void) {
    this.#store = store
    this.#onWritten = onWritten
  }

  async start(): Promise<number> {
    this.#kept = await this.#store.cursor()
    return this.#kept
  }

  kept(): number {
    return this.#kept
  }

  async consume(records: readonly SequencedRecord[], upTo: number): Promise<void> {
    this.#onWritten(await this.#store.write(readingsOf(records), upTo))
    this.#kept = upTo
  }
}

function readingsOf(records: readonly SequencedRecord[]): StoredReading[] {
  const readings: StoredReading[] = []
  for (const { sequence, record } of records) {
    if (record.kind !== 'readings') continue
    for (const reading of record.readings) readings.push(withSequence(reading, sequence))
  }
  return readings
}

/** Written out: a spread here costs more than storing the reading. */
function withSequence(r: Reading, sequence: number): StoredReading {
  const { station, parameter, at, value, unit, status, flag, flags, revision, receivedAt, road } = r
  return r.reported
    ? { station, parameter, at, value, unit, status, flag, flags, revision, receivedAt, road, reported: r.reported, sequence }
    : { station, parameter, at, value, unit, status, flag, flags, revision, receivedAt, road, sequence }
}
