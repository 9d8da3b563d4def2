import type { SeriesKey } from '#libs/model'
import type { Log, StoredReading, WriteOutcome } from '#libs/pipeline'
import { bucketName } from './catalogue.js'
import type { ConflictBook } from './conflict-book.js'
import { ConflictLog } from './conflict-log.js'
import type { Decided } from './fate-log.js'
import { byRecord, exceptions, FateLog } from './fate-log.js'
import type { InfluxLink } from './link.js'
import type { Fate, Plan, SeriesMemory } from './plan.js'
import { needsLook, planBatch, remember } from './plan.js'
import { checkStorable } from './points.js'
import type { Refused } from './posting.js'
import { Poster } from './posting.js'
import * as queries from './queries.js'
import type { Found, InfluxReader } from './reader.js'
import { ask } from './reader.js'
import { SetAsideLog } from './set-aside.js'
import { spansOf } from './spans.js'

export interface WriterOptions {
  readonly bucket: string
  /** Whose cursor it is: `store`, and the journal that it counts. */
  readonly consumer: string
  readonly beforeCursor: () => void
  readonly log: Log | undefined
}

/**
 * Writes batches. InfluxDB knows no transaction, so the steps stand in an order in which each may be the last one:
 * look up what the batch may meet; plan; write what will have become of readings that are not new; write conflicts (they tell of points that the next step overwrites); write points;
 * write what was refused; write the cursor. A batch that broke off is written again by the caller, and comes out as if it never had.
 */
export class BatchWriter {
  readonly #link: InfluxLink
  readonly #reader: InfluxReader
  readonly #options: WriterOptions
  readonly #poster: Poster
  readonly #conflicts: ConflictLog
  readonly #setAside: SetAsideLog
  readonly #fates: FateLog
  /** Null while what InfluxDB holds is not known: at first, and after a batch that broke off. */
  #series: Map<string, Map<string, SeriesMemory>> | null = null
  #cursor: number | null = null
  /** What a batch that broke off did with its readings: some of it is stored, and would be taken for repeated next time. */
  #unsettled = new Map<string, Fate>()
  /** What the log says of records beyond the cursor. Null while it has not been asked. */
  #decided: Decided | null = null

  constructor(link: InfluxLink, reader: InfluxReader, options: WriterOptions) {
    this.#link = link
    this.#reader = reader
    this.#options = options
    this.#poster = new Poster(link, bucketName(options.bucket, 'readings'), reader)
    this.#conflicts = new ConflictLog(link, options.bucket)
    this.#setAside = new SetAsideLog(link, options.bucket)
    this.#fates = new FateLog(link, options.bucket, options.consumer)
  }

  async cursor(): Promise<number> {
    let sequence = 0
    await ask(this.#link, queries.cursorOf(this.#cursorSource, this.#options.consumer), (cells, columns) => {
      sequence = Number(cells[columns['_value'] ?? 0])
    })
    return sequence
  }

  async write(readings: readonly StoredReading[], upTo: number): Promise<WriteOutcome> {
    for (const reading of readings) checkStorable(reading)
    const counts = { stored: 0, replaced: 0, repeated: 0, conflicts: 0, setAside: 0 }
    await this.#link.checkClock()
    for (const fate of await this.#writeWhole(readings, upTo)) counts[fate]++
    this.#unsettled.clear()
    return counts
  }

  async #writeWhole(readings: readonly StoredReading[], upTo: number): Promise<Fate[]> {
    const memory = await this.#known()
    await this.#link.checkClock()
    const plan = planBatch(readings, reading => seriesIn(memory, reading), (await this.#lookUp(readings, memory)).at)
    try {
      return await this.#carryOut(plan, readings, upTo)
    } catch (error) {
      this.#series = null
      this.#keepFates(readings, plan.fates)
      throw error
    }
  }

  async #carryOut(plan: Plan, readings: readonly StoredReading[], upTo: number): Promise<Fate[]> {
    const book = await this.#settleContradictions(plan)
    await this.#decide(plan, readings, { upTo, aside: new Set() })
    if (book) await this.#conflicts.save(book)
    const refused = await this.#poster.post(plan.changes)
    await this.#setAside.save(refused.map(({ change, line, reason }) => ({ reading: change.reading, line, reason })))
    const aside = new Set(refused.map(({ change }) => change.reading))
    if (aside.size > 0) await this.#decide(plan, readings, { upTo, aside })
    this.#options.beforeCursor()
    await this.#saveCursor(upTo)
    learn(plan, refused)
    this.#report(refused)
    return this.#settled(readings, plan.fates, refused)
  }

  async #known(): Promise<Map<string, Map<string, SeriesMemory>>> {
    this.#cursor ??= await this.cursor()
    this.#decided ??= await this.#fates.decidedAfter(this.#cursor)
    if (this.#series) return this.#series
    const known = new Map<string, Map<string, SeriesMemory>>()
    for (const { at, ...key } of await this.#reader.newest()) seriesIn(known, key).newest = at
    this.#series = known
    return known
  }

  async #lookUp(readings: readonly StoredReading[], memory: Map<string, Map<string, SeriesMemory>>): Promise<Found> {
    const wanted = readings.filter(reading => needsLook(seriesIn(memory, reading), reading))
    return wanted.length === 0 ? NOTHING : this.#reader.find(spansOf(wanted))
  }

  /** Writes down what becomes of readings that are not new, before anything of them is stored. What was written down once, stands. */
  async #decide(plan: Plan, readings: readonly StoredReading[], batch: { upTo: number; aside: ReadonlySet<StoredReading> }): Promise<void> {
    const { upTo, records } = this.#decided ?? NOTHING_DECIDED
    const found = exceptions(readings, this.#cursor ?? 0, ({ index, reading, item }) => {
      if (batch.aside.has(reading)) return 'setAside'
      if (reading.sequence <= upTo) return records.get(reading.sequence)?.get(item) ?? 'stored'
      return plan.known.has(index) ? 'stored' : (plan.fates[index] ?? 'stored')
    })
    if (found.length === 0) return
    const end = Math.max(upTo, batch.upTo)
    await this.#fates.save(found, end)
    this.#decided = { upTo: end, records: byRecord(found) }
  }

  async #settleContradictions({ contradictions, fates }: Plan): Promise<ConflictBook | undefined> {
    if (contradictions.length === 0) return undefined
    const book = await this.#conflicts.open(contradictions)
    for (const contradiction of contradictions) if (book.add(contradiction)) fates[contradiction.index] = 'conflicts'
    return book
  }

  async #saveCursor(upTo: number): Promise<void> {
    if (this.#cursor !== null && upTo <= this.#cursor) return
    await this.#link.write(this.#cursorSource.bucket, `cursor,consumer=${this.#options.consumer} sequence=${upTo}i 0`)
    this.#cursor = upTo
  }

  get #cursorSource(): queries.Source {
    return { bucket: bucketName(this.#options.bucket, 'context'), measurement: 'cursor' }
  }

  #keepFates(readings: readonly StoredReading[], fates: readonly Fate[]): void {
    for (const [n, reading] of readings.entries()) {
      const fate = fates[n]
      if (fate && fate !== 'repeated' && !this.#unsettled.has(identityOf(reading))) this.#unsettled.set(identityOf(reading), fate)
    }
  }

  #settled(readings: readonly StoredReading[], fates: readonly Fate[], refused: readonly Refused[]): Fate[] {
    const aside = new Set(refused.map(({ change }) => change.reading))
    const unsettled = new Map(this.#unsettled)
    return readings.map((reading, n) => {
      const fate = fates[n] ?? 'repeated'
      const before = this.#unsettled.size === 0 ? undefined : unsettled.get(identityOf(reading))
      if (before) unsettled.delete(identityOf(reading)) // a repeat of it within the batch was one then, too
      if (aside.has(reading)) return 'setAside'
      return fate === 'repeated' ? (before ?? fate) : fate
    })
  }

  #report(refused: readonly Refused[]): void {
    const [first] = refused
    if (!first) return
    const text = `InfluxDB refused ${refused.length} readings for good; they are set aside: ${first.reason}`
    this.#options.log?.warn({ readings: refused.length, first: first.line }, text)
  }
}

const NOTHING_DECIDED: Decided = { upTo: 0, records: new Map() }
const NOTHING: Found = { at: () => undefined }

const identityOf = ({ station, parameter, at, sequence, revision, value, unit, status }: StoredReading): string =>
  `${station}/${parameter}@${at} ${sequence} ${revision} ${value} ${unit} ${status}`

function seriesIn(memory: Map<string, Map<string, SeriesMemory>>, { station, parameter }: SeriesKey): SeriesMemory {
  let ofStation = memory.get(station)
  if (!ofStation) memory.set(station, (ofStation = new Map<string, SeriesMemory>()))
  let series = ofStation.get(parameter)
  if (!series) ofStation.set(parameter, (series = remember({ station, parameter })))
  return series
}

/** What the plan wrote is known from now on. */
function learn({ changes }: Plan, refused: readonly Refused[]): void {
  for (const { series, reading } of changes) {
    if (reading.at < series.newest) continue
    series.newest = reading.at
    series.standing = reading
  }
  // Nobody knows what stands at the instant of a refused one.
  for (const { change } of refused) if (change.reading.at === change.series.newest) change.series.standing = undefined
}
