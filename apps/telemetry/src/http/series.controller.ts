import { Controller, Get, Headers, Inject, Param, Query, Res } from '@nestjs/common'
import { ApiProduces } from '@nestjs/swagger'
import type { FastifyReply } from 'fastify'
import type { z } from 'zod'
import type { Millis, Reading } from '#libs/model'
import { EARLIEST, LATEST } from '#libs/model'
import type { TimeSeriesStore } from '#libs/pipeline'
import type { Stations } from '../wiring/stations.js'
import { STATIONS, STORE } from '../wiring/tokens.js'
import { wantsCsv } from './csv.js'
import { Documented } from './documented.js'
import { HttpProblem, notFound } from './problem.js'
import { ConflictList, ConflictsQuery, fromCursor, ReadingList, ReadingsQuery, SeriesPath, toCursor } from './schemas.js'
import { conflictView, readingsCsv, readingView } from './views.js'

interface Page {
  readonly readings: readonly Reading[]
  readonly next: string | null
}

@Controller('api/v1')
export class SeriesController {
  readonly #store: TimeSeriesStore
  readonly #stations: Stations

  constructor(@Inject(STORE) store: TimeSeriesStore, @Inject(STATIONS) stations: Stations) {
    this.#store = store
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
    // The cursor of the next page travels in a header, since CSV has no place for it.
    if (page.next) reply.header('x-next', page.next)
    reply.header('content-type', 'text/csv; charset=utf-8; header=present')
    return readingsCsv(page.readings)
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

function numberCursor(cursor: string): number {
  const text = fromCursor(cursor)
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new HttpProblem(400, 'QT_HTTP_INVALID', 'after: not a cursor of this list', {
    errors: [{ field: 'after', message: 'not a cursor of this list' }]
  })
}
