import { InfluxStore } from '#libs/adapters/store-influx'
import { SqliteStore } from '#libs/adapters/store-sqlite'
import type { TimeSeriesStore } from '#libs/pipeline'
import type { InfluxSettings, Logger } from '#libs/platform'

interface StoreSetup {
  readonly dataDir: string
  /** Null: the time series live in SQLite. */
  readonly influx: InfluxSettings | null
  readonly log: Logger
}

/** The store for the one who writes what `journal` holds. `beforeCursor` is where the kill proof ends the process. */
export function openWriter({ dataDir, influx, log }: StoreSetup, journal: string, beforeCursor: () => void): Promise<TimeSeriesStore> {
  return influx ? InfluxStore.open({ ...influx, log, journal, beforeCursor }) : SqliteStore.open({ dataDir, beforeCursor })
}

/** The store for questions; the writer must have opened it once before. */
export function openReader({ dataDir, influx, log }: StoreSetup): Promise<TimeSeriesStore> {
  return influx ? InfluxStore.open({ ...influx, log, readOnly: true }) : SqliteStore.open({ dataDir, readOnly: true })
}
