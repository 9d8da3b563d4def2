import type { Millis, Reading } from '#libs/model'
import { DAY, MINUTE } from '#libs/model'
import type { ItemRefusal, RefusalReason, WireRecord } from '#libs/wire'
import type { SequencedRecord } from './journal-source.js'
import type { AccountKeeper } from './ledger-consumer.js'
import { dayOf } from './ledger-days.js'
import type { LedgerBook, OfflineSpan, ReceiptDay } from './ledger-ports.js'
import type { Days } from './ledger-rows.js'
import { LedgerRows, noDays } from './ledger-rows.js'
import { cover } from './ledger-spans.js'

type AboutReadings = Extract<WireRecord, { kind: 'readings' | 'refusal' | 'repeat' }>

/** Rows in memory: a thousand stations with a week of late refusals. */
const MOST_ROWS = 8_000
/** Most parameters of a station whose refusals are told apart by day: names come from outside. */
const MOST_NAMES = 64
/** Messages and refusals that lie no further apart are one span. */
const TOGETHER = 15 * MINUTE
/** These say that the station's time cannot be read. */
const TIME_REASONS: readonly RefusalReason[] = ['bad-instant', 'no-zone']

/** Enters what came in: by station and day of receipt, as soon as it is in the journal. */
export class ReceiptKeeper implements AccountKeeper {
  readonly name = 'ledger-receipts'
  readonly #book: LedgerBook
  readonly #rows = new LedgerRows<ReceiptDay>(MOST_ROWS)
  readonly #stations = new Map<string, Days<ReceiptDay>>()
  readonly #offline = new Map<string, Millis>()
  #offlineChanges: OfflineSpan[] = []

  constructor(book: LedgerBook) {
    this.#book = book
  }

  async start(): Promise<number> {
    this.#rows.clear()
    this.#stations.clear()
    this.#offline.clear()
    this.#offlineChanges = []
    for (const { station, since } of await this.#book.offlineNow()) this.#offline.set(station, since)
    return this.#book.cursor(this.name)
  }

  async reset(): Promise<void> {
    await this.#book.reset(this.name)
    await this.start()
  }

  async prepare(records: readonly SequencedRecord[]): Promise<void> {
    const wanted = new Map<string, ReceiptDay>()
    for (const { record } of records) {
      if (record.kind === 'status' || record.kind === 'reply') continue
      const [station, today] = [record.station ?? '', dayOf(record.receivedAt)]
      const owner = this.#of(station)
      const want = (day: Millis): void => {
        if (!this.#rows.has(owner, day)) wanted.set(`${station}/${day}`, nothing(station, day))
      }
      want(today)
      if (record.kind === 'readings') for (const item of record.refused) want(dayOf(instantOf(item, record.receivedAt)))
    }
    if (wanted.size === 0) return
    for (const row of await this.#book.receipts([...wanted.values()])) wanted.set(`${row.station}/${row.day}`, row)
    for (const row of wanted.values()) this.#rows.hold(this.#of(row.station), row)
  }

  enter(records: readonly SequencedRecord[]): void {
    for (const { record } of records) {
      if (record.kind === 'status') this.#enterStatus(record.station, record.receivedAt, record.online)
      else if (record.kind !== 'reply') this.#enterMessage(record)
    }
  }

  async save(upTo: number): Promise<void> {
    await this.#book.saveReceipts(this.#rows.changed(), this.#offlineChanges, upTo)
    this.#rows.saved()
    this.#offlineChanges = []
  }

  #of(station: string): Days<ReceiptDay> {
    let owner = this.#stations.get(station)
    if (!owner) this.#stations.set(station, (owner = noDays()))
    return owner
  }

  #enterStatus(station: string, at: Millis, online: boolean): void {
    const since = this.#offline.get(station)
    if (!online && since === undefined) {
      this.#offline.set(station, at)
      this.#offlineChanges.push({ station, since: at, until: null })
    }
    if (!online || since === undefined) return
    this.#offline.delete(station)
    this.#offlineChanges.push({ station, since, until: at })
  }

  #enterMessage(record: AboutReadings): void {
    const station = record.station ?? ''
    if (this.#offline.has(station)) this.#enterStatus(station, record.receivedAt, true) // it speaks, so it is not offline
    const day = this.#rows.change(this.#of(station), dayOf(record.receivedAt))
    day.messages[record.road]++
    cover(day.came, record.receivedAt, TOGETHER)
    if (record.kind === 'refusal') this.#enterRefusal(day, record)
    else if (record.kind === 'repeat') enterRepeat(day, record)
    else this.#enterReadings(day, record.readings, record)
  }

  #enterRefusal(day: ReceiptDay, { road, reason, receivedAt }: Extract<WireRecord, { kind: 'refusal' }>): void {
    day.received[road]++
    day.refusedMessages++
    this.#enterReason(day, { reason, parameter: '', at: null, receivedAt })
  }

  #enterReadings(day: ReceiptDay, readings: readonly Reading[], record: Extract<WireRecord, { kind: 'readings' }>): void {
    const { receivedAt, refused, road } = record
    day.received[road] += readings.length + refused.length
    if (readings.some(reading => reading.flag !== 1 && reading.flags.includes('clock-ahead'))) cover(day.clock, receivedAt, TOGETHER)
    for (const item of refused) this.#enterReason(day, { ...item, receivedAt })
  }

  #enterReason(day: ReceiptDay, item: Pick<ItemRefusal, 'reason' | 'parameter' | 'at'> & { receivedAt: Millis }): void {
    const { reason, parameter, receivedAt } = item
    day.refused[reason] = (day.refused[reason] ?? 0) + 1
    if (TIME_REASONS.includes(reason)) return cover(day.clock, receivedAt, TOGETHER)
    const at = instantOf(item, receivedAt)
    const { refusedSpans } = this.#rows.change(this.#of(day.station), dayOf(at))
    const name = parameter ?? ''
    if (refusedSpans[name] === undefined && Object.keys(refusedSpans).length >= MOST_NAMES) return
    cover((refusedSpans[name] ??= []), at, TOGETHER)
  }
}

function enterRepeat(day: ReceiptDay, { road, readings }: Extract<WireRecord, { kind: 'repeat' }>): void {
  day.received[road] += readings
  day.repeatedMessages++
  day.repeated += readings
}

/** Back-fill is up to 60 days old (design, section 6); what tells of an older time says more of a clock than of a gap. */
const OLDEST_GAP = 90 * DAY

/** A refused reading belongs to the time that it tells, unless that has not come yet or is long past. */
const instantOf = ({ at }: Pick<ItemRefusal, 'at'>, receivedAt: Millis): Millis =>
  at === null || at > receivedAt || at < receivedAt - OLDEST_GAP ? receivedAt : at

const nothing = (station: string, day: Millis): ReceiptDay => ({
  station,
  day,
  messages: { mqtt: 0, http: 0, file: 0 },
  received: { mqtt: 0, http: 0, file: 0 },
  refusedMessages: 0,
  repeatedMessages: 0,
  repeated: 0,
  refused: {},
  came: [],
  clock: [],
  refusedSpans: Object.create(null) as Record<string, never>
})
