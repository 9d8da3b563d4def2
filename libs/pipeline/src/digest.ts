import type { Millis, SeriesKey } from '#libs/model'
import { DAY, FLAG_REASONS, VIETNAM_OFFSET } from '#libs/model'
import type { StoredReading } from './ports.js'

/** What a store holds of one series on one day of UTC+7: two stores with the same digest hold the same readings. */
export interface DayDigest extends SeriesKey {
  /** Begin of the day in UTC+7. */
  readonly day: Millis
  readonly count: number
  /** 16 hexadecimal digits over identity and content of each reading, journal sequence included; their order leaves no trace. */
  readonly checksum: string
}

// By its own name: under a test runner each look at a global costs more than the multiplication.
const imul = Math.imul

interface Sum {
  readonly series: SeriesKey
  readonly day: Millis
  count: number
  high: number
  low: number
}

/** Digests readings, in whatever order they come; answers ordered by station, parameter, day. */
export async function digestOf(batches: AsyncIterable<readonly StoredReading[]>): Promise<DayDigest[]> {
  const days = new Map<string, Sum>()
  for await (const batch of batches) for (const reading of batch) addTo(days, reading)
  return [...days.values()]
    .sort((a, b) => compare(a.series.station, b.series.station) || compare(a.series.parameter, b.series.parameter) || a.day - b.day)
    .map(({ series, day, count, high, low }) => ({ ...series, day, count, checksum: hex(high) + hex(low) }))
}

/** Begin of an instant's day in UTC+7. */
export const dayOf = (at: Millis): Millis => at - ((at + VIETNAM_OFFSET) % DAY)

function addTo(days: Map<string, Sum>, reading: StoredReading): void {
  const day = dayOf(reading.at)
  const key = `${reading.station}/${reading.parameter}/${day}`
  let sum = days.get(key)
  if (!sum) {
    sum = { series: { station: reading.station, parameter: reading.parameter }, day, count: 0, high: 0, low: 0 }
    days.set(key, sum)
  }
  const text = textOf(reading)
  sum.count++
  // Sums, not exclusive or: a reading that stands twice must not cancel itself out.
  sum.high = (sum.high + hash(text, 0x9747b28c)) >>> 0
  sum.low = (sum.low + hash(text, 0x2c1b3c6d)) >>> 0
}

/** Everything that a reading says, in one text. */
function textOf(r: StoredReading): string {
  const flags = FLAG_REASONS.filter(reason => r.flags.includes(reason)).join(' ')
  const reported = r.reported ? `${r.reported.value} ${r.reported.unit}` : ''
  const content = `${r.value}|${r.unit}|${r.status}|${r.flag}|${flags}|${r.revision}|${r.receivedAt}|${r.road}|${reported}`
  return `${r.station}|${r.parameter}|${r.at}|${r.sequence}|${content}`
}

/** MurmurHash3's rounds (A. Appleby, public domain) over UTF-16 code units: 32 bits, spread well, no defence against malice. */
function hash(text: string, seed: number): number {
  let h = seed
  for (let i = 0; i < text.length; i++) {
    let k = imul(text.charCodeAt(i), 0xcc9e2d51)
    k = imul((k << 15) | (k >>> 17), 0x1b873593)
    h ^= k
    h = (imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0
  }
  h ^= text.length
  h = imul(h ^ (h >>> 16), 0x85ebca6b)
  h = imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

const hex = (word: number): string => word.toString(16).padStart(8, '0')
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
