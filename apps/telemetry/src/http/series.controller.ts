import { Controller, Get, Headers, Inject, Param, Query, Res } from '@nestjs/common'
import { ApiProduces } from '@nestjs/swagger'
import type { FastifyReply } from 'fastify'
import type { z } from 'zod'
import type { TimeSeriesStore } from '#libs/pipeline'
import type { Stations } from '../wiring/stations.js'
import { STATIONS, STORE } from '../wiring/tokens.js'
import { aggregatesCsv } from './aggregate-views.js'
import { AskedViews } from './asked-views.js'
import { asCsv, wantsCsv } from './csv.js'
import { numberCursor } from './cursor.js'
import { Documented } from './documented.js'
import { notFound } from './problem.js'
import {
  AggregateList,
  AggregatesQuery,
  ConflictList,
  ConflictsQuery,
  ReadingList,
  SeriesPath,
  SeriesReadingsQuery,
  toCursor
} from './schemas.js'
import { conflictView, readingsCsv } from './views.js'

interface Said {
  readonly as: string
  readonly asOf: string | null
  readonly replacedLater?: readonly string[]
}

@Controller('api/v1')
export class SeriesController {
  readonly #store: TimeSeriesStore
  readonly #views: AskedViews
  readonly #stations: Stations

  constructor(@Inject(STORE) store: TimeSeriesStore, @Inject(STATIONS) stations: Stations, @Inject(AskedViews) views: AskedViews) {
    this.#store = store
    this.#views = views
    this.#stations = stations
  }

  @Get('series/:station/:parameter/readings')
  @ApiProduces('application/json', 'text/csv')
  @Documented({
    right: 'read',
    summary: 'Readings of one series, raw or corrected, as known now or at an instant, ascending in time; JSON or CSV by Accept',
    ok: ReadingList,
    problems: [400, 404, 422]
  })
  async readings(
    @Param({ schema: SeriesPath }) path: z.infer<typeof SeriesPath>,
    @Query({ schema: SeriesReadingsQuery }) query: z.infer<typeof SeriesReadingsQuery>,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply
  ) {
    if (!this.#stations.measures(path.station, path.parameter)) throw notFound(`series ${path.station}/${path.parameter}`)
    const { items, ...page } = await this.#views.readings(path, query)
    return wantsCsv(accept) ? asCsv(told(reply, page), readingsCsv(items, page.as), page.next) : { items, ...page }
  }

  @Get('series/:station/:parameter/aggregates')
  @ApiProduces('application/json', 'text/csv')
  @Documented({
    right: 'read',
    summary: 'Sums of one series by hour, day or month in UTC+7, windows with from < end <= to, ascending; JSON or CSV by Accept',
    ok: AggregateList,
    problems: [400, 404, 422]
  })
  async aggregates(
    @Param({ schema: SeriesPath }) path: z.infer<typeof SeriesPath>,
    @Query({ schema: AggregatesQuery }) query: z.infer<typeof AggregatesQuery>,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply
  ) {
    if (!this.#stations.measures(path.station, path.parameter)) throw notFound(`series ${path.station}/${path.parameter}`)
    const { items, ...page } = await this.#views.aggregates(path, query)
    return wantsCsv(accept) ? asCsv(told(reply, page), aggregatesCsv(items, page), page.next) : { items, ...page }
  }

  @Get('conflicts')
  @Documented({ right: 'read', summary: 'Readings sent twice with different values: the first stays, both are shown', ok: ConflictList })
  async conflicts(@Query({ schema: ConflictsQuery }) { after, limit }: z.infer<typeof ConflictsQuery>) {
    const conflicts = await this.#store.conflicts(after === undefined ? 0 : numberCursor(after), limit)
    const last = conflicts.at(-1)
    // A page never ends inside a journal record, so its length does not tell whether there is more.
    const more = last !== undefined && (await this.#store.conflicts(last.sequence, 1)).length > 0
    return { items: conflicts.map(conflictView), next: more ? toCursor(last.sequence) : null }
  }
}

/** CSV has no place for what the answer is either. */
function told(reply: FastifyReply, { as, asOf, replacedLater = [] }: Said): FastifyReply {
  reply.header('x-as', as)
  if (asOf !== null) reply.header('x-as-of', asOf).header('x-replaced-later', replacedLater.length)
  return reply
}
