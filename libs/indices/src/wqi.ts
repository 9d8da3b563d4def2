import type { Band } from './aqi-tables.js'
import { bandIn } from './aqi-tables.js'
import type { Scale } from './scale.js'
import { halfUp, indexOn } from './scale.js'

/** Decision 1460/QD-TCMT of 2019 (regulations.md 4.4): break points found, the formula from memory (medium). */
export const WQI_SOURCE = 'Quyết định 1460/QĐ-TCMT ngày 12/11/2019'

export const WQI_BANDS: readonly Band[] = [
  { id: 'heavily-polluted', name: 'Ô nhiễm rất nặng', nameEn: 'Heavily polluted', rgb: [126, 0, 35], from: 0 },
  { id: 'bad', name: 'Kém', nameEn: 'Bad', rgb: [255, 0, 0], from: 10 },
  { id: 'poor', name: 'Xấu', nameEn: 'Poor', rgb: [255, 126, 0], from: 26 },
  { id: 'moderate', name: 'Trung bình', nameEn: 'Moderate', rgb: [255, 255, 0], from: 51 },
  { id: 'good', name: 'Tốt', nameEn: 'Good', rgb: [0, 228, 0], from: 76 },
  { id: 'excellent', name: 'Rất tốt', nameEn: 'Excellent', rgb: [51, 51, 255], from: 91 }
]

const LEAST = 10

interface Sub {
  readonly scale: Scale
  /** Up to and including this the sub-index is 100. */
  readonly best: number
}

const sub = (...points: readonly (readonly [number, number])[]): Sub => ({ scale: { points }, best: points[0]?.[0] ?? 0 })

/** Beyond the last break point the sub-index is 10. NO3-N, Coliform: a step after 25; the others fall to 10 on the way. */
const DESCENDING: Readonly<Record<string, Sub>> = {
  COD: sub([10, 100], [15, 75], [30, 50], [50, 25], [150, 10]),
  BOD5: sub([4, 100], [6, 75], [15, 50], [25, 25], [50, 10]),
  'PO4-P': sub([0.1, 100], [0.2, 75], [0.3, 50], [0.5, 25], [4, 10]),
  'NO3-N': sub([2, 100], [5, 75], [10, 50], [15, 25]),
  Coliform: sub([2_500, 100], [5_000, 75], [7_500, 50], [10_000, 25])
}

const AMMONIUM: Scale = {
  points: [
    [0.3, 75],
    [0.6, 50],
    [0.9, 25],
    [5, 10]
  ]
}
const OXYGEN: Scale = {
  points: [
    [20, 25],
    [50, 50],
    [75, 75],
    [88, 100],
    [112, 100],
    [125, 75],
    [150, 50],
    [200, 25]
  ]
}
const ACIDITY: Scale = {
  points: [
    [5.5, 50],
    [6, 100],
    [8.5, 100],
    [9, 50]
  ]
}
const NITRITE_LIMIT = 0.05

/** Saturation of oxygen in mg/L at a temperature in degrees Celsius (Decision 1460, from memory, high). */
export const oxygenSaturation = (temperature: number): number =>
  14.652 - 0.41022 * temperature + 0.007991 * temperature ** 2 - 0.000077774 * temperature ** 3

type Group = 'I' | 'IV' | 'V'

export interface WqiPart {
  readonly parameter: string
  readonly group: Group
  readonly value: number
  readonly index: number
}

/** Why there is no index. */
export type WqiGap = 'group-iv-missing' | 'fewer-than-two-groups'

export interface Wqi {
  readonly value: number | null
  readonly band: Band | null
  readonly parts: readonly WqiPart[]
  readonly groups: readonly Group[]
  readonly gap: WqiGap | null
}

const GROUPS: Readonly<Record<string, Group>> = {
  pH: 'I',
  ...Object.fromEntries(['DO', 'BOD5', 'COD', 'NH4', 'NO3-N', 'NO2-N', 'PO4-P'].map(code => [code, 'IV' as const])),
  Coliform: 'V'
}

/**
 * VN_WQI from values in canonical units by parameter: `I/100 x [(mean IV)^2 x mean V]^(1/3)`. Groups that are absent drop out; without group V the mean
 * of IV stands alone, as the field has it. Group IV and two groups in all are needed (software disagrees on which is mandatory). Groups II and
 * III (pesticides, metals) are not here: their break points were not found. Oxygen needs the water's temperature.
 */
export function wqi(values: ReadonlyMap<string, number>): Wqi {
  const parts = Object.entries(GROUPS).flatMap(([parameter, group]): WqiPart[] => {
    const value = values.get(parameter)
    const index = value === undefined ? undefined : wqiSubIndex(parameter, value, values.get('Temp'))
    return value === undefined || index === undefined ? [] : [{ parameter, group, value, index }]
  })
  const groups = [...new Set(parts.map(({ group }) => group))]
  const gap = !groups.includes('IV') ? 'group-iv-missing' : groups.length < 2 ? 'fewer-than-two-groups' : null
  if (gap) return { value: null, band: null, parts, groups, gap }
  const mean = (group: Group): number | undefined => {
    const indices = parts.filter(part => part.group === group).map(({ index }) => index)
    return indices.length > 0 ? indices.reduce((sum, index) => sum + index, 0) / indices.length : undefined
  }
  const [first, fourth, fifth] = [mean('I') ?? 100, mean('IV') ?? 0, mean('V')]
  const value = halfUp((first / 100) * (fifth === undefined ? fourth : Math.cbrt(fourth ** 2 * fifth)))
  return { value, band: bandIn(WQI_BANDS, value) ?? null, parts, groups, gap: null }
}

/** Sub-index of one parameter, 10 to 100; undefined for one that the index does not know, and for oxygen without a temperature. */
export function wqiSubIndex(parameter: string, value: number, temperature?: number): number | undefined {
  if (parameter === 'pH') return value < 5.5 || value > 9 ? LEAST : indexOn(ACIDITY, value)
  if (parameter === 'NO2-N') return value <= NITRITE_LIMIT ? 100 : LEAST
  if (parameter === 'NH4') return value < 0.3 ? 100 : (indexOn(AMMONIUM, value) ?? LEAST)
  if (parameter === 'DO') return temperature === undefined ? undefined : oxygenIndex((value / oxygenSaturation(temperature)) * 100)
  const found = DESCENDING[parameter]
  if (!found) return undefined
  return value <= found.best ? 100 : (indexOn(found.scale, value) ?? LEAST)
}

/** Of the share of saturation in percent. One source puts exactly 20 and 200 at 10: both ends are a step. */
export const oxygenIndex = (percent: number): number => (percent <= 20 || percent >= 200 ? LEAST : (indexOn(OXYGEN, percent) ?? LEAST))
