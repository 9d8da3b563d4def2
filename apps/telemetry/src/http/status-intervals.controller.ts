import { Controller, Get, Inject, Param, Query } from '@nestjs/common'
import type { z } from 'zod'
import type { StatusInterval } from '#libs/aggregates'
import type { Millis, SeriesKey } from '#libs/model'
import { CALIBRATING, DAY, formatInstant, MINUTE } from '#libs/model'
import { StatusIntervals } from '#libs/pipeline'
import type { Stations } from '../wiring/stations.js'
import { STATIONS } from '../wiring/tokens.js'
import { numberCursor } from './cursor.js'
import { Documented } from './documented.js'
import { notFound } from './problem.js'
import type { StatusIntervalView } from './schemas.js'
import { ReadingsQuery, SeriesPath, StatusIntervalList, toCursor } from './schemas.js'
import { spanAsked } from './span-asked.js'

/** What is looked at unless the query says from where, and at most: each reading in it is read. */
const USUAL: Millis = 31 * DAY
const LONGEST: Millis = 400 * DAY

@Controller('api/v1')
export class StatusIntervalsController {
  readonly #intervals: StatusIntervals
  readonly #stations: Stations

  constructor(@Inject(StatusIntervals) intervals: StatusIntervals, @Inject(STATIONS) stations: Stations) {
    this.#intervals = intervals
    this.#stations = stations
  }

  @Get('series/:station/:parameter/status-intervals')
  @Documented({
    right: 'read',
    summary: 'Calibrations (01) and faults (02) of one series that touch a span, ascending; the last 31 days unless told',
    ok: StatusIntervalList,
    problems: [400, 404]
  })
  async list(
    @Param({ schema: SeriesPath }) path: z.infer<typeof SeriesPath>,
    @Query({ schema: ReadingsQuery }) query: z.infer<typeof ReadingsQuery>
  ) {
    if (!this.#stations.measures(path.station, path.parameter)) throw notFound(`series ${path.station}/${path.parameter}`)
    const now = Date.now()
    const begin = query.after === undefined ? query.from : numberCursor(query.after)
    const span = spanAsked({ from: begin, to: query.to }, { now: now + 1, usual: USUAL, longest: LONGEST })
    const found = await this.#intervals.find({ ...path, ...span, limit: query.limit + 1 })
    const items = found.slice(0, query.limit)
    const last = items.at(-1)
    return { items: items.map(interval => view(path, interval, now)), next: found.length > query.limit && last ? toCursor(last.end) : null }
  }
}

function view({ station, parameter }: SeriesKey, interval: StatusInterval, now: Millis): z.infer<typeof StatusIntervalView> {
  const { status, start, end, readings } = interval
  return {
    station,
    parameter,
    status,
    kind: status === CALIBRATING ? 'calibration' : 'fault',
    start: formatInstant(start),
    end: end > now ? null : formatInstant(end),
    minutes: (Math.min(end, now) - start) / MINUTE,
    readings
  }
}
