import type { StatePlace } from '#libs/adapters/state'
import type { AlarmTransition, ConsumerPosition, ForwardReport, StandardsSources, WriteOutcome } from '#libs/pipeline'
import type { FaultPoint, InfluxSettings, LogOptions, WarehouseSettings } from '#libs/platform'
import type { AggregateSettings } from '../wiring/aggregates.js'
import type { TallyCounts } from '../wiring/tally.js'

/** What the consumers' thread is given at its start. */
export interface ConsumersSetup {
  readonly dataDir: string
  readonly state: StatePlace
  /** Null: the time series live in SQLite. */
  readonly influx: InfluxSettings | null
  readonly registryDir: string
  readonly devicesDir: string
  readonly aggregates: AggregateSettings
  /** Rules and law as they were read: checked by whoever starts the thread. */
  readonly standards: StandardsSources
  /** How often a reading of a station is expected. Milliseconds. */
  readonly intervals: ReadonlyMap<string, number>
  readonly log: LogOptions
  readonly fault: { readonly point: FaultPoint; readonly after: number } | null
}

export type ToConsumers = { readonly type: 'committed' } | { readonly type: 'close-windows' } | { readonly type: 'stop' }

/** Beside the life of the thread. `store`: readings by what the store did with them, since the start. */
export type FromConsumers =
  | {
      readonly type: 'report'
      readonly positions: readonly ConsumerPosition[]
      readonly store: WriteOutcome
      /** Seconds from a reading's instant until it was dealt with, by consumer. */
      readonly delays: readonly { readonly consumer: string; readonly delays: TallyCounts }[]
      readonly unreadable: number
    }
  | { readonly type: 'transitions'; readonly transitions: readonly AlarmTransition[] }

/** What the forwarder's thread is given at its start. */
export interface ForwarderSetup {
  readonly state: StatePlace
  readonly warehouse: WarehouseSettings
  readonly log: LogOptions
}

export type ToForwarder = { readonly type: 'stop' }

export interface FromForwarder {
  readonly type: 'forwarded'
  readonly report: ForwardReport
}
