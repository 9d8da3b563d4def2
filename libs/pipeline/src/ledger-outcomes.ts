import type { Millis, Reading } from '#libs/model'
import { CALIBRATING, DEVICE_FAULT, MEASURING } from '#libs/model'
import type { SequencedRecord } from './journal-source.js'
import type { AccountKeeper } from './ledger-consumer.js'
import { dayOf } from './ledger-days.js'
import type { LedgerBook, OutcomeDay, SeriesDay } from './ledger-ports.js'
import { LedgerRows } from './ledger-rows.js'
import { cover } from './ledger-spans.js'
import type { ReadingFate, TimeSeriesStore } from './ports.js'

const MOST_STATION_ROWS = 8_000
const MOST_SERIES_ROWS = 60_000
/** Before every instant that the product can hold. */
const NEVER = -1

interface Settings {
  readonly book: LedgerBook
  readonly store: Pick<TimeSeriesStore, 'fates' | 'fatesSince'>
  /** Readings of a series that lie no further apart than this have no gap between them. */
  readonly toleranceOf: (station: string) => Millis
}

/** Enters what became of the readings, once the store has them: by day of receipt, and by series and day of measurement. */
export class OutcomeKeeper implements AccountKeeper {
  readonly name = 'ledger-outcomes'
  readonly #settings: Settings
  readonly #days = new LedgerRows<OutcomeDay>(MOST_STATION_ROWS)
  readonly #series = new LedgerRows<SeriesDay>(MOST_SERIES_ROWS)
  /** By station and parameter. */
  readonly #newest = new Map<string, Map<string, Millis>>()
  #fates = new Map<number, Map<number, ReadingFate['fate']>>()

  constructor(settings: Settings) {
    this.#settings = settings
  }

  async start(): Promise<number> {
    this.#days.clear()
    this.#series.clear()
    this.#newest.clear()
    for (const { station, parameter, newest } of await this.#settings.book.newest()) this.#newestOf(station).set(parameter, newest)
    return (await this.#settings.book.cursor(this.name)) || this.#settings.store.fatesSince()
  }

  async reset(): Promise<void> {
    await this.#settings.book.reset(this.name)
    await this.start()
  }

  async prepare(records: readonly SequencedRecord[], { after, upTo }: { readonly after: number; readonly upTo: number }): Promise<void> {
    this.#fates = byRecord(await this.#settings.store.fates(after, upTo))
    const days = new Map<string, OutcomeDay>()
    const series = new Map<string, SeriesDay>()
    for (const { record } of records) {
      if (record.kind !== 'readings') continue
      const day = dayOf(record.receivedAt)
      const key = dayKey(record.station, day)
      if (!this.#days.has(key)) days.set(key, nothingOf(record.station, day))
      for (const { station, parameter, at } of record.readings) {
        const seriesKey = seriesDayKey(station, parameter, dayOf(at))
        if (!this.#series.has(seriesKey)) series.set(seriesKey, nothingMeasured(station, parameter, dayOf(at)))
      }
    }
    await this.#loadDays(days)
    await this.#loadSeries(series)
  }

  enter(records: readonly SequencedRecord[]): void {
    for (const { sequence, record } of records) {
      if (record.kind !== 'readings' || record.readings.length === 0) continue
      const fates = this.#fates.get(sequence)
      const day = this.#days.change(dayKey(record.station, dayOf(record.receivedAt)))
      const newest = this.#newestOf(record.station)
      const tolerance = this.#settings.toleranceOf(record.station)
      for (let item = 0; item < record.readings.length; item++) {
        this.#enterReading(record.readings[item] as Reading, fates?.get(item) ?? 'stored', { day, newest, tolerance })
      }
    }
  }

  async save(upTo: number): Promise<void> {
    await this.#settings.book.saveOutcomes(this.#days.changed(), this.#series.changed(), upTo)
    this.#days.saved()
    this.#series.saved()
  }

  #enterReading(
    reading: Reading,
    fate: ReadingFate['fate'] | 'stored',
    { day, newest, tolerance }: { day: OutcomeDay; newest: Map<string, Millis>; tolerance: Millis }
  ): void {
    day[fate]++
    if (fate !== 'stored' && fate !== 'replaced') return
    const ahead = reading.flag !== 1 && reading.flags.includes('clock-ahead')
    const known = newest.get(reading.parameter) ?? NEVER
    const late = fate === 'stored' && reading.at < known
    if (ahead) day.clockAhead++
    if (late) day.late++
    if (!ahead && reading.at > known) newest.set(reading.parameter, reading.at)
    if (fate === 'replaced') return
    const series = this.#series.change(seriesDayKey(reading.station, reading.parameter, dayOf(reading.at)))
    series.stored++
    if (late) series.late++
    if (reading.status !== MEASURING) series[statusColumn(reading.status)]++
    if (ahead) return
    if (reading.at > series.newest) series.newest = reading.at
    cover(series.covered, reading.at, tolerance)
  }

  #newestOf(station: string): Map<string, Millis> {
    let newest = this.#newest.get(station)
    if (!newest) this.#newest.set(station, (newest = new Map()))
    return newest
  }

  async #loadDays(wanted: Map<string, OutcomeDay>): Promise<void> {
    if (wanted.size === 0) return
    for (const row of await this.#settings.book.outcomes([...wanted.values()])) wanted.set(dayKey(row.station, row.day), row)
    for (const [key, row] of wanted) this.#days.set(key, row)
  }

  async #loadSeries(wanted: Map<string, SeriesDay>): Promise<void> {
    if (wanted.size === 0) return
    for (const row of await this.#settings.book.seriesDays([...wanted.values()])) {
      wanted.set(seriesDayKey(row.station, row.parameter, row.day), row)
    }
    for (const [key, row] of wanted) this.#series.set(key, row)
  }
}

function byRecord(fates: readonly ReadingFate[]): Map<number, Map<number, ReadingFate['fate']>> {
  const records = new Map<number, Map<number, ReadingFate['fate']>>()
  for (const { sequence, item, fate } of fates) {
    let record = records.get(sequence)
    if (!record) records.set(sequence, (record = new Map()))
    record.set(item, fate)
  }
  return records
}

const statusColumn = (status: string) => (status === CALIBRATING ? 'calibrating' : status === DEVICE_FAULT ? 'fault' : 'otherStatus')

const dayKey = (station: string, day: Millis): string => `${station}/${day}`
const seriesDayKey = (station: string, parameter: string, day: Millis): string => `${station}/${parameter}/${day}`

const nothingOf = (station: string, day: Millis): OutcomeDay => ({
  station,
  day,
  stored: 0,
  replaced: 0,
  repeated: 0,
  conflicts: 0,
  setAside: 0,
  late: 0,
  clockAhead: 0
})

const nothingMeasured = (station: string, parameter: string, day: Millis): SeriesDay => ({
  station,
  parameter,
  day,
  stored: 0,
  calibrating: 0,
  fault: 0,
  otherStatus: 0,
  late: 0,
  newest: NEVER,
  covered: []
})
