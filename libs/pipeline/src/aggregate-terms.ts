import type { SumRule, Terms } from '#libs/aggregates'
import type { Station } from '#libs/model'
import { convert, findParameter } from '#libs/model'
import type { CompiledProfile } from '#libs/wire'
import type { TermsOf } from './aggregate-ports.js'

const FLOW = 'Flow'
const FLOW_UNIT = 'm3/h'
const CONCENTRATION = 'mg/L'
const RAIN = 'Rain'
/** Kinds whose flow carries what is measured beside it: a load is flow times concentration. */
const DISCHARGES: ReadonlySet<Station['kind']> = new Set(['wastewater'])

/** The terms of each series as registry and device types state them. */
export function seriesTerms(
  stations: ReadonlyMap<string, Station>,
  profileOf: (station: Station) => CompiledProfile,
  settings: Pick<Terms, 'dayRule' | 'thresholds'>
): TermsOf {
  return ({ station: code, parameter }) => {
    const station = stations.get(code)
    if (!station) return undefined
    const profile = profileOf(station)
    const unit = profile.byName.get(parameter)?.unit
    if (unit === undefined) return undefined
    const flowUnit = station.parameters.includes(FLOW) ? profile.byName.get(FLOW)?.unit : undefined
    const factor = flowUnit === undefined ? null : (convert(1, flowUnit, FLOW_UNIT) ?? null)
    const sum = sumRule(station, parameter, { unit, hasFlow: factor !== null })
    const perHour = sum === 'volume' ? (factor ?? 1) : 1
    return {
      unit,
      terms: { every: profile.intervalMillis, sum, perHour, direction: findParameter(parameter)?.circular ?? false, ...settings },
      flow: sum === 'load' && factor !== null ? { parameter: FLOW, factor } : null
    }
  }
}

function sumRule(station: Station, parameter: string, { unit, hasFlow }: { unit: string; hasFlow: boolean }): SumRule {
  if (parameter === RAIN) return 'total'
  if (parameter === FLOW) return 'volume'
  return hasFlow && unit === CONCENTRATION && DISCHARGES.has(station.kind) ? 'load' : 'none'
}
