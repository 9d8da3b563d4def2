import type { Millis, Road } from '#libs/model'
import type { RefusalReason, WireRecord } from '#libs/wire'
import type { Consumer } from './consumer-runner.js'
import type { SequencedRecord } from './journal-source.js'

/** Something that was refused: a whole message, or one reading of it (then `parameter` is set). */
export interface Refusal {
  readonly sequence: number
  readonly receivedAt: Millis
  readonly station: string | null
  readonly road: Road
  readonly topic: string
  readonly reason: RefusalReason
  readonly detail: string
  readonly parameter: string | null
  readonly at: Millis | null
  /** The first bytes of what came in; the journal has all of them. */
  readonly payload: Uint8Array
  readonly payloadBytes: number
}

/** Where refusals are listed. Rows and cursor are kept together. */
export interface RefusalLog {
  cursor(): Promise<number>
  record(refusals: readonly Refusal[], upTo: number): Promise<void>
}

const EXCERPT_BYTES = 4_096
/** A journal without refusals would otherwise cost a transaction per batch; the cursor may trail by this many records. */
const LAZY_RECORDS = 20_000

/** Lists what was refused and why, from the journal. */
export class RefusalConsumer implements Consumer {
  readonly name = 'refusals'
  readonly #log: RefusalLog
  #kept = 0

  constructor(log: RefusalLog) {
    this.#log = log
  }

  async start(): Promise<number> {
    this.#kept = await this.#log.cursor()
    return this.#kept
  }

  kept(): number {
    return this.#kept
  }

  async consume(records: readonly SequencedRecord[], upTo: number): Promise<void> {
    const refusals = records.flatMap(({ sequence, record }) => refusalsOf(sequence, record))
    if (refusals.length === 0 && upTo - this.#kept < LAZY_RECORDS) return
    await this.#log.record(refusals, upTo)
    this.#kept = upTo
  }
}

function refusalsOf(sequence: number, record: WireRecord): Refusal[] {
  if (record.kind !== 'refusal' && record.kind !== 'readings') return []
  const origin = {
    sequence,
    receivedAt: record.receivedAt,
    station: record.station,
    road: record.road,
    payload: record.payload.subarray(0, EXCERPT_BYTES),
    payloadBytes: record.payload.byteLength
  }
  if (record.kind === 'refusal') {
    return [{ ...origin, topic: record.topic, reason: record.reason, detail: record.detail, parameter: null, at: null }]
  }
  return record.refused.map(item => ({ ...origin, topic: 'readings', ...item }))
}
