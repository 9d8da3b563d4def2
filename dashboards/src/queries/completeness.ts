import type { Expression } from '../flux/expression.js'
import { above, call, choose, column, exists, float, minus, over, plus, text, times, whole } from '../flux/expression.js'
import { BOARD_START, BOARD_STOP, Flow } from '../flux/flow.js'
import { Script } from '../flux/script.js'
import { REGISTERED, registry } from './stations.js'

const NANOS_PER_SECOND = 1e9
const DAY_SECONDS = 86_400

/** Readings that came, by station and day (of Vietnam). */
const received = (): Flow =>
  Flow.read('reading', { fields: ['value'], span: 'board' })
    .windows('1d', 'count')
    .group('station', '_time')
    .step('sum')
    .group()
    .rename({ _value: 'received' })

const seconds = (instant: Expression): Expression => over(call('int', { v: instant }), whole(NANOS_PER_SECOND))
const larger = (a: Expression, b: Expression): Expression => choose(above(a, b), a, b)
const smaller = (a: Expression, b: Expression): Expression => choose(above(a, b), b, a)

const stopped = smaller(seconds(call('time', { v: BOARD_STOP })), seconds(call('now')))
const begun = seconds(call('time', { v: BOARD_START }))

/** Seconds of a day that lie within the board's time and are over. */
const daySeconds = minus(smaller(plus(seconds(column('_time')), whole(DAY_SECONDS)), stopped), larger(seconds(column('_time')), begun))
const expectedIn = (span: Expression): Expression => over(times(column('parameters'), span), column('expected_seconds'))

const share = choose(
  above(column('expected'), whole(0)),
  over(times(float(100), call('float', { v: column('received') })), call('float', { v: column('expected') })),
  float(0)
)

/** Share of the expected readings that came, in percent, by station and day. */
export const completenessByDay = (): Script =>
  new Script(
    {
      stations: registry(),
      received: received(),
      joined: Flow.joinLeft('received', 'stations', {
        on: ['station'],
        has: { _time: call('time', { v: whole(0) }), received: whole(0) },
        take: REGISTERED
      })
    },
    Flow.named('joined')
      .filter(exists(column('name')))
      .map({ expected: expectedIn(daySeconds) })
      .map({ _value: share })
      .group('station')
      .keep('_time', '_value', 'station')
      .sort(['_time'])
  )

/** The same over the whole time of the board, one row for each station, also for those of which nothing came. */
export const completenessByStation = (): Script =>
  new Script(
    {
      stations: registry(),
      days: received(),
      received: Flow.named('days')
        .group('station')
        .step('sum', { column: text('received') })
        .group(),
      joined: Flow.joinLeft('stations', 'received', { on: ['station'], has: REGISTERED, take: { received: whole(0) } })
    },
    Flow.named('joined')
      .map({
        received: choose(exists(column('received')), column('received'), whole(0)),
        expected: expectedIn(minus(stopped, begun))
      })
      .map({ share })
      .keep('station', 'name', 'zone', 'received', 'expected', 'share')
      .sort(['share'])
  )
