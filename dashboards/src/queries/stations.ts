import type { Expression } from '../flux/expression.js'
import {
  above,
  all,
  any,
  atMost,
  call,
  choose,
  column,
  differs,
  equal,
  exists,
  float,
  minus,
  name,
  not,
  over,
  plus,
  text,
  times,
  whole
} from '../flux/expression.js'
import { Flow, isChosen } from '../flux/flow.js'
import { Script } from '../flux/script.js'

/** What a join takes of a state, and of an instant, where there is none; only their types matter. */
const STATE = { state_code: whole(8) }
const NEVER = call('time', { v: whole(0) })
/** Columns of the registry, for joins. */
export const REGISTERED = {
  name: text(''),
  zone: text(''),
  lat: float(0),
  lon: float(0),
  parameters: whole(0),
  expected_seconds: whole(1)
}
/** How far back a board looks for what a station said last. */
const LOOK_BACK = '-30d'
const NANOS_PER_SECOND = 1e9
/** A station reports when its newest reading is at most this many intervals old: the ministry calls it offline after three. */
const INTERVALS = 3

/** The registry, one row for each station of the chosen zones. */
export const registry = (): Flow =>
  Flow.read('station', { fields: ['name', 'kind', 'zone', 'agency', 'lat', 'lon', 'parameters', 'expected_seconds'], span: 'ever' })
    .pivot()
    .group()
    .filter(isChosen('zone', 'zone'))

const newestState = (): Flow =>
  Flow.read('station_state', { fields: ['code'], span: LOOK_BACK })
    .group('station')
    .last()
    .group()
    .keep('station', '_value')
    .rename({ _value: 'state_code' })

/** The instant of each station's last change of state; where it never changed, its first known state's. */
const since = (): Flow =>
  Flow.read('station_state', { fields: ['code'], span: LOOK_BACK })
    .group('station')
    .sort(['_time'])
    .step('difference', { keepFirst: name('true') })
    .filter(any(not(exists(column('_value'))), differs(column('_value'), whole(0))))
    .last()
    .group()
    .keep('station', '_time')
    .rename({ _time: 'since' })

const was = (name: string): Expression => column(name, 'accumulator')

/** Newest reading of each series with its unit, as one text for each station, with the instant of the newest. */
const newestReadings = () => {
  const values = Flow.read('reading', { fields: ['value'], span: '-1d' })
    .last()
    .group()
    .keep('station', 'parameter', '_time', '_value')
  const units = Flow.read('series', { fields: ['unit'], span: 'ever' })
    .group()
    .keep('station', 'parameter', '_value')
    .rename({ _value: 'unit' })
  const unit = choose(any(not(exists(column('unit'))), equal(column('unit'), text('-'))), text(''), plus(text(' '), column('unit')))
  const one = plus(plus(plus(column('parameter'), text(' ')), call('string', { v: column('_value') })), unit)
  const texts = Flow.joinLeft('values', 'units', {
    on: ['station', 'parameter'],
    has: { _time: NEVER, _value: float(0) },
    take: { unit: text('') }
  })
    .group('station')
    .sort(['parameter'])
    .reduce(
      { newest: NEVER, readings: text('') },
      {
        newest: choose(above(column('_time'), was('newest')), column('_time'), was('newest')),
        readings: plus(plus(was('readings'), choose(equal(was('readings'), text('')), text(''), text('; '))), one)
      }
    )
    .group()
  return { values, units, newest: texts }
}

/** Each station with its place and its state: for the map. */
export const stationMap = (): Script =>
  new Script(
    { stations: registry(), states: newestState() },
    Flow.joinLeft('stations', 'states', { on: ['station'], has: REGISTERED, take: STATE }).keep(
      'station',
      'name',
      'zone',
      'lat',
      'lon',
      'state_code'
    )
  )

/** Each station with state, since when, and what it measured last. */
export const stationTable = (): Script =>
  new Script(
    {
      stations: registry(),
      states: newestState(),
      changes: since(),
      ...newestReadings(),
      withState: Flow.joinLeft('stations', 'states', { on: ['station'], has: REGISTERED, take: STATE }),
      withSince: Flow.joinLeft('withState', 'changes', { on: ['station'], has: { ...REGISTERED, ...STATE }, take: { since: NEVER } })
    },
    Flow.joinLeft('withSince', 'newest', {
      on: ['station'],
      has: { ...REGISTERED, ...STATE, since: NEVER },
      take: { newest: NEVER, readings: text('') }
    })
      .keep('station', 'name', 'zone', 'state_code', 'since', 'newest', 'readings')
      .sort(['zone', 'station'])
  )

/** How many stations are in each state. */
export const stateCounts = (): Script =>
  new Script(
    {
      stations: registry(),
      states: newestState(),
      joined: Flow.joinLeft('stations', 'states', { on: ['station'], has: REGISTERED, take: STATE })
    },
    Flow.named('joined')
      .map({ state_code: choose(exists(column('state_code')), column('state_code'), whole(8)) })
      .group('state_code')
      .step('count', { column: text('station') })
      .group()
      .keep('state_code', 'station')
      .rename({ station: 'stations' })
      .sort(['state_code'])
  )

/** When each station was last heard, and whether that is recent enough. */
const lastHeard = (): Flow =>
  Flow.read('reading', { fields: ['value'], span: '-1d' })
    .last()
    .group('station')
    .sort(['_time'])
    .last()
    .group()
    .keep('station', '_time')
    .rename({ _time: 'newest' })

const age = over(minus(call('int', { v: call('now') }), call('int', { v: column('newest') })), whole(NANOS_PER_SECOND))
const isHeard = all(exists(column('newest')), atMost(age, times(column('expected_seconds'), whole(INTERVALS))))

/** Each station of the chosen zones, `reporting` 1 or 0; then counted by the columns of the group. */
function reporting(...by: readonly string[]): Script {
  const bindings = {
    stations: registry(),
    heard: lastHeard(),
    joined: Flow.joinLeft('stations', 'heard', { on: ['station'], has: REGISTERED, take: { newest: NEVER } })
  }
  const counted = Flow.named('joined')
    .map({ reporting: choose(isHeard, whole(1), whole(0)) })
    .group(...by)
    .reduce(
      { reported: whole(0), registered: whole(0) },
      {
        reported: plus(was('reported'), column('reporting')),
        registered: plus(was('registered'), whole(1))
      }
    )
    .group()
    .map({ share: over(times(float(100), call('float', { v: column('reported') })), call('float', { v: column('registered') })) })
  return new Script(bindings, by.length === 0 ? counted : counted.sort(by))
}

/** One row: stations that reported in time, stations registered, and their share in percent. */
export const coverage = (): Script => reporting()

export const coverageByZone = (): Script => reporting('zone')
