import { Body, Controller, Get, HttpCode, Inject, Param, Post, Put, Query, Req } from '@nestjs/common'
import type { FastifyRequest } from 'fastify'
import type { z } from 'zod'
import type { CorrectionEntry, CorrectionResult, State } from '#libs/adapters/state'
import type { Change, Correction, Person } from '#libs/corrections'
import { STATE_CODES } from '#libs/corrections'
import { formatInstant } from '#libs/model'
import type { Stations } from '../wiring/stations.js'
import { STATE, STATIONS } from '../wiring/tokens.js'
import { callerOf } from './access.js'
import { AskedViews } from './asked-views.js'
import type { ChangeJson, EntryJson } from './corrections-schemas.js'
import {
  CorrectionList,
  CorrectionPath,
  CorrectionStepBody,
  CorrectionStepPath,
  CorrectionsQuery,
  CorrectionView,
  CorrectionWithHistory,
  EditCorrectionBody,
  NewCorrectionBody
} from './corrections-schemas.js'
import { Documented } from './documented.js'
import { HttpProblem, notFound } from './problem.js'
import { CorrectedList, given, instantOrNull, ListQuery } from './schemas.js'

@Controller('api/v1/corrections')
export class CorrectionsController {
  readonly #state: State
  readonly #stations: Stations
  readonly #views: AskedViews

  constructor(@Inject(STATE) state: State, @Inject(STATIONS) stations: Stations, @Inject(AskedViews) views: AskedViews) {
    this.#state = state
    this.#views = views
    this.#stations = stations
  }

  @Get()
  @Documented({ right: 'read', summary: 'Corrections of raw readings, newest first', ok: CorrectionList })
  async list(@Query({ schema: CorrectionsQuery }) query: z.infer<typeof CorrectionsQuery>) {
    const { items, next } = await this.#state.corrections.list(given(query))
    return { items: items.map(correctionView), next }
  }

  @Get(':id')
  @Documented({
    right: 'read',
    summary: 'One correction with everything that was done to it',
    ok: CorrectionWithHistory,
    problems: [400, 404]
  })
  async one(@Param({ schema: CorrectionPath }) { id }: z.infer<typeof CorrectionPath>) {
    const correction = await this.#state.corrections.get(id)
    if (!correction) throw notFound(`correction ${id}`)
    const history = await this.#state.corrections.history(id)
    return { ...correctionView(correction), history: history.map(entryView) }
  }

  @Get(':id/readings')
  @Documented({
    right: 'read',
    summary:
      'The readings that a correction is about, as they would be were it accepted now, ascending; a page may hold fewer than its limit',
    ok: CorrectedList,
    problems: [400, 404, 422]
  })
  async readings(
    @Param({ schema: CorrectionPath }) { id }: z.infer<typeof CorrectionPath>,
    @Query({ schema: ListQuery }) query: z.infer<typeof ListQuery>
  ) {
    const correction = await this.#state.corrections.get(id)
    if (!correction) throw notFound(`correction ${id}`)
    return this.#views.preview(correction, query)
  }

  @Post()
  @HttpCode(201)
  @Documented({
    right: 'correct',
    summary: 'A draft: nothing is corrected before somebody else approves it',
    ok: CorrectionView,
    status: 201,
    problems: [400, 404, 409]
  })
  async create(
    @Body({ schema: NewCorrectionBody }) { by, ...proposal }: z.infer<typeof NewCorrectionBody>,
    @Req() request: FastifyRequest
  ) {
    const { station, parameter } = proposal
    if (!this.#stations.measures(station, parameter)) throw notFound(`series ${station}/${parameter}`)
    return answer(await this.#state.corrections.create(proposal, personOf(by, request)))
  }

  @Put(':id')
  @Documented({
    right: 'correct',
    summary: 'Another change or reason in a draft; the version that was seen goes with it',
    ok: CorrectionView,
    problems: [400, 404, 409]
  })
  async edit(
    @Param({ schema: CorrectionPath }) { id }: z.infer<typeof CorrectionPath>,
    @Body({ schema: EditCorrectionBody }) { version, change, reason, comment, by }: z.infer<typeof EditCorrectionBody>,
    @Req() request: FastifyRequest
  ) {
    const seen = { version, by: personOf(by, request), comment: comment || null }
    return answer(await this.#state.corrections.edit(id, seen, { change, reason }))
  }

  @Post(':id/:step')
  @HttpCode(200)
  @Documented({
    right: 'correct',
    summary: 'Submits, approves, rejects, cancels or reopens it; only another person than its writers approves it or takes it back',
    ok: CorrectionView,
    problems: [400, 404, 409]
  })
  async step(
    @Param({ schema: CorrectionStepPath }) { id, step }: z.infer<typeof CorrectionStepPath>,
    @Body({ schema: CorrectionStepBody }) { version, comment, by }: z.infer<typeof CorrectionStepBody>,
    @Req() request: FastifyRequest
  ) {
    const command = { event: step, version, by: personOf(by, request), comment: comment || null }
    return answer(await this.#state.corrections.act(id, command))
  }
}

/** As with acknowledgements: the name given, else the token's. The token is kept beside it, and speaks for one person. */
function personOf(by: string | undefined, request: FastifyRequest): Person {
  const token = callerOf(request)?.name
  return { name: by ?? token ?? '', via: token ?? null }
}

const STATUS: Readonly<Record<Extract<CorrectionResult, { ok: false }>['code'], number>> = {
  QT_CORRECTION_INVALID: 400,
  QT_CORRECTION_SAME_PERSON: 403,
  QT_CORRECTION_UNKNOWN: 404,
  QT_CORRECTION_CONFLICT: 409,
  QT_CORRECTION_STATE: 409,
  QT_CORRECTION_LIMIT: 409
}

/** @throws HttpProblem for what was refused. */
function answer(result: CorrectionResult): z.infer<typeof CorrectionView> {
  if (result.ok) return correctionView(result.correction)
  throw new HttpProblem(STATUS[result.code], result.code, result.message)
}

function correctionView(correction: Correction): z.infer<typeof CorrectionView> {
  const { change, writers, approver, ...rest } = correction
  const people = writers.map(personView)
  return {
    ...rest,
    stateCode: STATE_CODES[correction.state],
    change: changeView(change),
    author: people[0] ?? { name: '', token: null },
    writers: people,
    approver: approver && personView(approver),
    createdAt: formatInstant(correction.createdAt),
    changedAt: formatInstant(correction.changedAt),
    acceptedAt: instantOrNull(correction.acceptedAt),
    withdrawnAt: instantOrNull(correction.withdrawnAt)
  }
}

const entryView = (entry: CorrectionEntry): EntryJson => ({
  ...entry,
  at: formatInstant(entry.at),
  by: personView(entry.by),
  change: entry.change && changeView(entry.change)
})

const personView = ({ name, via }: Person) => ({ name, token: via })

function changeView(change: Change): ChangeJson {
  if (change.kind === 'replace') {
    return { kind: 'replace', values: change.values.map(({ at, value }) => ({ at: formatInstant(at), value })) }
  }
  return { ...change, from: formatInstant(change.from), to: formatInstant(change.to) }
}
