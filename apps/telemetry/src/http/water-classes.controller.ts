import { Controller, Get, Inject, Param, Query } from '@nestjs/common'
import type { z } from 'zod'
import type { Millis } from '#libs/model'
import { DAY } from '#libs/model'
import type { Stations } from '../wiring/stations.js'
import { STATIONS } from '../wiring/tokens.js'
import { Documented } from './documented.js'
import { notFound } from './problem.js'
import { StationPath } from './schemas.js'
import { spanAsked } from './span-asked.js'
import { WaterClasses } from './water-classes.js'
import { WaterClassesQuery, WaterClassList } from './water-classes-schemas.js'

/** What is looked at unless the query says from where, and at most. */
const USUAL: Millis = 31 * DAY
const LONGEST: Millis = 366 * DAY

@Controller('api/v1/water-classes')
export class WaterClassesController {
  readonly #classes: WaterClasses
  readonly #stations: Stations

  constructor(@Inject(WaterClasses) classes: WaterClasses, @Inject(STATIONS) stations: Stations) {
    this.#classes = classes
    this.#stations = stations
  }

  @Get(':code')
  @Documented({
    right: 'read',
    summary: 'Class of a river’s water by day, of stations of surface water; the last 31 days unless told, at most 366',
    ok: WaterClassList,
    problems: [400, 404]
  })
  async list(
    @Param({ schema: StationPath }) { code }: z.infer<typeof StationPath>,
    @Query({ schema: WaterClassesQuery }) query: z.infer<typeof WaterClassesQuery>
  ) {
    const station = this.#stations.byCode.get(code)
    if (!station) throw notFound(`station ${code}`)
    const span = spanAsked(query, { now: Date.now(), usual: USUAL, longest: LONGEST })
    return { items: station.kind === 'surface-water' ? await this.#classes.find(station, span) : [] }
  }
}
