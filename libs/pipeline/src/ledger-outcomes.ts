import type { Millis, Reading } from '#libs/model'
import { CALIBRATING, DEVICE_FAULT, MEASURING } from '#libs/model'
import type { WireRecord } from '#libs/wire'
import type { SequencedRecord } from './journal-source.js'
import type { AccountKeeper } from './ledger-consumer.js'
import { dayOf } from './ledger-days.js'
import type { LedgerBook, OutcomeDay, SeriesDay } from './ledger-ports.js'
import type { Days } from './ledger-rows.js'
import { LedgerRows, noDays } from './ledger-rows.js'
import { cover } from './ledger-spans.js'
import type { ReadingFate, TimeSeriesStore } from './ports.js'

type AboutReadings = Extract<WireRecord, { kind: 'readings' }>

const MOST_STATION_ROWS = 8_000
const MOST_SERIES_ROWS = 60_000

/** Before every instant that the product can hold. */
const NEVER = -1

interface Series extends Days<SeriesDay> {
  /** The newest reading that was not ahead of the clock. */
  newest: Millis
}

interface StationAccount extends Days<OutcomeDay> {
  /** By parameter. */
  readonly series: Map<string, Series>
}

interface Settings {
  readonly book: LedgerBook
  readonly store: Pick<TimeSeriesStore, 'fates'>
  /** Readings of a series that lie no further apart than this have no gap between them. */
  readonly toleranceOf: (station: string) => Millis
}

/** Enters what became of the readings, once the store has them: by day of receipt, and by series and day of measurement. */
export class OutcomeKeeper implements AccountKeeper {
  readonly name = 'ledger-outcomes'
  readonly #settings: Settings
  readonly #days = new LedgerRows<OutcomeDay>(MOST_STATION_ROWS)
  readonly #seriesDays = new LedgerRows<SeriesDay>(MOST_SERIES_ROWS)
  readonly #stations = new Map<string, StationAccount>()
  #fates = new Map<number, Map<number, ReadingFate['fate']>>()

  constructor(settings: Settings) {
    this.#settings = settings
  }

  async start(): Promise<number> {
    this.#days.clear()
    this.#seriesDays.clear()
    this.#stations.clear()
    for (const { station, parameter, newest } of await this.#settings.book.newest()) seriesOf(this.#of(station), parameter).newest = newest
    return this.#settings.book.cursor(this.name)
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
      const account = this.#of(record.station)
      if (!this.#days.has(account, day)) days.set(`${record.station}/${day}`, nothingOf(record.station, day))
      this.#findMissing(account, record, series)
    }
    await this.#loadDays(days)
    await this.#loadSeries(series)
  }

  enter(records: readonly SequencedRecord[]): void {
    for (const { sequence, record } of records) {
      if (record.kind !== 'readings' || record.readings.length === 0) continue
      const fates = this.#fates.get(sequence)
      const account = this.#of(record.station)
      const day = this.#days.change(account, dayOf(record.receivedAt))
      const tolerance = this.#settings.toleranceOf(record.station)
      for (let item = 0; item < record.readings.length; item++) {
        const reading = record.readings[item] as Reading
        const fate = fates?.get(item) ?? 'stored'
        day[fate]++
        if (fate === 'stored') this.#enterStored(reading, seriesOf(account, reading.parameter), { day, tolerance })
        else if (fate === 'replaced' && isAhead(reading)) day.clockAhead++
      }
    }
  }

  async save(upTo: number): Promise<void> {
    await this.#settings.book.saveOutcomes(this.#days.changed(), this.#seriesDays.changed(), upTo)
    this.#days.saved()
    this.#seriesDays.saved()
  }

  #enterStored(reading: Reading, series: Series, { day, tolerance }: { readonly day: OutcomeDay; readonly tolerance: Millis }): void {
    const row = this.#seriesDays.change(series, dayOf(reading.at))
    row.stored++
    if (reading.at < series.newest) {
      day.late++
      row.late++
    }
    if (reading.status !== MEASURING) row[statusColumn(reading.status)]++
    if (isAhead(reading)) {
      day.clockAhead++
      return
    }
    if (reading.at > series.newest) series.newest = reading.at
    if (reading.at > row.newest) row.newest = reading.at
    cover(row.covered, reading.at, tolerance)
  }

  #findMissing(account: StationAccount, { station, readings }: AboutReadings, missing: Map<string, SeriesDay>): void {
    for (let item = 0; item < readings.length; item++) {
      const { parameter, at } = readings[item] as Reading
      const day = dayOf(at)
      const series = account.series.get(parameter)
      if (!series || !this.#seriesDays.has(series, day))
        missing.set(`${station}/${parameter}/${day}`, nothingMeasured(station, parameter, day))
    }
  }

  #of(station: string): StationAccount {
    let account = this.#stations.get(station)
    if (!account) this.#stations.set(station, (account = { ...noDays<OutcomeDay>(), series: new Map() }))
    return account
  }

  async #loadDays(wanted: Map<string, OutcomeDay>): Promise<void> {
    if (wanted.size === 0) return
    for (const row of await this.#settings.book.outcomes([...wanted.values()])) wanted.set(`${row.station}/${row.day}`, row)
    for (const row of wanted.values()) this.#days.hold(this.#of(row.station), row)
  }

  async #loadSeries(wanted: Map<string, SeriesDay>): Promise<void> {
    if (wanted.size === 0) return
    const found = await this.#settings.book.seriesDays([...wanted.values()])
    for (const row of found) wanted.set(`${row.station}/${row.parameter}/${row.day}`, row)
    for (const row of wanted.values()) this.#seriesDays.hold(seriesOf(this.#of(row.station), row.parameter), row)
  }
}

function seriesOf(account: StationAccount, parameter: string): Series {
  let series = account.series.get(parameter)
  if (!series) account.series.set(parameter, (series = { ...noDays<SeriesDay>(), newest: NEVER }))
  return series
}

const isAhead = (reading: Reading): boolean => reading.flag !== 1 && reading.flags.includes('clock-ahead')

function byRecord(fates: readonly ReadingFate[]): Map<number, Map<number, ReadingFate['fate']>> {
  const records = new Map<number, Map<number, ReadingFate['fate']>>()
  for (const { sequence, item, fate } of fates) {
    let record = records.get(sequence)
    if (!record) records.set(sequence, (record = new Map<number, ReadingFate['fate']>()))
    record.set(item, fate)
  }
  return records
}

const statusColumn = (status: string) => (status === CALIBRATING ? 'calibrating' : status === DEVICE_FAULT ? 'fault' : 'otherStatus')

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
