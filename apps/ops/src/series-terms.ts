import { InfluxStore } from '#libs/adapters/store-influx'
import { SqliteStore } from '#libs/adapters/store-sqlite'
import type { Station } from '#libs/model'
import type { StandardsSources, TermsOf, TimeSeriesStore } from '#libs/pipeline'
import { FlaggedReadings, seriesTerms } from '#libs/pipeline'
import type { Config } from '#libs/platform'
import { CodedError, loadRegistry } from '#libs/platform'
import type { Plans } from '#libs/quality'

interface Registry {
  readonly stations: readonly Station[]
  /** Alarm rules and law as the files have them. */
  readonly sources: StandardsSources
  readonly termsOf: TermsOf
  readonly planOf: Plans
}

/** The registry, with how the series of its stations are summed up. @throws CodedError QT_REGISTRY_INVALID */
export async function termsIn({ registryDir, devicesDir, aggregates }: Config): Promise<Registry> {
  const { stations, profiles, rules, law, planOf } = await loadRegistry(registryDir, devicesDir)
  const byCode = new Map(stations.map(station => [station.code, station]))
  const profileOf = (station: { readonly profile: string }) => {
    const profile = profiles.get(station.profile)
    if (!profile) throw new CodedError('QT_UNEXPECTED', `no profile ${station.profile}`)
    return profile
  }
  return { stations, sources: { rules, law }, termsOf: seriesTerms(byCode, profileOf, aggregates), planOf }
}

/** The readings, for reading alone, with the flags of the quality tests: figures and verdicts rest on those. */
export async function openFlagged(
  { dataDir, influx }: Config,
  planOf: Plans
): Promise<{ store: TimeSeriesStore; readings: FlaggedReadings }> {
  const store = await (influx ? InfluxStore.open({ ...influx, readOnly: true }) : SqliteStore.open({ dataDir, readOnly: true }))
  return { store, readings: new FlaggedReadings(store, planOf) }
}
