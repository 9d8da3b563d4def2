import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common'
import type { FastifyRequest } from 'fastify'
import type { z } from 'zod'
import type { State } from '#libs/adapters/state'
import type { Millis, SeriesKey } from '#libs/model'
import type { Clock, Explained, Standards } from '#libs/pipeline'
import { LawInForce } from '../wiring/law.js'
import { STATE } from '../wiring/tokens.js'
import { callerOf } from './access.js'
import { Documented } from './documented.js'
import {
  LawChangeBody,
  LawChangeList,
  LawChangesQuery,
  LawPreview,
  PermitList,
  PermitsQuery,
  RegulationList,
  VerdictList,
  VerdictsQuery
} from './law-schemas.js'
import { lawChangeView, permitView, previewView, regulationView, verdictView } from './law-views.js'
import { HttpProblem, notFound } from './problem.js'
import { given, ListQuery, SeriesPath } from './schemas.js'

/** What the routes of the law need of the running parts. */
export class LawParts {
  constructor(
    readonly standards: Standards,
    /** Null: the registry does not know the series. */
    readonly explain: (series: SeriesKey, at: Millis, value: number | null) => Promise<Explained[] | null>,
    readonly clock: Clock
  ) {}
}

@Controller('api/v1')
export class LawController {
  readonly #law: LawInForce
  readonly #parts: LawParts
  readonly #state: State

  constructor(@Inject(LawInForce) law: LawInForce, @Inject(LawParts) parts: LawParts, @Inject(STATE) state: State) {
    this.#law = law
    this.#parts = parts
    this.#state = state
  }

  @Get('regulations')
  @Documented({ right: 'read', summary: 'Legal texts as dated data', ok: RegulationList })
  regulations(@Query({ schema: ListQuery }) _query: z.infer<typeof ListQuery>) {
    return { items: [...this.#parts.standards.law.regulations.values()].map(regulationView), next: null }
  }

  @Get('permits')
  @Documented({
    right: 'read',
    summary: 'What binds each station, from when on; ask for one station, or get the first thousand',
    ok: PermitList
  })
  permits(@Query({ schema: PermitsQuery }) { station }: z.infer<typeof PermitsQuery>) {
    const { law } = this.#parts.standards
    const permits = station === undefined ? law.permits.slice(0, MOST) : law.permitsOf(station)
    return { items: permits.map(permitView), next: null }
  }

  @Get('law/changes')
  @Documented({ right: 'read', summary: 'Changes of the law that staff have made, newest first', ok: LawChangeList })
  async changes(@Query({ schema: LawChangesQuery }) query: z.infer<typeof LawChangesQuery>) {
    const { items, next } = await this.#state.law.changes(given(query))
    return { items: items.map(lawChangeView), next }
  }

  @Post('law/changes')
  @HttpCode(200)
  @Documented({
    right: 'rules',
    summary: 'Loads or withdraws a regulation or a permit; a dry run, unless told otherwise, shows what it changes of the past',
    ok: LawPreview,
    problems: [400, 409]
  })
  async change(@Body({ schema: LawChangeBody }) body: z.infer<typeof LawChangeBody>, @Req() request: FastifyRequest) {
    const { kind, document, id, reason, by, dryRun, edition } = body
    const asking = { kind, document, ...(id === undefined ? {} : { key: id }) }
    const preview = await this.#law.desk.preview(asking)
    if (!preview.ok) throw new HttpProblem(400, 'QT_LAW_INVALID', preview.problems.join('\n'))
    if (dryRun) return previewView(preview, preview.edition, true)
    if (edition !== undefined && edition !== preview.edition) throw changedMeanwhile(edition, preview.edition)
    const token = callerOf(request)?.name ?? null
    const entry = await this.#law.desk.change(asking, preview, { author: by ?? token ?? '', via: token, reason })
    await this.#law.look()
    return previewView(preview, entry.edition, false)
  }

  @Get('verdicts/:station/:parameter')
  @Documented({
    right: 'read',
    summary: 'The verdicts of a reading, its hour and its day at an instant, with limit, law, permit, rows used and version',
    ok: VerdictList,
    problems: [400, 404]
  })
  async verdicts(
    @Param({ schema: SeriesPath }) series: z.infer<typeof SeriesPath>,
    @Query({ schema: VerdictsQuery }) { at, value }: z.infer<typeof VerdictsQuery>
  ) {
    const explained = await this.#parts.explain(series, at ?? this.#parts.clock(), value ?? null)
    if (!explained) throw notFound(`series ${series.station}/${series.parameter}`)
    return { items: explained.map(verdictView) }
  }
}

const MOST = 1_000

const changedMeanwhile = (seen: number, now: number): HttpProblem =>
  new HttpProblem(409, 'QT_LAW_CHANGED', `the law has changed meanwhile (edition ${now}, not ${seen}): look again`)
