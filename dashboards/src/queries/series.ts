import type { Expression } from '../flux/expression.js'
import {
  above,
  all,
  any,
  atMost,
  below,
  call,
  choose,
  chosen,
  column,
  equal,
  exists,
  firstOf,
  float,
  not,
  plus,
  text,
  whole
} from '../flux/expression.js'
import { BOARD_START, BOARD_STOP, BOARD_WINDOW, Flow } from '../flux/flow.js'
import { Script } from '../flux/script.js'

/** One series: the station and the parameter that are chosen on the board. */
const ofStation = equal(column('station'), chosen('station'))
const ofSeries = all(ofStation, equal(column('parameter'), chosen('parameter')))

const MEASURING = '00'
const CALIBRATING = '01'
const DEVICE_FAULT = '02'
/** QARTOD: 3 is suspect and still used, 4 failed. */
const WORST_USED = 3

const isMeasured = all(equal(column('status'), text(MEASURING)), atMost(column('flag'), whole(WORST_USED)))

/** What is usual is not written: a point without status was measured, one without flag passed. */
const USUAL = {
  status: choose(exists(column('status')), column('status'), text(MEASURING)),
  flag: choose(exists(column('flag')), column('flag'), whole(1))
}

const readings = (): Flow =>
  Flow.read('reading', { fields: ['value', 'status', 'flag'], span: 'board', where: ofSeries })
    .pivot()
    .map(USUAL)

/** The values that count, as a mean over what one pixel shows. */
export const measuredValues = (): Script =>
  Script.of(
    readings()
      .filter(isMeasured)
      .rename({ value: '_value' })
      .windows(BOARD_WINDOW, 'mean')
      .map({ series: text('Giá trị đo') })
      .group('series')
      .keep('_time', '_value', 'series')
  )

/** Values that count for nothing, with the reason as the series' name. */
export const otherValues = (): Script =>
  Script.of(
    readings()
      .filter(not(isMeasured))
      .map({
        series: firstOf(
          [
            [equal(column('status'), text(CALIBRATING)), text('Đang hiệu chuẩn')],
            [equal(column('status'), text(DEVICE_FAULT)), text('Lỗi thiết bị')]
          ],
          text('Không dùng được')
        )
      })
      .rename({ value: '_value' })
      .group('series')
      .keep('_time', '_value', 'series')
      .sort(['_time'])
  )

const BOUNDS: readonly (readonly [
  field: 'low' | 'low_preparing' | 'low_tendency' | 'high_tendency' | 'high_preparing' | 'high',
  name: string
])[] = [
  ['low', 'Giới hạn dưới'],
  ['low_preparing', 'Sắp dưới giới hạn'],
  ['low_tendency', 'Có xu hướng dưới giới hạn'],
  ['high_tendency', 'Có xu hướng vượt'],
  ['high_preparing', 'Sắp vượt'],
  ['high', 'Giới hạn trên']
]
const BOUND_FIELDS = BOUNDS.map(([field]) => field)

/** Each bound of each limit as a level line across the board's time. */
export function limitLines(): Script {
  const bounds = Flow.read('limit', { fields: BOUND_FIELDS, span: 'ever', where: ofSeries })
    .map({
      series: plus(
        firstOf(
          BOUNDS.map(([field, bound]) => [equal(column('_field'), text(field)), text(bound)] as const),
          text('')
        ),
        plus(plus(text(' ('), column('rule')), text(')'))
      )
    })
    .group()
    .keep('series', '_value')
  const end = (instant: Expression): Flow => Flow.named('bounds').map({ _time: instant })
  return new Script(
    { bounds, begin: end(call('time', { v: BOARD_START })), stop: end(call('time', { v: BOARD_STOP })) },
    Flow.union('begin', 'stop').group('series').keep('_time', '_value', 'series').sort(['_time'])
  )
}

/** Limits of the chosen series in columns, one row for each rule; a bound that a rule lacks is null. */
const limits = (where: Expression): Flow =>
  Flow.read('limit', { fields: [...BOUND_FIELDS, 'unit', 'source'], span: 'ever', where })
    .pivot()
    .group()

const NEVER = call('time', { v: whole(0) })
const READING = { _time: NEVER, value: float(0), status: text(''), flag: whole(0) }
const NAMES = { name: text(''), unit: text('') }
const BOUND_DEFAULTS = Object.fromEntries(BOUND_FIELDS.map(field => [field, float(0)]))
const passes = (value: Expression, high: string, lowBound: string): Expression =>
  any(all(exists(column(high)), above(value, column(high))), all(exists(column(lowBound)), below(value, column(lowBound))))

const hasLimit = any(exists(column('high')), exists(column('low')))

/** The number of the state (palette) in which a value stands under one limit; 7 where there is none. */
const bandOf = (value: Expression): Expression =>
  firstOf(
    [
      [equal(column('status'), text(CALIBRATING)), whole(5)],
      [equal(column('status'), text(DEVICE_FAULT)), whole(6)],
      [not(isMeasured), whole(8)],
      [not(hasLimit), whole(7)],
      [passes(value, 'high', 'low'), whole(3)],
      [passes(value, 'high_preparing', 'low_preparing'), whole(2)],
      [passes(value, 'high_tendency', 'low_tendency'), whole(1)]
    ],
    whole(0)
  )

/** In which band the values stood, the worst of each window. */
export const bandsOverTime = (): Script =>
  new Script(
    {
      readings: readings().group().keep('_start', '_stop', '_time', 'station', 'parameter', 'value', 'status', 'flag'),
      limits: limits(ofSeries),
      joined: Flow.joinLeft('readings', 'limits', {
        on: ['station', 'parameter'],
        has: { ...READING, _start: NEVER, _stop: NEVER },
        take: BOUND_DEFAULTS
      })
    },
    Flow.named('joined')
      .map({ _value: bandOf(column('value')), series: text('Mức') })
      .group('series', '_start', '_stop')
      .sort(['_time'])
      .windows(BOARD_WINDOW, 'max')
      .group('series')
      .keep('_time', '_value', 'series')
  )

/** The newest reading of each parameter of the chosen station, with unit, limits and where it stands. */
export const newestOfStation = (): Script =>
  new Script(
    {
      newest: Flow.read('reading', { fields: ['value', 'status', 'flag'], span: '-30d', where: ofStation })
        .last()
        .pivot()
        // Each field's last point may be another one; the newest of them all has the value.
        .group('station', 'parameter')
        .sort(['_time'])
        .step('tail', { n: whole(1) })
        .group()
        .map(USUAL)
        .keep('_time', 'station', 'parameter', 'value', 'status', 'flag'),
      names: Flow.read('series', { fields: ['name', 'unit'], span: 'ever', where: ofStation })
        .pivot()
        .group(),
      limits: limits(ofStation),
      named: Flow.joinLeft('names', 'newest', {
        on: ['station', 'parameter'],
        has: NAMES,
        take: READING
      })
    },
    Flow.joinLeft('named', 'limits', {
      on: ['station', 'parameter'],
      has: { ...NAMES, ...READING },
      take: { ...BOUND_DEFAULTS, rule: text(''), source: text('') }
    })
      .map({ band: choose(exists(column('value')), bandOf(column('value')), choose(hasLimit, whole(8), whole(7))) })
      .rename({ _time: 'at' })
      .keep('parameter', 'name', 'value', 'unit', 'low', 'high', 'band', 'status', 'at', 'rule', 'source')
      .sort(['parameter', 'rule'])
  )

/** Zones of the registry, for the board's variable. */
export const zones = (): Script =>
  Script.of(
    Flow.read('station', { fields: ['zone'], span: 'ever' })
      .group()
      .step('distinct', { column: text('_value') })
      .keep('_value')
      .rename({ _value: 'zone' })
      .sort(['zone'])
  )

/** Stations of the chosen zones. */
export const stationsOfZones = (): Script =>
  Script.of(
    Flow.read('station', { fields: ['zone'], span: 'ever' })
      .filter(call('contains', { value: column('_value'), set: { is: 'list', items: [chosen('zone')] } }))
      .group()
      .keep('station')
      .sort(['station'])
  )

/** Parameters that the chosen station measures. */
export const parametersOfStation = (): Script =>
  Script.of(
    Flow.read('series', { fields: ['unit'], span: 'ever', where: ofStation })
      .group()
      .keep('parameter')
      .sort(['parameter'])
  )
