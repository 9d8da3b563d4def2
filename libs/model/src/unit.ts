/** Units by dimension: `value in base = value x scale + offset`. Keys are as loggers write them (appendix 15 of Circular 10/2021). */
interface Unit {
  readonly dimension: string
  readonly scale: number
  readonly offset: number
}

const unit = (dimension: string, scale = 1, offset = 0): Unit => ({ dimension, scale, offset })

export const UNITS: Readonly<Record<string, Unit>> = {
  '-': unit('none'),
  'mg/L': unit('mass-per-volume'),
  'g/L': unit('mass-per-volume', 1_000),
  'ug/L': unit('mass-per-volume', 1e-3),
  'mg/m3': unit('mass-per-volume', 1e-3),
  'ug/m3': unit('mass-per-volume', 1e-6),
  'kg/m3': unit('mass-per-volume', 1_000),
  'm3/h': unit('volume-flow'),
  'm3/s': unit('volume-flow', 3_600),
  'm3/d': unit('volume-flow', 1 / 24),
  'L/s': unit('volume-flow', 3.6),
  oC: unit('temperature'),
  K: unit('temperature', 1, -273.15),
  'Pt-Co': unit('colour'),
  m: unit('length'),
  cm: unit('length', 0.01),
  mm: unit('length', 0.001),
  'mS/cm': unit('conductivity'),
  'uS/cm': unit('conductivity', 0.001),
  'dS/m': unit('conductivity'),
  'S/m': unit('conductivity', 10),
  '%': unit('share'),
  'm/s': unit('speed'),
  'km/h': unit('speed', 1 / 3.6),
  deg: unit('angle'),
  kPa: unit('pressure'),
  hPa: unit('pressure', 0.1),
  'MPN/100mL': unit('count-per-volume'),
  'CFU/100mL': unit('count-per-volume'),
  'Bq/L': unit('activity-per-volume')
}

/** Other spellings of a unit that loggers use. */
const SPELLINGS: Readonly<Record<string, string>> = {
  '°C': 'oC',
  C: 'oC',
  'mg/l': 'mg/L',
  'g/l': 'g/L',
  'ug/l': 'ug/L',
  'µg/L': 'ug/L',
  'µg/l': 'ug/L',
  'µg/m3': 'ug/m3',
  'µg/m³': 'ug/m3',
  ppt: 'g/L',
  '‰': 'g/L',
  'm³/h': 'm3/h',
  'm³/s': 'm3/s',
  'm³/d': 'm3/d',
  'l/s': 'L/s',
  'µS/cm': 'uS/cm',
  '°': 'deg',
  mbar: 'hPa',
  pH: '-',
  '': '-'
}

// Two characters that look the same; keyboards and loggers send either.
const MICRO_SIGN = '\u00b5'
const GREEK_MU = '\u03bc'

/** The unit's canonical spelling, or undefined for a unit that nobody knows. */
export function canonicalUnit(text: string): string | undefined {
  if (Object.hasOwn(UNITS, text)) return text
  const spelled = text.replace(GREEK_MU, MICRO_SIGN)
  return Object.hasOwn(SPELLINGS, spelled) ? SPELLINGS[spelled] : undefined
}

/** `value` of unit `from` in unit `to`; undefined when the two measure different things or one is unknown. Both canonical. */
export function convert(value: number, from: string, to: string): number | undefined {
  if (from === to) return value
  const source = Object.hasOwn(UNITS, from) ? UNITS[from] : undefined
  const target = Object.hasOwn(UNITS, to) ? UNITS[to] : undefined
  if (!source || !target || source.dimension !== target.dimension) return undefined
  return (value * source.scale + source.offset - target.offset) / target.scale
}
