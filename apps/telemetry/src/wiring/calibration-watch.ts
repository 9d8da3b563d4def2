import type { Millis, SeriesKey, Station } from '#libs/model'
import { CALIBRATING, calibrationTermsOf, codeOf, DAY, messageOf, SECOND, seriesId } from '#libs/model'
import type { CalibrationReviews, Clock, Log, ReviewedCalibration, TimeSeriesStore } from '#libs/pipeline'

interface Sources {
  readonly stations: ReadonlyMap<string, Station>
  readonly newest: Pick<TimeSeriesStore, 'latest'>
  readonly reviews: Pick<CalibrationReviews, 'find'>
  readonly clock: Clock
  readonly log: Log
}

type Subscriber = (calibration: ReviewedCalibration) => void

const LOOK_MS = 10 * SECOND

/**
 * Tells of calibrations that are to be reviewed as they come up: a data-quality event on the stream and in the log. It looks every ten seconds at
 * the series whose newest reading has status 01, and once more at those that had. What it misses, such as calibrations sent late, is in the
 * list, which is computed from all readings.
 */
export class CalibrationWatch {
  readonly #sources: Sources
  readonly #subscribers = new Set<Subscriber>()
  /** By series, beginning and reasons: told already, or there before the start. With the beginning, so that old ones are forgotten. */
  readonly #told = new Map<string, Millis>()
  #calibrating = new Map<string, SeriesKey>()
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> = Promise.resolve()
  #isFirst = true

  constructor(sources: Sources) {
    this.#sources = sources
  }

  start(): this {
    void this.look()
    this.#timer = setInterval(() => void this.look(), LOOK_MS)
    return this
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#looking
  }

  subscribe(subscriber: Subscriber): () => void {
    this.#subscribers.add(subscriber)
    return () => this.#subscribers.delete(subscriber)
  }

  /** Never rejects; one look at a time. */
  look(): Promise<void> {
    this.#looking = this.#looking.then(() =>
      this.#look().catch((error: unknown) => {
        this.#sources.log.error({ code: codeOf(error) }, `looking for calibrations to be reviewed: ${messageOf(error)}`)
      })
    )
    return this.#looking
  }

  async #look(): Promise<void> {
    const { newest, clock } = this.#sources
    const now = clock()
    const calibrating = (await newest.latest()).filter(({ status }) => status === CALIBRATING)
    const current = new Map(calibrating.map(({ station, parameter }) => [seriesId({ station, parameter }), { station, parameter }]))
    const watched = new Map([...this.#calibrating, ...current])
    for (const series of watched.values()) await this.#review(series, now)
    this.#calibrating = current
    this.#isFirst = false
    for (const [key, start] of this.#told) if (start < now - 2 * DAY) this.#told.delete(key)
  }

  async #review(series: SeriesKey, now: Millis): Promise<void> {
    const { stations, reviews } = this.#sources
    const terms = calibrationTermsOf(stations.get(series.station))
    for (const one of await reviews.find(series, { from: now - DAY, to: now + 1 }, terms)) {
      const key = `${seriesId(series)}/${one.start}/${one.reasons.join()}`
      if (one.reasons.length === 0 || this.#told.has(key)) continue
      this.#told.set(key, one.start)
      if (!this.#isFirst) this.#tell(one)
    }
  }

  #tell(one: ReviewedCalibration): void {
    const { station, parameter, reasons } = one
    this.#sources.log.warn({ station, parameter, reasons }, 'calibration to be reviewed')
    for (const subscriber of this.#subscribers) subscriber(one)
  }
}
