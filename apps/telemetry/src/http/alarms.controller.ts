import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common'
import type { FastifyRequest } from 'fastify'
import type { z } from 'zod'
import type { State } from '#libs/adapters/state'
import { STATE } from '../wiring/tokens.js'
import { callerOf } from './access.js'
import { Documented } from './documented.js'
import { HttpProblem, notFound } from './problem.js'
import { AcknowledgeBody, AlarmList, AlarmPath, AlarmsQuery, AlarmView, AlarmWithHistory, given } from './schemas.js'
import { alarmView, transitionView } from './views.js'

@Controller('api/v1/alarms')
export class AlarmsController {
  readonly #state: State

  constructor(@Inject(STATE) state: State) {
    this.#state = state
  }

  @Get()
  @Documented({ right: 'read', summary: 'Alarms, newest first', ok: AlarmList })
  async list(@Query({ schema: AlarmsQuery }) query: z.infer<typeof AlarmsQuery>) {
    const { items, next } = await this.#state.alarms.list(given(query))
    return { items: items.map(alarmView), next }
  }

  @Get(':id')
  @Documented({ right: 'read', summary: 'One alarm with its history', ok: AlarmWithHistory, problems: [400, 404] })
  async one(@Param({ schema: AlarmPath }) { id }: z.infer<typeof AlarmPath>) {
    const alarm = await this.#state.alarms.get(id)
    if (!alarm) throw notFound(`alarm ${id}`)
    const history = await this.#state.alarms.history(id)
    return { ...alarmView(alarm), history: history.map(transitionView) }
  }

  @Post(':id/acknowledge')
  @HttpCode(200)
  @Documented({ right: 'acknowledge', summary: 'Somebody has seen it and answers for it', ok: AlarmView, problems: [400, 404, 409] })
  async acknowledge(
    @Param({ schema: AlarmPath }) { id }: z.infer<typeof AlarmPath>,
    @Body({ schema: AcknowledgeBody }) body: z.infer<typeof AcknowledgeBody>,
    @Req() request: FastifyRequest
  ) {
    const by = body.by ?? callerOf(request)?.name ?? 'unknown'
    const outcome = await this.#state.alarms.acknowledge(id, by, body.comment || null)
    if (outcome.ok) return alarmView(outcome.alarm)
    throw new HttpProblem(outcome.code === 'QT_ALARM_UNKNOWN' ? 404 : 409, outcome.code, `${id}: ${outcome.message}`)
  }
}
