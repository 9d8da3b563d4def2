import type { Road } from '#libs/model'

/** Roads by their number in a head of version 1. A new one is added at the end. */
export const ROADS: readonly Road[] = ['mqtt', 'http', 'file']

/**
 * Words that a head of version 1 writes as one byte: symbols, units and reasons as they were when the format was made.
 * Part of the format: never changed. A word that is not here is written out, so the model may grow without it.
 */
export const WORDS: readonly string[] = [
  ...['Flow', 'Temp', 'Color', 'pH', 'TSS', 'COD', 'BOD5', 'NH4', 'TN', 'TP', 'TOC', 'Cl', 'DO', 'NH3', 'WaterLevel', 'Rain', 'EC'],
  ...['Salinity', 'SoilMoisture', 'WaterDepth', 'PM2,5', 'PM10'],
  ...['-', 'mg/L', 'g/L', 'ug/L', 'mg/m3', 'ug/m3', 'kg/m3', 'm3/h', 'm3/s', 'm3/d', 'L/s', 'oC', 'K', 'Pt-Co', 'm', 'cm', 'mm'],
  ...['mS/cm', 'uS/cm', 'dS/m', 'S/m', '%'],
  ...['unknown-parameter', 'unknown-unit', 'not-a-number', 'wrong-status', 'bad-revision', 'bad-instant', 'no-zone', 'wrong-shape'],
  'wrong-station',
  ...['clock-ahead', 'out-of-range', 'calibration', 'device-fault', 'status-other', 'status-assumed', 'unit-converted']
]
