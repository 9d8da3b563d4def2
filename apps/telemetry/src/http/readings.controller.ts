import { Body, Controller, HttpCode, Inject, Param, Post } from '@nestjs/common'
import { ApiBody, ApiConsumes } from '@nestjs/swagger'
import { z } from 'zod'
import { formatInstant } from '#libs/model'
import type { IngestPorts } from '#libs/pipeline'
import { ingest } from '#libs/pipeline'
import { ReadingsPayload } from '#libs/wire'
import type { Metrics } from '../wiring/metrics.js'
import type { Stations } from '../wiring/stations.js'
import { INGEST, METRICS, STATIONS } from '../wiring/tokens.js'
import { Documented } from './documented.js'
import { HttpProblem, notFound } from './problem.js'
import { ReceiptView, StationPath } from './schemas.js'

type BodySchema = Extract<Parameters<typeof ApiBody>[0], { schema: unknown }>['schema']

/** Decoding is kinder than this: it refuses reading by reading. */
const PAYLOAD_SCHEMA = z.toJSONSchema(ReadingsPayload, { target: 'openapi-3.0', unrepresentable: 'any' }) as BodySchema

@Controller('api/v1/readings')
export class ReadingsController {
  readonly #stations: Stations
  readonly #ports: IngestPorts
  readonly #metrics: Metrics

  constructor(@Inject(STATIONS) stations: Stations, @Inject(INGEST) ports: IngestPorts, @Inject(METRICS) metrics: Metrics) {
    this.#stations = stations
    this.#ports = ports
    this.#metrics = metrics
  }

  /** The body reaches us as the bytes that came in (see `listen.ts`): they are evidence, also where they are no JSON. */
  @Post(':code')
  @HttpCode(202)
  @ApiConsumes('application/json')
  @ApiBody({ description: 'The same payload as over MQTT', schema: PAYLOAD_SCHEMA })
  @Documented({
    right: 'ingest',
    summary: 'Readings over HTTP; 202 when they are on disk',
    ok: ReceiptView,
    status: 202,
    problems: [400, 404, 413, 415, 422, 503]
  })
  async post(@Param({ schema: StationPath }) { code }: z.infer<typeof StationPath>, @Body() payload: Uint8Array) {
    const station = this.#stations.byCode.get(code)
    if (!station) throw notFound(`station ${code}`)
    const bytes = payload instanceof Uint8Array ? payload : new Uint8Array()
    const arrived = performance.now()
    const receipt = await ingest({ station, subject: 'readings', road: 'http', qos: 1, mayRepeat: true, payload: bytes }, this.#ports)
    this.#metrics.received(code, 'http', receipt)
    this.#metrics.acknowledged((performance.now() - arrived) / 1_000)
    const { sequence, repeated, accepted, refused, refusal } = receipt
    if (refusal) {
      throw new HttpProblem(422, 'QT_PAYLOAD_REFUSED', `${refusal.reason}: ${refusal.detail}`, { reason: refusal.reason, sequence })
    }
    return {
      sequence,
      repeated,
      accepted,
      refused: refused.map(item => ({ ...item, at: item.at === null ? null : formatInstant(item.at) }))
    }
  }
}
