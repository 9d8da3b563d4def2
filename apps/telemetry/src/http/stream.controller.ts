import { Controller, Get, Headers, Inject, Query, Req, Res } from '@nestjs/common'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import type { Live } from '#libs/pipeline'
import type { AlarmEvents } from '../wiring/alarm-events.js'
import { CalibrationWatch } from '../wiring/calibration-watch.js'
import { ALARM_EVENTS, LIVE } from '../wiring/tokens.js'
import { calibrationView } from './calibration-views.js'
import { Documented } from './documented.js'
import { HttpProblem } from './problem.js'
import { StreamQuery } from './schemas.js'
import { alarmView, readingView } from './views.js'

const MAX_LISTENERS = 200
const HEARTBEAT_MS = 15_000

@Controller('api/v1/stream')
export class StreamController {
  readonly #live: Live
  readonly #alarms: AlarmEvents
  readonly #calibrations: CalibrationWatch

  constructor(
    @Inject(LIVE) live: Live,
    @Inject(ALARM_EVENTS) alarms: AlarmEvents,
    @Inject(CalibrationWatch) calibrations: CalibrationWatch
  ) {
    this.#live = live
    this.#alarms = alarms
    this.#calibrations = calibrations
  }

  /**
   * Server-sent events: `readings` (id = journal sequence, so `Last-Event-ID` goes on without a gap), `alarm`,
   * and `calibration` for one that is to be reviewed.
   * A listener that does not read is slowed down, not buffered for.
   */
  @Get()
  @Documented({
    right: 'read',
    summary: 'Readings, alarms and calibrations to be reviewed as they come, as server-sent events',
    ok: null,
    problems: [400, 503]
  })
  async stream(
    @Query({ schema: StreamQuery }) { station }: z.infer<typeof StreamQuery>,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply
  ): Promise<void> {
    if (this.#live.listeners >= MAX_LISTENERS) throw new HttpProblem(503, 'QT_HTTP_STREAM_FULL', `${MAX_LISTENERS} listeners are connected`)
    reply.hijack()
    const events = new EventWriter(reply)
    const ended = new AbortController()
    request.raw.on('close', () => ended.abort())
    const unwatch = this.#calibrations.subscribe(one => {
      if (station === undefined || one.station === station) events.offer('calibration', calibrationView(one, Date.now()))
    })
    const unsubscribe = this.#alarms.subscribe(transition => {
      if (station !== undefined && transition.alarm.station !== station) return
      events.offer('alarm', { id: transition.id, kind: transition.kind, alarm: alarmView(transition.alarm) })
    })
    try {
      const after = lastEventId !== undefined && /^\d{1,15}$/.test(lastEventId) ? Number(lastEventId) : null
      await this.#live.listen(
        after,
        async event => {
          if (station !== undefined && event.station !== station) return
          await events.write('readings', { station: event.station, readings: event.readings.map(readingView) }, event.sequence)
        },
        ended.signal
      )
    } finally {
      unsubscribe()
      unwatch()
      events.end()
    }
  }
}

/** Writes events and waits for the socket where it is full. */
class EventWriter {
  readonly #reply: FastifyReply
  readonly #heartbeat: NodeJS.Timeout

  constructor(reply: FastifyReply) {
    this.#reply = reply
    reply.raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no'
    })
    reply.raw.write(': quantrac\n\n')
    this.#heartbeat = setInterval(() => reply.raw.write(': .\n\n'), HEARTBEAT_MS)
  }

  async write(event: string, data: object, id: number): Promise<void> {
    if (this.#send(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`)) return
    await new Promise<void>(resolve => {
      this.#reply.raw.once('drain', resolve)
      this.#reply.raw.once('close', resolve)
    })
  }

  /** Alarms and events are few; one that a full socket cannot take is left out, and the screen asks for their lists when it re-joins. */
  offer(event: string, data: object): void {
    if (!this.#reply.raw.writableNeedDrain) this.#send(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  }

  end(): void {
    clearInterval(this.#heartbeat)
    this.#reply.raw.end()
  }

  #send(text: string): boolean {
    return this.#reply.raw.destroyed || this.#reply.raw.write(text)
  }
}
