import { Controller, Get, Inject, Param, Query } from '@nestjs/common'
import type { z } from 'zod'
import { Documented } from './documented.js'
import { notFound } from './problem.js'
import { LatestList, LatestQuery, ListQuery, StationList, StationPath, StationView } from './schemas.js'
import { StationViews } from './station-views.js'

@Controller('api/v1')
export class StationsController {
  readonly #views: StationViews

  constructor(@Inject(StationViews) views: StationViews) {
    this.#views = views
  }

  @Get('stations')
  @Documented({ right: 'read', summary: 'The registry with each station’s state', ok: StationList })
  stations(@Query({ schema: ListQuery }) query: z.infer<typeof ListQuery>) {
    return this.#views.stations(query)
  }

  @Get('stations/:code')
  @Documented({ right: 'read', summary: 'One station', ok: StationView, problems: [400, 404] })
  async station(@Param({ schema: StationPath }) { code }: z.infer<typeof StationPath>) {
    const view = await this.#views.station(code)
    if (!view) throw notFound(`station ${code}`)
    return view
  }

  @Get('stations/:code/latest')
  @Documented({ right: 'read', summary: 'Newest reading of each of a station’s series', ok: LatestList, problems: [400, 404] })
  async latestOf(@Param({ schema: StationPath }) { code }: z.infer<typeof StationPath>) {
    if (!this.#views.has(code)) throw notFound(`station ${code}`)
    return this.#views.latest({ station: code, limit: 1_000 })
  }

  @Get('latest')
  @Documented({ right: 'read', summary: 'Newest reading of every series', ok: LatestList })
  latest(@Query({ schema: LatestQuery }) query: z.infer<typeof LatestQuery>) {
    return this.#views.latest(query)
  }
}
