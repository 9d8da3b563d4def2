import { Point } from '@influxdata/influxdb-client'
import type { Millis, Station, StationState } from '#libs/model'
import type { AlarmTransition } from '#libs/pipeline'

/** What boards need beside the readings, as points of the catalogue (`station`, `series`, `limit`, `station_state`, `alarm`). */

export interface BoardStation extends Station {
  /** Seconds between two readings, by the station's profile. */
  readonly expectedSeconds: number
}

export interface BoardSeries {
  readonly station: string
  readonly parameter: string
  /** The parameter's name in Vietnamese. */
  readonly name: string
  /** Unit of the readings. */
  readonly unit: string
  readonly limits: number
}

/** A limit and where its bands begin, all in the unit of the readings; null where there is none. */
export interface BoardLimit {
  readonly station: string
  readonly parameter: string
  readonly rule: string
  readonly unit: string
  readonly source: string
  readonly low: number | null
  readonly lowPreparing: number | null
  readonly lowTendency: number | null
  readonly highTendency: number | null
  readonly highPreparing: number | null
  readonly high: number | null
}

export interface BoardState {
  readonly station: string
  readonly state: StationState
  readonly at: Millis
}

/** A transition with its place in the order in which all of them were recorded. */
export interface RecordedTransition {
  readonly position: number
  readonly transition: AlarmTransition
}

export type Tags = Readonly<Record<string, string>>

/** A point of the registry with its tags, by which it is found again. */
export interface RegistryPoint {
  readonly tags: Tags
  readonly point: Point
}

/** What the registry says has one point for each thing, at this instant: writing it anew replaces it. */
const REGISTRY_AT = '0'

/** The ministry's numbers of station states (regulations.md 1.6) and two of our own behind them. */
const STATE_CODES: Readonly<Record<StationState, number>> = {
  good: 0,
  tendency: 1,
  preparing: 2,
  exceeds: 3,
  offline: 4,
  adjusting: 5,
  fault: 6,
  'no-limit': 7,
  unknown: 8
}

function registryPoint(measurement: string, tags: Tags, fill: (point: Point) => void): RegistryPoint {
  const point = new Point(measurement).timestamp(REGISTRY_AT)
  for (const [tag, value] of Object.entries(tags)) point.tag(tag, value)
  fill(point)
  return { tags, point }
}

export const stationPoint = (s: BoardStation): RegistryPoint =>
  registryPoint('station', { station: s.code }, point =>
    point
      .stringField('name', s.name)
      .stringField('kind', s.kind)
      .stringField('zone', s.zone)
      .stringField('agency', s.agency)
      .stringField('profile', s.profile)
      .floatField('lat', s.position.latitude)
      .floatField('lon', s.position.longitude)
      .intField('parameters', s.parameters.length)
      .intField('expected_seconds', s.expectedSeconds)
  )

export const seriesPoint = ({ station, parameter, name, unit, limits }: BoardSeries): RegistryPoint =>
  registryPoint('series', { station, parameter }, point =>
    point.stringField('name', name).stringField('unit', unit).intField('limits', limits)
  )

export const limitPoint = ({ station, parameter, rule, unit, source, ...bounds }: BoardLimit): RegistryPoint =>
  registryPoint('limit', { station, parameter, rule }, point => {
    const values: Readonly<Record<string, number | null>> = {
      low: bounds.low,
      low_preparing: bounds.lowPreparing,
      low_tendency: bounds.lowTendency,
      high_tendency: bounds.highTendency,
      high_preparing: bounds.highPreparing,
      high: bounds.high
    }
    for (const [field, value] of Object.entries(values)) if (value !== null) point.floatField(field, value)
    point.stringField('unit', unit).stringField('source', source)
  })

export const statePoint = ({ station, state, at }: BoardState): Point =>
  new Point('station_state').tag('station', station).stringField('state', state).intField('code', STATE_CODES[state]).timestamp(nanos(at))

export function transitionPoint({ position, transition }: RecordedTransition): Point {
  const { id, kind, at, alarm } = transition
  const point = new Point('alarm')
    .tag('station', alarm.station)
    .tag('transition', kind)
    .tag('severity', alarm.severity)
    .intField('position', position)
    .stringField('id', alarm.id)
    .stringField('parameter', alarm.parameter ?? '')
    .stringField('rule', alarm.rule)
    .stringField('kind', alarm.kind)
    .stringField('state', alarm.state)
    .stringField('unit', alarm.unit ?? '')
  if (alarm.value !== null) point.floatField('value', alarm.value)
  if (alarm.limit !== null) point.floatField('limit', alarm.limit)
  return point.timestamp(nanos(at, within(id)))
}

const NANOS_IN_MILLI = 1_000_000
const DIGITS = 6
const nanos = (at: Millis, extra = 0): string => `${at}${String(extra).padStart(DIGITS, '0')}`

/**
 * A place within the millisecond, by the transition's id (FNV-1a): two transitions of one station at one instant are two points
 * (a message with COD and TSS raises two alarms at once), and the same transition is the same point whenever it is written.
 */
function within(id: string): number {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(id)) hash = Math.imul(hash ^ byte, 0x01000193)
  return (hash >>> 0) % NANOS_IN_MILLI
}
