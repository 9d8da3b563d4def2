import type { AqiScaleName, Band } from './aqi-tables.js'
import { AQI_BANDS, AQI_MOST, AQI_SCALES, bandIn } from './aqi-tables.js'
import { nowcast } from './nowcast.js'
import { halfUp, indexOn } from './scale.js'

/** Mean of an hour in ug/m3; undefined where there is none. */
export type HourlyMean = number | undefined

/** Hourly means by parameter, oldest first; the last is the hour (or the last hour of the day) that is asked about. */
export type HourlyMeans = ReadonlyMap<string, readonly HourlyMean[]>

/** Why a part of the index, or all of it, is not there. */
export type AqiGap =
  | 'no-particulate' // neither PM10 nor PM2,5: without one of them there is no index (Decision 1459, 2.1)
  | 'nowcast-missing' // fewer than two of the last three hours
  | 'hour-missing' // the gas has no mean of this hour
  | 'too-few-hours' // of the day or of the eight hours
  | 'above-the-scale' // O3 over eight hours above 400

export interface SubIndex {
  readonly parameter: string
  readonly scale: AqiScaleName
  /** What the scale was asked: a mean of 1 h, 8 h or 24 h, or a Nowcast. Null with a gap. */
  readonly concentration: number | null
  /** Not rounded. */
  readonly index: number | null
  readonly gap: AqiGap | null
}

export interface Aqi {
  /** Rounded half up; null where there is none. */
  readonly value: number | null
  readonly band: Band | null
  /** The parameter with the highest sub-index, which is published with it (table 3). */
  readonly deciding: string | null
  readonly parts: readonly SubIndex[]
  readonly gap: AqiGap | null
}

/** Shares of hours below which a mean is not made: nothing is said in the text; customary, and a setting. */
export interface AqiTerms {
  readonly dayShare: number
  readonly eightHourShare: number
}

export const AQI_TERMS: AqiTerms = { dayShare: 0.75, eightHourShare: 0.75 }

const GASES = ['CO', 'SO2', 'NO2', 'O3'] as const
const DUSTS = ['PM10', 'PM2,5'] as const
const HOURS = 24

/** Index of one hour: gases by their mean of the hour, dust by its Nowcast over twelve hours (Decision 1459, 2.2.1). */
export function hourlyAqi(means: HourlyMeans): Aqi {
  const gases = GASES.flatMap(parameter => {
    const hours = means.get(parameter)
    return hours ? [partOf(parameter, `${parameter}-1h`, hours.at(-1), 'hour-missing')] : []
  })
  const dusts = DUSTS.flatMap(parameter => {
    const hours = means.get(parameter)
    return hours ? [partOf(parameter, `${parameter}-24h`, nowcast(hours), 'nowcast-missing')] : []
  })
  return together([...gases, ...dusts])
}

/**
 * Index of a day, hours 01 to 24 (Decision 1459, 2.2.2): dust by the mean of the day, SO2, NO2 and CO by their highest hour, O3 by its highest hour
 * and by its highest mean of eight hours, whichever sub-index is larger: as the worked example has it, not as the sentence before it does.
 * O3 needs the seven hours before the day as well; the others may have them.
 */
export function dailyAqi(means: HourlyMeans, terms: AqiTerms = AQI_TERMS): Aqi {
  const parts: SubIndex[] = []
  for (const [parameter, hours] of means) {
    const day = hours.slice(-HOURS)
    const isDust = DUSTS.some(dust => dust === parameter)
    if (isDust) parts.push(partOf(parameter, `${parameter as 'PM10' | 'PM2,5'}-24h`, meanOf(day, HOURS, terms.dayShare), 'too-few-hours'))
    const gas = GASES.find(one => one === parameter)
    if (gas) parts.push(partOf(gas, `${gas}-1h`, highest(day), 'too-few-hours'))
    if (gas === 'O3') parts.push(partOf('O3', 'O3-8h', highest(eightHourMeans(hours, terms.eightHourShare)), 'too-few-hours'))
  }
  return together(parts)
}

/** The 24 means of eight hours that end in the hours of the day; the first reaches back seven hours into the day before. */
export function eightHourMeans(hours: readonly HourlyMean[], share = AQI_TERMS.eightHourShare): HourlyMean[] {
  const last = hours.length
  return Array.from({ length: HOURS }, (_, hour) => {
    const end = last - HOURS + hour + 1
    return meanOf(hours.slice(Math.max(0, end - 8), Math.max(0, end)), 8, share)
  })
}

function meanOf(hours: readonly HourlyMean[], expected: number, share: number): HourlyMean {
  const known = hours.filter(hour => hour !== undefined)
  return known.length > 0 && known.length >= expected * share ? known.reduce((sum, hour) => sum + hour, 0) / known.length : undefined
}

function highest(hours: readonly HourlyMean[]): HourlyMean {
  const known = hours.filter(hour => hour !== undefined)
  return known.length > 0 ? Math.max(...known) : undefined
}

function partOf(parameter: string, scale: AqiScaleName, concentration: HourlyMean, gap: AqiGap): SubIndex {
  if (concentration === undefined) return { parameter, scale, concentration: null, index: null, gap }
  const index = subIndex(scale, concentration)
  return index === undefined
    ? { parameter, scale, concentration, index: null, gap: 'above-the-scale' }
    : { parameter, scale, concentration, index, gap: null }
}

/** Not rounded. Undefined where the scale ends below (O3 over eight hours); every other ends at 500. */
export function subIndex(scale: AqiScaleName, concentration: number): number | undefined {
  return indexOn(AQI_SCALES[scale], concentration) ?? (scale === 'O3-8h' ? undefined : AQI_MOST)
}

function together(parts: readonly SubIndex[]): Aqi {
  const known = parts.filter((part): part is SubIndex & { index: number } => part.index !== null)
  const dust = known.some(({ parameter }) => DUSTS.some(one => one === parameter))
  const worst = known.reduce<(SubIndex & { index: number }) | undefined>(
    (most, part) => (most && most.index >= part.index ? most : part),
    undefined
  )
  if (!dust || !worst) return { value: null, band: null, deciding: null, parts, gap: 'no-particulate' }
  const value = halfUp(worst.index)
  return { value, band: bandIn(AQI_BANDS, value) ?? null, deciding: worst.parameter, parts, gap: null }
}
