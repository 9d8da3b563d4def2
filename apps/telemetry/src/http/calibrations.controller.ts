import { Controller, Get, Inject, Param, Query } from '@nestjs/common'
import { z } from 'zod'
import type { Millis, Station } from '#libs/model'
import { calibrationTermsOf, DAY, STATION_KINDS } from '#libs/model'
import { CalibrationReviews } from '#libs/pipeline'
import type { Stations } from '../wiring/stations.js'
import { STATIONS } from '../wiring/tokens.js'
import { CALIBRATION_STATES, CalibrationView, calibrationView } from './calibration-views.js'
import { Documented } from './documented.js'
import { notFound } from './problem.js'
import { CursorParameter, fromCursor, inOrder, limitOf, list, StationPath, span, toCursor } from './schemas.js'
import { spanAsked } from './span-asked.js'

/** What is looked at unless the query says from where, and at most. */
const USUAL: Millis = DAY
const LONGEST: Millis = 31 * DAY
/** Series after which a page ends: the days of each are read. */
const MOST_LOOKS = 500

const CalibrationsQuery = z.object(span).refine(...inOrder)
const AllCalibrationsQuery = z
  .object({
    ...span,
    state: z.enum(CALIBRATION_STATES).optional(),
    kind: z.enum(STATION_KINDS).optional(),
    limit: limitOf(100),
    after: CursorParameter
  })
  .refine(...inOrder)

type CalibrationJson = z.infer<typeof CalibrationView>
const StationCalibrationList = z.object({ items: z.array(CalibrationView) })
const CalibrationList = list(CalibrationView)

@Controller('api/v1')
export class CalibrationsController {
  readonly #reviews: CalibrationReviews
  readonly #stations: Stations

  constructor(@Inject(CalibrationReviews) reviews: CalibrationReviews, @Inject(STATIONS) stations: Stations) {
    this.#reviews = reviews
    this.#stations = stations
  }

  @Get('stations/:code/calibrations')
  @Documented({
    right: 'read',
    summary: 'Calibrations (01) of a station, and which of them are to be reviewed; the last day unless told, at most 31',
    ok: StationCalibrationList,
    problems: [400, 404]
  })
  async ofStation(
    @Param({ schema: StationPath }) { code }: z.infer<typeof StationPath>,
    @Query({ schema: CalibrationsQuery }) query: z.infer<typeof CalibrationsQuery>
  ) {
    const station = this.#stations.byCode.get(code)
    if (!station) throw notFound(`station ${code}`)
    return { items: await this.#of(station, spanOf(query)) }
  }

  @Get('calibrations')
  @Documented({
    right: 'read',
    summary:
      'Calibrations of all stations, by station: with state=to-be-reviewed those that a person must look at; a page holds whole stations',
    ok: CalibrationList,
    problems: [400]
  })
  async all(@Query({ schema: AllCalibrationsQuery }) query: z.infer<typeof AllCalibrationsQuery>) {
    const after = query.after === undefined ? '' : fromCursor(query.after)
    const left = this.#stations.all.filter(({ code, kind }) => code > after && (query.kind === undefined || kind === query.kind))
    const items: CalibrationJson[] = []
    let looks = 0
    for (const station of left) {
      const found = await this.#of(station, spanOf(query))
      items.push(...found.filter(({ state }) => query.state === undefined || state === query.state))
      looks += station.parameters.length
      const isLast = station === left.at(-1)
      if (!isLast && (items.length >= query.limit || looks >= MOST_LOOKS)) return { items, next: toCursor(station.code) }
      // An embedded store answers at once: others have their turn between two stations.
      await new Promise(resolve => setImmediate(resolve))
    }
    return { items, next: null }
  }

  /** Ascending in time. */
  async #of(station: Station, span: { readonly from: Millis; readonly to: Millis }): Promise<CalibrationJson[]> {
    const terms = calibrationTermsOf(station)
    const now = Date.now()
    const items: CalibrationJson[] = []
    for (const parameter of station.parameters) {
      const found = await this.#reviews.find({ station: station.code, parameter }, span, terms)
      items.push(...found.map(one => calibrationView(one, now)))
    }
    return items.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0))
  }
}

/** A reading of this very millisecond too. */
const spanOf = (query: z.infer<typeof CalibrationsQuery>) => spanAsked(query, { now: Date.now() + 1, usual: USUAL, longest: LONGEST })
