import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import type { VariableModel } from '@grafana/grafana-foundation-sdk/dashboard'
import { QueryVariableBuilder, VariableRefresh, VariableSort } from '@grafana/grafana-foundation-sdk/dashboard'
import type { Script } from './flux/script.js'
import { parametersOfStation, stationsOfZones, zones } from './queries/series.js'
import { fluxText, INFLUX } from './targets.js'

const variable = (name: string, label: string, script: Script): QueryVariableBuilder =>
  new QueryVariableBuilder(name)
    .label(label)
    .datasource(INFLUX)
    .query(fluxText(script))
    .refresh(VariableRefresh.OnDashboardLoad)
    .sort(VariableSort.AlphabeticalAsc)
    .allowCustomValue(false)

/** All zones unless some are chosen. */
export const zoneVariable = (): Builder<VariableModel> =>
  variable('zone', 'Khu vực', zones()).multi(true).includeAll(true).current({ selected: true, text: 'All', value: '$__all' })

export const stationVariable = (): Builder<VariableModel> => variable('station', 'Trạm', stationsOfZones())

export const parameterVariable = (): Builder<VariableModel> => variable('parameter', 'Thông số', parametersOfStation())
