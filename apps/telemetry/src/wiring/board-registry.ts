import type { BoardLimit, BoardSeries, BoardStation } from '#libs/adapters/store-influx'
import type { CompiledRules, RuleLimit } from '#libs/alarms'
import type { Millis, Station } from '#libs/model'
import { convert, findParameter, isValidAt, SECOND } from '#libs/model'
import type { Stations } from './stations.js'

/** What boards are told of the registry and the rules, in the units in which stations report. */
export interface BoardRegistry {
  readonly stations: readonly BoardStation[]
  readonly series: readonly BoardSeries[]
  readonly limits: readonly BoardLimit[]
}

/** Thresholds carry a tolerance of 1e-9 of their value; a person sees the number of the rule. */
const DIGITS = 8

export function boardRegistry(stations: Stations, rules: CompiledRules, now: Millis): BoardRegistry {
  const perStation = stations.all.map(station => ({ station, series: seriesOf(station, { stations, rules, now }) }))
  return {
    stations: perStation.map(({ station }) => ({
      ...station,
      expectedSeconds: Math.round(stations.profileOf(station).intervalMillis / SECOND)
    })),
    series: perStation.flatMap(({ series }) => series.map(({ limits, ...row }) => ({ ...row, limits: limits.length }))),
    limits: perStation.flatMap(({ series }) => series.flatMap(({ limits }) => limits))
  }
}

interface Sources {
  readonly stations: Stations
  readonly rules: CompiledRules
  readonly now: Millis
}

type Series = Omit<BoardSeries, 'limits'> & { readonly limits: readonly BoardLimit[] }

function seriesOf(station: Station, { stations, rules, now }: Sources): Series[] {
  const { byName } = stations.profileOf(station)
  return station.parameters.flatMap(parameter => {
    const unit = byName.get(parameter)?.unit
    if (unit === undefined) return []
    const limits = rules.limitsOf(station.code, parameter).filter(limit => isValidAt(limit, now))
    return [
      {
        station: station.code,
        parameter,
        name: findParameter(parameter)?.name ?? parameter,
        unit,
        limits: limits.map(limit => limitIn(unit, station.code, limit))
      }
    ]
  })
}

function limitIn(unit: string, station: string, limit: RuleLimit): BoardLimit {
  const value = (canonical: number): number | null => {
    const converted = convert(canonical, limit.unit, unit)
    return converted === undefined || !Number.isFinite(converted) ? null : Number(converted.toPrecision(DIGITS))
  }
  const { enterLow, enterHigh, bands, parameter, rule, source } = limit
  const banded = (threshold: number): number | null => (bands === null ? null : value(threshold))
  return {
    station,
    parameter,
    rule,
    unit,
    source,
    low: limit.low === null ? null : value(limit.low),
    lowPreparing: banded(enterLow.preparing),
    lowTendency: banded(enterLow.tendency),
    highTendency: banded(enterHigh.tendency),
    highPreparing: banded(enterHigh.preparing),
    high: limit.high === null ? null : value(limit.high)
  }
}
