import type { Expression } from '../flux/expression.js'
import { all, call, choose, column, differs, duration, equal, float, text, whole } from '../flux/expression.js'
import { Flow, isChosen } from '../flux/flow.js'
import { Script } from '../flux/script.js'

/** An alarm that nobody closed in this time is no news any more: it is in the server's own list. */
const OPEN_SINCE = '-90d'
const YEAR = '-12mo'

const DETAILS = ['id', 'parameter', 'rule', 'kind', 'state', 'value', 'limit', 'unit', 'position'] as const
const SHOWN = ['station', 'name', 'zone', 'parameter', 'severity', 'transition', 'state', 'value', 'limit', 'unit', 'rule', 'at']

const places = (): Flow =>
  Flow.read('station', { fields: ['name', 'zone'], span: 'ever' })
    .pivot()
    .group()
    .filter(isChosen('zone', 'zone'))
    .keep('station', 'name', 'zone')
const PLACE = { name: text(''), zone: text('') }
const NEVER = call('time', { v: whole(0) })
const TRANSITION = {
  _time: NEVER,
  parameter: text(''),
  severity: text(''),
  transition: text(''),
  state: text(''),
  value: float(0),
  limit: float(0),
  unit: text(''),
  rule: text('')
}
const EXCEEDANCE = { _time: NEVER, _start: NEVER, _stop: NEVER, _value: float(0), parameter: text('') }

/** Alarms that still want somebody: the transition recorded last of each, where it did not end in `normal`. */
export const openAlarms = (): Script =>
  new Script(
    {
      places: places(),
      newest: Flow.read('alarm', { fields: DETAILS, span: OPEN_SINCE })
        .pivot()
        .group('id')
        .sort(['position'])
        .step('tail', { n: whole(1) })
        .group()
        .filter(differs(column('state'), text('normal'))),
      placed: Flow.joinLeft('newest', 'places', { on: ['station'], has: TRANSITION, take: PLACE })
    },
    Flow.named('placed')
      .filter(isChosen('zone', 'zone'))
      .rename({ _time: 'at' })
      .keep(...SHOWN)
      .sort(['at'], 'descending')
  )

/** What happened to alarms in the board's time, newest first. */
export const alarmHistory = (): Script =>
  new Script(
    {
      places: places(),
      transitions: Flow.read('alarm', { fields: DETAILS, span: 'board' }).pivot().group(),
      placed: Flow.joinLeft('transitions', 'places', { on: ['station'], has: TRANSITION, take: PLACE })
    },
    Flow.named('placed')
      .filter(isChosen('zone', 'zone'))
      .rename({ _time: 'at' })
      .keep(...SHOWN)
      .sort(['at'], 'descending')
      .limit(500)
  )

const EXCEEDS = text('exceeds')
const was = (columnName: string): Expression => column(columnName, 'accumulator')

/**
 * Alarms that reached their limit in the last twelve months, one row each at the instant when they first did. What was recorded
 * last decides: one that late data took back, wholly or to a lower band, does not count. An indicator for review: no finding of
 * a violation.
 */
function exceedances(): Flow {
  const reachedNow = all(equal(column('severity'), EXCEEDS), equal(was('reached'), NEVER))
  return Flow.read('alarm', { fields: ['id', 'parameter', 'position'], span: YEAR })
    .pivot()
    .group('station', 'parameter', 'id')
    .sort(['position'])
    .reduce(
      { reached: NEVER, worst: text(''), end: text('') },
      { reached: choose(reachedNow, column('_time'), was('reached')), worst: column('severity'), end: column('transition') }
    )
    .group()
    .filter(all(equal(column('worst'), EXCEEDS), differs(column('end'), text('withdrawn'))))
    .rename({ reached: '_time' })
    .map({ _value: float(1), _start: call('date.sub', { d: duration('12mo'), from: call('now') }), _stop: call('now') })
}

/** The exceedances of the chosen zones, and what is to come of them. */
const ofChosenZones = (summed: (placed: Flow) => Flow): Script =>
  new Script(
    {
      places: places(),
      exceedances: exceedances(),
      placed: Flow.joinLeft('exceedances', 'places', { on: ['station'], has: EXCEEDANCE, take: PLACE })
    },
    summed(Flow.named('placed').filter(isChosen('zone', 'zone')))
  )

/** Exceedances by zone and month. */
export const exceedancesByZone = (): Script =>
  ofChosenZones(placed =>
    placed.group('zone', '_start', '_stop').sort(['_time']).windows('1mo', 'sum').group('zone').keep('_time', '_value', 'zone')
  )

/** Exceedances by parameter. */
export const exceedancesByParameter = (): Script =>
  ofChosenZones(placed =>
    placed
      .group('parameter')
      .step('sum')
      .group()
      .keep('parameter', '_value')
      .rename({ _value: 'exceedances' })
      .sort(['exceedances'], 'descending')
  )
