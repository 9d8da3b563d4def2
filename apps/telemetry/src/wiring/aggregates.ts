import type { DayRule, Terms } from '#libs/aggregates'
import type { Station } from '#libs/model'
import type { AggregateLog, LimitSource, Log, TermsOf, TimeSeriesStore } from '#libs/pipeline'
import { AggregateConsumer, Aggregator, affectedSeries, FlaggedReadings, seriesTerms } from '#libs/pipeline'
import type { Plans } from '#libs/quality'
import type { CompiledProfile } from '#libs/wire'

/** How sums are made: which hours make a day, and from when on a window counts as complete. */
export interface AggregateSettings {
  readonly dayRule: DayRule
  readonly thresholds: Terms['thresholds']
}

interface RegistryView {
  readonly byCode: ReadonlyMap<string, Station>
  readonly profileOf: (station: Station) => CompiledProfile
  readonly planOf: Plans
}

interface AggregatorSources {
  readonly stations: RegistryView
  readonly settings: AggregateSettings
  readonly store: Pick<TimeSeriesStore, 'range'>
  readonly aggregates: AggregateLog
  readonly limits: LimitSource
}

export interface Aggregating {
  readonly aggregator: Aggregator
  readonly termsOf: TermsOf
  readonly readings: FlaggedReadings
}

export function openAggregator({ stations, settings, store, aggregates, limits }: AggregatorSources): Aggregating {
  const termsOf = seriesTerms(stations.byCode, stations.profileOf, settings)
  const readings = new FlaggedReadings(store, stations.planOf)
  return { termsOf, readings, aggregator: new Aggregator({ store: readings, aggregates, termsOf, limits }) }
}

interface ConsumerSources extends AggregatorSources {
  /** Sequence up to which readings are in the store. */
  readonly stored: () => number
  readonly log: Log
}

export function openAggregateConsumer(sources: ConsumerSources): AggregateConsumer {
  const { aggregates, settings, stations, stored, log } = sources
  const { aggregator, termsOf } = openAggregator(sources)
  const affected = affectedSeries(stations.byCode.values(), termsOf, stations.planOf)
  return new AggregateConsumer({ aggregates, aggregator, dayRule: settings.dayRule, stored, clock: Date.now, log, affected })
}
