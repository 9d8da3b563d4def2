import type { DayRule, Terms } from '#libs/aggregates'
import type { SeriesKey, Station } from '#libs/model'
import type { AggregateLog, LimitSource, Log, TermsOf, TimeSeriesStore } from '#libs/pipeline'
import { AggregateConsumer, Aggregator, seriesTerms } from '#libs/pipeline'
import type { CompiledProfile } from '#libs/wire'

/** How sums are made: which hours make a day, and from when on a window counts as complete. */
export interface AggregateSettings {
  readonly dayRule: DayRule
  readonly thresholds: Terms['thresholds']
}

interface RegistryView {
  readonly byCode: ReadonlyMap<string, Station>
  readonly profileOf: (station: Station) => CompiledProfile
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
}

export function openAggregator({ stations, settings, store, aggregates, limits }: AggregatorSources): Aggregating {
  const termsOf = seriesTerms(stations.byCode, stations.profileOf, settings)
  return { termsOf, aggregator: new Aggregator({ store, aggregates, termsOf, limits }) }
}

interface ConsumerSources extends AggregatorSources {
  /** Sequence up to which readings are in the store. */
  readonly stored: () => number
  readonly log: Log
}

export function openAggregateConsumer(sources: ConsumerSources): AggregateConsumer {
  const { aggregates, settings, stations, stored, log } = sources
  const { aggregator, termsOf } = openAggregator(sources)
  const dependents = loadsByFlow(stations.byCode, termsOf)
  return new AggregateConsumer({ aggregates, aggregator, termsOf, dayRule: settings.dayRule, stored, clock: Date.now, log, dependents })
}

/** The loads of a station rest on its flow: a late flow changes them too. */
function loadsByFlow(stations: ReadonlyMap<string, Station>, termsOf: TermsOf): (series: SeriesKey) => readonly SeriesKey[] {
  const known = new Map<string, readonly SeriesKey[]>()
  for (const { code, parameters } of stations.values()) {
    for (const parameter of parameters) {
      const flow = termsOf({ station: code, parameter })?.flow
      if (!flow) continue
      const key = `${code}/${flow.parameter}`
      known.set(key, [...(known.get(key) ?? []), { station: code, parameter }])
    }
  }
  return ({ station, parameter }) => known.get(`${station}/${parameter}`) ?? NONE
}

const NONE: readonly SeriesKey[] = []
