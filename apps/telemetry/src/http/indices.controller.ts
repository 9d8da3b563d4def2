import { Controller, Get, Inject, Param, Query } from '@nestjs/common'
import type { z } from 'zod'
import type { Millis } from '#libs/model'
import { DAY } from '#libs/model'
import type { Stations } from '../wiring/stations.js'
import { STATIONS } from '../wiring/tokens.js'
import { Documented } from './documented.js'
import { IndexList, IndicesQuery } from './indices-schemas.js'
import { IndexViews } from './indices-views.js'
import { notFound } from './problem.js'
import { StationPath } from './schemas.js'
import { spanAsked } from './span-asked.js'

/** What is looked at unless the query says from where, and at most. */
const USUAL: Millis = 2 * DAY
const LONGEST: Millis = 31 * DAY

@Controller('api/v1')
export class IndicesController {
  readonly #views: IndexViews
  readonly #stations: Stations

  constructor(@Inject(IndexViews) views: IndexViews, @Inject(STATIONS) stations: Stations) {
    this.#views = views
    this.#stations = stations
  }

  @Get('indices/:code')
  @Documented({
    right: 'read',
    summary: 'VN_AQI of hours or days, VN_WQI of hours, from published hourly means; the last two days unless told, at most 31',
    ok: IndexList,
    problems: [400, 404]
  })
  async list(
    @Param({ schema: StationPath }) { code }: z.infer<typeof StationPath>,
    @Query({ schema: IndicesQuery }) query: z.infer<typeof IndicesQuery>
  ) {
    const station = this.#stations.byCode.get(code)
    if (!station) throw notFound(`station ${code}`)
    const span = spanAsked(query, { now: Date.now(), usual: USUAL, longest: LONGEST })
    return { items: await this.#views.find(station, { index: query.index, ...span }) }
  }
}
