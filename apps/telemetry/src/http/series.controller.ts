import { Controller, Get, Headers, Inject, Param, Query, Res } from '@nestjs/common'
import { ApiProduces } from '@nestjs/swagger'
import type { FastifyReply } from 'fastify'
import type { z } from 'zod'
import type { Millis, Reading } from '#libs/model'
import { EARLIEST, LATEST, parseInstant } from '#libs/model'
import type { TimeSeriesStore } from '#libs/pipeline'
import type { Stations } from '../wiring/stations.js'
import { STATIONS, STORE } from '../wiring/tokens.js'
import { AggregateViews, aggregatesCsv } from './aggregate-views.js'
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
  ReadingsQuery,
  SeriesPath,
  toCursor
} from './schemas.js'
import { conflictView, readingsCsv, readingView } from './views.js'

interface Page {
  readonly readings: readonly Reading[]
  readonly next: string | null
}

@Controller('api/v1')
export class SeriesController {
  readonly #store: TimeSeriesStore
  readonly #aggregates: AggregateViews
  readonly #stations: Stations

  constructor(
    @Inject(STORE) store: TimeSeriesStore,
    @Inject(STATIONS) stations: Stations,
    @Inject(AggregateViews) aggregates: AggregateViews
  ) {
    this.#store = store
    this.#aggregates = aggregates
    this.#stations = stations
  }

  @Get('series/:station/:parameter/readings')
  @ApiProduces('application/json', 'text/csv')
  @Documented({
    right: 'read',
    summary: 'Raw readings of one series, newest revision of each, ascending in time; JSON or CSV by Accept',
    ok: ReadingList,
    problems: [400, 404]
  })
  async readings(
    @Param({ schema: SeriesPath }) path: z.infer<typeof SeriesPath>,
    @Query({ schema: ReadingsQuery }) query: z.infer<typeof ReadingsQuery>,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply
  ) {
    if (!this.#stations.measures(path.station, path.parameter)) throw notFound(`series ${path.station}/${path.parameter}`)
    const page = await this.#page(path, query)
    if (!wantsCsv(accept)) return { items: page.readings.map(readingView), next: page.next }
    return asCsv(reply, readingsCsv(page.readings), page.next)
  }

  @Get('series/:station/:parameter/aggregates')
  @ApiProduces('application/json', 'text/csv')
  @Documented({
    right: 'read',
    summary: 'Sums of one series by hour, day or month in UTC+7, windows with from < end <= to, ascending; JSON or CSV by Accept',
    ok: AggregateList,
    problems: [400, 404]
  })
  async aggregates(
    @Param({ schema: SeriesPath }) path: z.infer<typeof SeriesPath>,
    @Query({ schema: AggregatesQuery }) query: z.infer<typeof AggregatesQuery>,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply
  ) {
    if (!this.#stations.measures(path.station, path.parameter)) throw notFound(`series ${path.station}/${path.parameter}`)
    const from = query.after === undefined ? (query.from ?? EARLIEST) : numberCursor(query.after)
    const found = await this.#aggregates.find({ ...path, period: query.period, from, to: query.to ?? LATEST, limit: query.limit })
    const items = found.slice(0, query.limit)
    const last = found.length > query.limit ? parseInstant(items.at(-1)?.end ?? '') : undefined
    const next = last === undefined ? null : toCursor(last)
    return wantsCsv(accept) ? asCsv(reply, aggregatesCsv(items), next) : { items, next }
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

  async #page(series: z.infer<typeof SeriesPath>, query: z.infer<typeof ReadingsQuery>): Promise<Page> {
    const from: Millis = query.after === undefined ? (query.from ?? EARLIEST) : numberCursor(query.after) + 1
    const to = query.to ?? LATEST
    const found = await this.#store.range({ ...series, from, to, limit: query.limit + 1 })
    const readings = found.slice(0, query.limit)
    const last = readings.at(-1)
    return { readings, next: found.length > query.limit && last ? toCursor(last.at) : null }
  }
}
