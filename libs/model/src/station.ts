import type { Millis } from './instant.js'
import { HOUR, MINUTE } from './instant.js'

/**
 * What a station watches. The first five are the ministry's station types 0–4 (regulations.md 1.6); the others are
 * the province's own networks.
 */
export const STATION_KINDS = [
  'wastewater',
  'surface-water',
  'groundwater',
  'stack',
  'ambient-air',
  'hydrology',
  'salinity',
  'field',
  'pond',
  'weather',
  'bank'
] as const
export type StationKind = (typeof STATION_KINDS)[number]

/** Station code as on the wire: 2 to 48 characters, capital letters, digits, `_` and `-`, beginning with a letter or digit. */
export const STATION_CODE = /^[A-Z0-9][A-Z0-9_-]{1,47}$/

/** Longitude and latitude in degrees, WGS 84. */
export interface Position {
  readonly longitude: number
  readonly latitude: number
}

/** From when on a calibration (status 01) is put before a person. */
export interface CalibrationTerms {
  /** A calibration that begins so soon after a measured exceedance. */
  readonly near: Millis
  readonly longest: Millis
  /** More than so many in 24 hours. */
  readonly perDay: number
}

/** Where a station has no setting of its own [inferred: nothing is said in the law]. */
export const CALIBRATION_TERMS: CalibrationTerms = { near: 30 * MINUTE, longest: 4 * HOUR, perDay: 4 }

/** What holds for a station: its own settings, and the others. */
export const calibrationTermsOf = (station: Pick<Station, 'calibration'> | undefined): CalibrationTerms => ({
  ...CALIBRATION_TERMS,
  ...station?.calibration
})

export interface Station {
  readonly code: string
  readonly name: string
  readonly nameEn?: string
  readonly kind: StationKind
  /** Name of a folder under `devices/`. */
  readonly profile: string
  /** Industrial zone, river or commune to which the station belongs. */
  readonly zone: string
  /** The body that answers for the station. */
  readonly agency: string
  readonly position: Position
  /** Parameters that the station measures: a subset of its profile's, in the profile's order. */
  readonly parameters: readonly string[]
  /** Missing: `CALIBRATION_TERMS`. */
  readonly calibration?: Partial<CalibrationTerms>
  /** True for stations that only show how a registry is written. */
  readonly example: boolean
}

/**
 * Whole state of a station as the ministry names it (regulations.md 1.6: GOOD, TENDENCY, PREPARING, EXCEED, OFFLINE,
 * ADJUSTING, SENSOR_ERROR), with `no-limit` where no limit was loaded and `unknown` before the first reading.
 */
export type StationState = 'good' | 'tendency' | 'preparing' | 'exceeds' | 'offline' | 'adjusting' | 'fault' | 'no-limit' | 'unknown'
