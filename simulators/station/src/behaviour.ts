import { convert, findParameter, type StationKind } from '#libs/model'

/**
 * How a quantity goes through the day, in the model's unit of the parameter. `value = level + daily + tide + drift +
 * noise`, held within `least` and `most`.
 */
export interface Behaviour {
  readonly level: number
  /** Half the daily range, greatest at `peakHour` (UTC+7). */
  readonly daily: number
  readonly peakHour: number
  /** Half the range of the tide M2. */
  readonly tide: number
  /** Half the range of the slow drift. */
  readonly drift: number
  readonly noise: number
  readonly least: number
  readonly most: number
}

type Table = Readonly<Record<string, Behaviour>>

const of = (level: number, parts: Partial<Omit<Behaviour, 'level'>>): Behaviour => ({
  level,
  daily: 0,
  peakHour: 15,
  tide: 0,
  drift: 0,
  noise: 0,
  least: 0,
  most: Number.POSITIVE_INFINITY,
  ...parts
})

/** An industrial zone's outlet, well below column A of QCVN 40 while nothing happens (regulations.md 3.1). */
const wastewater: Table = {
  Flow: of(118, { daily: 34, peakHour: 10, drift: 8, noise: 3 }),
  pH: of(7.2, { daily: 0.1, drift: 0.1, noise: 0.04, least: 6.6, most: 7.9 }),
  Temp: of(29.4, { daily: 1.2, peakHour: 14, drift: 0.4, noise: 0.1, least: 25, most: 34 }),
  Color: of(27, { daily: 3, peakHour: 11, drift: 3, noise: 0.8 }),
  COD: of(36, { daily: 4, peakHour: 11, drift: 4, noise: 1 }),
  TSS: of(21, { daily: 3, peakHour: 11, drift: 3, noise: 0.7 }),
  NH4: of(2.1, { daily: 0.3, peakHour: 9, drift: 0.3, noise: 0.08 })
}

/** The Tien and the Hau above the salt, below flood level I of every gauge (regulations.md 5.1). */
const hydrology: Table = {
  WaterLevel: of(1.35, { tide: 0.28, drift: 0.06, noise: 0.004, least: -0.5 }),
  Flow: of(19_800_000, { tide: 5_400_000, drift: 900_000, noise: 60_000, least: -1e8 }),
  Rain: of(0, {})
}

/** River mouths on the Rach Gia side, at the end of the wet season. */
const salinity: Table = {
  EC: of(1.05, { tide: 0.42, drift: 0.1, noise: 0.01, least: 0.1 }),
  Salinity: of(0.52, { tide: 0.22, drift: 0.05, noise: 0.005, least: 0.05 }),
  Temp: of(29.1, { daily: 0.9, peakHour: 15, drift: 0.3, noise: 0.05, least: 25, most: 34 })
}

/** A rice field under alternate wetting and drying, re-flooded before 15 cm below ground (regulations.md 5.4). */
const field: Table = {
  SoilMoisture: of(62, { daily: 2, peakHour: 6, drift: 6, noise: 0.3, least: 20, most: 95 }),
  WaterDepth: of(1.5, { daily: 0.6, peakHour: 6, drift: 3, noise: 0.1, least: -14, most: 12 }),
  EC: of(0.92, { daily: 0.04, drift: 0.08, noise: 0.01 }),
  Temp: of(28.2, { daily: 3.8, peakHour: 14, drift: 0.6, noise: 0.1, least: 20, most: 38 })
}

/** A pangasius pond: oxygen lowest before sunrise, yet above the 2 mg/L of QCVN 02-20:2014 (regulations.md 5.4). */
const pond: Table = {
  DO: of(5.6, { daily: 1.1, peakHour: 15, drift: 0.3, noise: 0.06, least: 4.1, most: 9 }),
  pH: of(7.6, { daily: 0.25, peakHour: 15, drift: 0.1, noise: 0.02, least: 7.05, most: 8.4 }),
  Temp: of(29.3, { daily: 1.4, peakHour: 15, drift: 0.4, noise: 0.05, least: 25.5, most: 31.8 }),
  NH3: of(0.018, { daily: 0.004, peakHour: 15, drift: 0.003, noise: 0.001, least: 0.002, most: 0.028 })
}

/** The north-east monsoon at the beginning of the dry season. */
const weather: Table = {
  Temp: of(27.4, { daily: 3.4, peakHour: 14, drift: 0.5, noise: 0.1, least: 19, most: 36 }),
  RH: of(78, { daily: 12, peakHour: 5, drift: 3, noise: 0.6, least: 40, most: 99 }),
  Rain: of(0, {}),
  WindSpeed: of(2.6, { daily: 1.1, peakHour: 14, drift: 0.8, noise: 0.4 }),
  WindDirection: of(48, { daily: 14, peakHour: 15, drift: 22, noise: 9, least: 0, most: 359 })
}

/** A river bank that creeps and breathes with the tide, far from giving way. */
const bank: Table = {
  Displacement: of(3.2, { tide: 0.2, drift: 0.4, noise: 0.05, least: 0 }),
  Tilt: of(0.18, { daily: 0.02, peakHour: 15, drift: 0.02, noise: 0.004, least: -1, most: 1 }),
  PorePressure: of(21, { tide: 2.4, drift: 0.8, noise: 0.1, least: 5 }),
  WaterLevel: of(1.3, { tide: 0.28, drift: 0.06, noise: 0.004, least: -0.5 }),
  Rain: of(0, {})
}

/** A residential street in the wet season, far below QCVN 05:2023 (regulations.md 4.2). */
const air: Table = {
  'PM2,5': of(21, { daily: 5, peakHour: 7, drift: 4, noise: 0.8, least: 5, most: 34 }),
  PM10: of(37, { daily: 8, peakHour: 7, drift: 5, noise: 1.2, least: 10, most: 60 }),
  O3: of(42, { daily: 26, peakHour: 14, drift: 6, noise: 1.5, least: 2, most: 95 }),
  CO: of(620, { daily: 160, peakHour: 18, drift: 70, noise: 20, least: 100, most: 1_500 }),
  SO2: of(12, { daily: 2, peakHour: 9, drift: 2, noise: 0.4, least: 1, most: 30 }),
  NO2: of(23, { daily: 7, peakHour: 18, drift: 3, noise: 0.8, least: 2, most: 45 }),
  Temp: of(27.8, { daily: 3.2, peakHour: 14, drift: 0.5, noise: 0.1, least: 20, most: 36 }),
  RH: of(77, { daily: 11, peakHour: 5, drift: 3, noise: 0.6, least: 40, most: 99 })
}

/** Rivers of An Giang in 2018: 25 to 34 degrees, pH 7 to 8, oxygen 3 to 6.5 mg/L (regulations.md 5.4, end). */
const surfaceWater: Table = {
  ...wastewater,
  COD: of(13, { drift: 2, noise: 0.4 }),
  BOD5: of(5.1, { drift: 0.5, noise: 0.1, least: 4.1, most: 5.9 }),
  TSS: of(48, { tide: 12, drift: 6, noise: 1.5, least: 5 }),
  NH4: of(0.12, { tide: 0.03, drift: 0.03, noise: 0.004, least: 0.01, most: 0.22 }),
  'NO3-N': of(0.8, { tide: 0.1, drift: 0.1, noise: 0.02, least: 0.1 }),
  'PO4-P': of(0.06, { tide: 0.01, drift: 0.01, noise: 0.002, least: 0.01 }),
  DO: of(4.8, { daily: 0.7, drift: 0.4, noise: 0.05, least: 3, most: 6.5 })
}

const byKind: Partial<Readonly<Record<StationKind, Table>>> = {
  wastewater,
  'surface-water': surfaceWater,
  hydrology,
  salinity,
  field,
  pond,
  weather,
  bank,
  'ambient-air': air
}

/**
 * The behaviour of a parameter at a kind of station; where nobody described it, of any station that measures it; where
 * nobody knows it, a steady value low in what is possible.
 */
export function behaviourOf(kind: StationKind, parameter: string): Behaviour {
  const own = byKind[kind]?.[parameter]
  if (own) return own
  const other = Object.values(byKind).find(table => table[parameter] !== undefined)
  if (other) return other[parameter] as Behaviour
  const possible = findParameter(parameter)?.possible ?? { min: 0, max: 1 }
  const level = Math.max(0, possible.min) + Math.min(10, (possible.max - possible.min) / 100)
  return of(level, { noise: level / 100 })
}

/** `value` of the model's unit in `unit`. Throws when the two do not fit: a checked profile never has such a unit. */
export function inUnit(parameter: string, value: number, unit: string): number {
  const known = findParameter(parameter)
  const converted = known && convert(value, known.unit, unit)
  if (converted === undefined) throw new TypeError(`no ${parameter} in ${unit}`)
  return converted
}
