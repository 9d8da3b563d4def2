import type { Reading } from '#libs/model'
import { seriesId } from '#libs/model'
import type { RangeQuery } from '../src/ports.js'

/** A store that holds these readings. */
export const storeOf = (readings: readonly Reading[]) => ({
  range: async ({ from, to, limit, ...key }: RangeQuery) =>
    readings
      .filter(reading => seriesId(reading) === seriesId(key) && reading.at >= from && reading.at < to)
      .sort((a, b) => a.at - b.at)
      .slice(0, limit)
})
