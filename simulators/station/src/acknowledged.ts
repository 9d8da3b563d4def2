import { type Millis, seriesId } from '#libs/model'
import type { Sample } from './station-model.js'

export interface SeriesMemory {
  /** Readings acknowledged. */
  readonly count: number
  /** The newest of them by the device's clock. */
  readonly lastAt: Millis
  readonly lastValue: number
}

/** What has been acknowledged, per series: the outside's own account of what the server must have. */
export class Acknowledged {
  readonly #series = new Map<string, SeriesMemory>()

  add(station: string, samples: readonly Sample[]): void {
    for (const { at, values } of samples) for (const { parameter, value } of values) this.#note(seriesId({ station, parameter }), at, value)
  }

  #note(series: string, at: Millis, value: number): void {
    const before = this.#series.get(series)
    const newer = before === undefined || at >= before.lastAt
    const last = newer ? { lastAt: at, lastValue: value } : { lastAt: before.lastAt, lastValue: before.lastValue }
    this.#series.set(series, { count: (before?.count ?? 0) + 1, ...last })
  }

  /** By series id, `station/parameter`. */
  bySeries(): ReadonlyMap<string, SeriesMemory> {
    return this.#series
  }
}
