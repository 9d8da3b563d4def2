import { Controller, Get, Header, Inject, Redirect, Res } from '@nestjs/common'
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { Health } from '../wiring/health.js'
import type { Metrics } from '../wiring/metrics.js'
import { HEALTH, METRICS } from '../wiring/tokens.js'
import { Documented } from './documented.js'

const LiveView = z.object({ status: z.literal('live') })
const ReadyView = z.object({
  status: z.enum(['ready', 'not-ready']),
  problems: z.array(z.object({ part: z.string(), code: z.string(), message: z.string() })),
  consumers: z.array(z.object({ name: z.string(), sequence: z.number(), lag: z.number() }))
})

@Controller()
export class HealthController {
  readonly #health: Health
  readonly #metrics: Metrics

  constructor(@Inject(HEALTH) health: Health, @Inject(METRICS) metrics: Metrics) {
    this.#health = health
    this.#metrics = metrics
  }

  @Get()
  @Redirect('/api/docs', 302)
  @Documented({ right: 'open', summary: 'The way to the documentation', ok: null, status: 302, problems: [] })
  root(): void {}

  @Get('health/live')
  @Documented({ right: 'open', summary: 'The process runs', ok: LiveView, problems: [] })
  live() {
    return { status: 'live' }
  }

  @Get('health/ready')
  @Documented({ right: 'open', summary: 'Messages can be kept; 503 with the reasons while they cannot', ok: ReadyView, problems: [503] })
  ready(@Res({ passthrough: true }) reply: FastifyReply) {
    const report = this.#health.report()
    if (report.status !== 'ready') reply.status(503)
    return report
  }

  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  @Documented({ right: 'metrics', summary: 'Prometheus text', ok: null, problems: [] })
  metrics(): Promise<string> {
    return this.#metrics.registry.metrics()
  }
}
