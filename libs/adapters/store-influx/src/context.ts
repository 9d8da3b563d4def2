import type { Point } from '@influxdata/influxdb-client'
import { flux, InfluxDB } from '@influxdata/influxdb-client'
import { DeleteAPI } from '@influxdata/influxdb-client-apis'
import { messageOf } from '#libs/model'
import { bucketName, MEASUREMENTS } from './catalogue.js'
import type { BoardLimit, BoardSeries, BoardState, BoardStation, RecordedTransition, RegistryPoint, Tags } from './context-points.js'
import { limitPoint, seriesPoint, statePoint, stationPoint, transitionPoint } from './context-points.js'

export type { BoardLimit, BoardSeries, BoardState, BoardStation, RecordedTransition } from './context-points.js'

/** What boards need could not be written: InfluxDB is away or refuses. Worth another try; nothing is lost by waiting. */
export class InfluxContextError extends Error {
  override readonly name = 'InfluxContextError'
  readonly code = 'QT_INFLUX_CONTEXT'
}

export interface ContextSettings {
  readonly url: string
  readonly org: string
  /** Bucket of the readings; what is written here goes to the one named after it. */
  readonly bucket: string
  readonly token: string
  readonly timeoutMs?: number
}

type Registered = 'station' | 'series' | 'limit'

const TIMEOUT_MS = 10_000
const BEGINNING = '1970-01-01T00:00:00Z'
const END = '1970-01-01T00:00:01Z'

/**
 * Writes what boards need beside the readings into the context bucket. Every call can be repeated: the same thing is the same
 * point. A call that throws may have written a part. @throws InfluxContextError from every method.
 */
export class InfluxContext {
  readonly #influx: InfluxDB
  readonly #org: string
  readonly #bucket: string

  constructor({ url, org, bucket, token, timeoutMs }: ContextSettings) {
    this.#influx = new InfluxDB({ url, token, timeout: timeoutMs ?? TIMEOUT_MS })
    this.#org = org
    this.#bucket = bucketName(bucket, 'context')
  }

  /** The stations of the registry; those that left it are taken away. */
  writeStations(stations: readonly BoardStation[]): Promise<void> {
    return this.#replace('station', stations.map(stationPoint))
  }

  /** What each station measures; what left the registry is taken away. */
  writeSeries(series: readonly BoardSeries[]): Promise<void> {
    return this.#replace('series', series.map(seriesPoint))
  }

  /** The limits in force; those that left the rules are taken away. */
  writeLimits(limits: readonly BoardLimit[]): Promise<void> {
    return this.#replace('limit', limits.map(limitPoint))
  }

  writeStates(states: readonly BoardState[]): Promise<void> {
    return coded(() => this.#write(states.map(statePoint)))
  }

  writeTransitions(transitions: readonly RecordedTransition[]): Promise<void> {
    return coded(() => this.#write(transitions.map(transitionPoint)))
  }

  /**
   * What stands there and is no more, or has a field too many, is taken away before the new points come: a point that is
   * written anew keeps the fields that the new one lacks.
   */
  #replace(measurement: Registered, points: readonly RegistryPoint[]): Promise<void> {
    return coded(async () => {
      const wanted = new Map(points.map(({ tags, point }) => [keyOf(measurement, tags), Object.keys(point.fields)]))
      for (const [key, { tags, fields }] of await this.#registered(measurement)) {
        const kept = wanted.get(key)
        if (!kept || fields.some(field => !kept.includes(field))) await this.#remove(measurement, tags)
      }
      await this.#write(points.map(({ point }) => point))
    })
  }

  async #write(points: readonly Point[]): Promise<void> {
    if (points.length === 0) return
    const api = this.#influx.getWriteApi(this.#org, this.#bucket, 'ns', {
      maxRetries: 0,
      batchSize: points.length + 1,
      flushInterval: 0,
      // Told to the caller instead of the console.
      writeFailed: error => Promise.reject(error)
    })
    api.writePoints([...points])
    try {
      await api.flush()
    } finally {
      await api.close().catch(() => {})
    }
  }

  async #registered(measurement: Registered): Promise<Map<string, { tags: Tags; fields: string[] }>> {
    const query = flux`from(bucket: ${this.#bucket})
      |> range(start: 0, stop: 1)
      |> filter(fn: (r) => r._measurement == ${measurement})
      |> drop(columns: ["_time", "_value", "_start", "_stop"])
      |> group()`
    const found = new Map<string, { tags: Tags; fields: string[] }>()
    for (const row of await this.#influx.getQueryApi(this.#org).collectRows<Tags>(query)) {
      const key = keyOf(measurement, row)
      const field = row['_field'] ?? ''
      const known = found.get(key)
      if (known) known.fields.push(field)
      else found.set(key, { tags: row, fields: [field] })
    }
    return found
  }

  async #remove(measurement: Registered, row: Tags): Promise<void> {
    const tags = MEASUREMENTS[measurement].tags.map(tag => `${tag}=${quoted(row[tag] ?? '')}`)
    const predicate = [`_measurement=${quoted(measurement)}`, ...tags].join(' AND ')
    const body = { start: BEGINNING, stop: END, predicate }
    await new DeleteAPI(this.#influx).postDelete({ org: this.#org, bucket: this.#bucket, body })
  }
}

const keyOf = (measurement: Registered, tags: Tags): string => MEASUREMENTS[measurement].tags.map(tag => tags[tag] ?? '').join('\n')

const quoted = (value: string): string => `"${value.replace(/["\\]/g, character => `\\${character}`)}"`

async function coded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw new InfluxContextError(`what boards need could not be written to InfluxDB: ${messageOf(cause)}`, { cause })
  }
}
