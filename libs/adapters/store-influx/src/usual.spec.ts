import { expect, it } from '@jest/globals'
import { usualUnit } from './usual.js'

/** As points in InfluxDB have been written: a row may be added, none may change. */
const WRITTEN = {
  Flow: 'm3/h',
  Temp: 'oC',
  Color: 'Pt-Co',
  pH: '-',
  TSS: 'mg/L',
  COD: 'mg/L',
  BOD5: 'mg/L',
  NH4: 'mg/L',
  TN: 'mg/L',
  TP: 'mg/L',
  TOC: 'mg/L',
  Cl: 'mg/L',
  DO: 'mg/L',
  NH3: 'mg/L',
  WaterLevel: 'm',
  Rain: 'mm',
  EC: 'mS/cm',
  Salinity: 'g/L',
  SoilMoisture: '%',
  WaterDepth: 'cm',
  'PM2,5': 'ug/m3',
  PM10: 'ug/m3'
}

it('a point without a unit keeps the one that it was written with', () => {
  for (const [parameter, unit] of Object.entries(WRITTEN)) expect([parameter, usualUnit(parameter)]).toEqual([parameter, unit])
})
