import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog'
import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common'
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus'
import type { Script } from './flux/script.js'

/** Fixed identifiers of the provisioned data sources; boards and alert rules name them. */
export const PROMETHEUS: DataSourceRef = { type: 'prometheus', uid: 'quantrac-prometheus' }
export const INFLUX: DataSourceRef = { type: 'influxdb', uid: 'quantrac-influxdb' }

/** A query of the InfluxDB data source. The foundation SDK has no builder for it (its issue 447). */
interface FluxQuery extends Dataquery {
  readonly refId: string
  readonly query: string
  readonly datasource: DataSourceRef
}

/** Every Flux query that a board was given, with what its builder knows of it, for the tests. */
export const FLUX_QUERIES = new Map<string, Script>()

export function flux(script: Script, refId = 'A'): Builder<Dataquery> {
  const query = script.print()
  FLUX_QUERIES.set(query, script)
  const built: Omit<FluxQuery, '_implementsDataqueryVariant'> = { refId, query, datasource: INFLUX }
  return { build: () => built as FluxQuery }
}

/** A variable's query: text, and known to the tests like the others. */
export function fluxText(script: Script): string {
  const query = script.print()
  FLUX_QUERIES.set(query, script)
  return query
}

/** Prometheus over time. */
export const prom = (expr: string, legend: string, refId = 'A'): DataqueryBuilder =>
  new DataqueryBuilder().expr(expr).legendFormat(legend).refId(refId).range().datasource(PROMETHEUS)

/** Prometheus now. */
export const promNow = (expr: string, legend = '__auto', refId = 'A'): DataqueryBuilder =>
  new DataqueryBuilder().expr(expr).legendFormat(legend).refId(refId).instant().datasource(PROMETHEUS)
