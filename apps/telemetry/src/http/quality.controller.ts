import { Controller, Get, Headers, Inject, Param, Query, Res } from '@nestjs/common'
import { ApiProduces } from '@nestjs/swagger'
import type { FastifyReply } from 'fastify'
import type { z } from 'zod'
import { dayOf } from '#libs/pipeline'
import type { Stations } from '../wiring/stations.js'
import { STATIONS } from '../wiring/tokens.js'
import { asCsv, wantsCsv } from './csv.js'
import { Documented } from './documented.js'
import { notFound } from './problem.js'
import { QualityDays } from './quality-days.js'
import { QualityLost } from './quality-lost.js'
import { LostQuery, QualityDayList, QualityQuery, SeriesQualityView } from './quality-schemas.js'
import { qualityCsv, qualityDayView, seriesQualityView } from './quality-views.js'
import { SeriesPath } from './schemas.js'

@Controller('api/v1/quality')
export class QualityController {
  readonly #days: QualityDays
  readonly #lost: QualityLost
  readonly #stations: Stations

  constructor(@Inject(QualityDays) days: QualityDays, @Inject(QualityLost) lost: QualityLost, @Inject(STATIONS) stations: Stations) {
    this.#days = days
    this.#lost = lost
    this.#stations = stations
  }

  @Get()
  @ApiProduces('application/json', 'text/csv')
  @Documented({
    right: 'read',
    summary: 'Data quality by day of UTC+7 and data set: correct, complete, clean, live; the last seven days unless told, at most 31',
    ok: QualityDayList,
    problems: [400, 404, 422]
  })
  async list(
    @Query({ schema: QualityQuery }) query: z.infer<typeof QualityQuery>,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply
  ) {
    if (query.station !== undefined && !this.#stations.byCode.has(query.station)) throw notFound(`station ${query.station}`)
    const { days, next } = await this.#days.page(query)
    return wantsCsv(accept) ? asCsv(reply, qualityCsv(days), next) : { items: days.map(qualityDayView), next }
  }

  @Get(':station/:parameter')
  @Documented({
    right: 'read',
    summary: 'A day of one series, today unless told: its score, and what stands behind each lost point, ascending',
    ok: SeriesQualityView,
    problems: [400, 404]
  })
  async lost(
    @Param({ schema: SeriesPath }) { station: code, parameter }: z.infer<typeof SeriesPath>,
    @Query({ schema: LostQuery }) query: z.infer<typeof LostQuery>
  ) {
    const station = this.#stations.byCode.get(code)
    if (!station?.parameters.includes(parameter)) throw notFound(`series ${code}/${parameter}`)
    const day = dayOf(query.day ?? Date.now())
    const found = await this.#lost.page(station, { ...query, parameter, day })
    return seriesQualityView({ station: code, parameter, day }, found)
  }
}
