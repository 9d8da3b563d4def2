import type { Millis } from './instant.js'

/** How a reading came in. Told apart in the ledger; never part of a reading's identity. */
export type Road = 'mqtt' | 'http' | 'file'

/**
 * QARTOD flag of a reading: 1 pass, 2 not evaluated, 3 suspect, 4 fail, 9 missing
 * (U.S. IOOS QARTOD; regulations.md 7.1). It stands beside the sensor's status, never instead of it.
 */
export type Flag = 1 | 2 | 3 | 4 | 9

/** Why a reading has its flag: named reasons, in the order in which they were found. */
export type FlagReason =
  | 'clock-ahead' // `at` more than 5 minutes ahead of the server
  | 'out-of-range' // outside what the parameter or the sensor can measure
  | 'calibration' // status 01
  | 'device-fault' // status 02
  | 'status-other' // status 03 and above: a maker's own, not in Circular 10/2021
  | 'status-assumed' // no status sent; 00 assumed (the ministry's practice, regulations.md 1.4)
  | 'unit-converted' // another known unit was sent; `reported` keeps what came

export const FLAG_REASONS: readonly FlagReason[] = [
  'clock-ahead',
  'out-of-range',
  'calibration',
  'device-fault',
  'status-other',
  'status-assumed',
  'unit-converted'
]

/** Sensor status of Circular 10/2021/TT-BTNMT, appendix 15: 00 measuring, 01 calibrating, 02 device error; 03–99 a maker's own. */
export type SensorStatus = string
export const MEASURING: SensorStatus = '00'
export const CALIBRATING: SensorStatus = '01'
export const DEVICE_FAULT: SensorStatus = '02'

/** One value of one parameter of one station at one instant. Its identity is (station, parameter, at). */
export interface Reading {
  readonly station: string
  readonly parameter: string
  readonly at: Millis
  /** In `unit`, the profile's unit of the parameter. Always finite. */
  readonly value: number
  readonly unit: string
  readonly status: SensorStatus
  readonly flag: Flag
  readonly flags: readonly FlagReason[]
  /** A higher revision replaces a lower one; 0 unless the station says otherwise. 0..65535. */
  readonly revision: number
  readonly receivedAt: Millis
  readonly road: Road
  /** What the station sent, where its unit was another one. */
  readonly reported?: { readonly value: number; readonly unit: string }
}

/** A reading may take part in statistics and alarms when it was measured (00), is sound enough (1, 2, 3) and not ahead of time. */
export function isUsable(reading: Pick<Reading, 'status' | 'flag' | 'flags'>): boolean {
  return reading.status === MEASURING && reading.flag <= 3 && !reading.flags.includes('clock-ahead')
}

/** A series is one parameter of one station. */
export interface SeriesKey {
  readonly station: string
  readonly parameter: string
}

/** Text form of a series' key, usable as a map key: neither part may hold a slash. */
export const seriesId = (key: SeriesKey): string => `${key.station}/${key.parameter}`
