import { describe, expect, it } from '@jest/globals'
import type { Flag, FlagReason } from './index.js'
import { CALIBRATING, DEVICE_FAULT, findParameter, isUsable, MEASURING, PARAMETERS, STATION_CODE, seriesId } from './index.js'

describe('parameters', () => {
  it('are found by their symbol exactly as written', () => {
    expect(findParameter('COD')?.unit).toBe('mg/L')
    expect(findParameter('PM2,5')?.unit).toBe('ug/m3')
    for (const code of ['cod', 'PM2.5', '', '__proto__', 'constructor']) expect(findParameter(code)).toBeUndefined()
  })

  it('have one symbol each, two names and a range', () => {
    expect(new Set(PARAMETERS.map(p => p.code)).size).toBe(PARAMETERS.length)
    for (const { code, name, nameEn, possible } of PARAMETERS) {
      expect(code).not.toContain('/') // a series' key is station/parameter
      expect(name && nameEn).toBeTruthy()
      expect(possible.min).toBeLessThan(possible.max)
    }
  })

  it('cover the parameters of the device types', () => {
    const used =
      'Flow pH Temp Color COD TSS NH4 WaterLevel Rain EC Salinity SoilMoisture WaterDepth DO NH3 RH WindSpeed WindDirection Displacement Tilt PorePressure'.split(
        ' '
      )
    expect(used.filter(code => !findParameter(code))).toEqual([])
  })
})

describe('isUsable', () => {
  const reading = (status: string, flag: Flag, flags: FlagReason[] = []): boolean => isUsable({ status, flag, flags })

  it('takes measured values, converted and assumed ones too', () => {
    expect(reading(MEASURING, 1)).toBe(true)
    expect(reading(MEASURING, 1, ['status-assumed', 'unit-converted'])).toBe(true)
    expect(reading(MEASURING, 2)).toBe(true)
    expect(reading(MEASURING, 3)).toBe(true)
  })

  it('leaves out calibration, faults, failed values and those ahead of time', () => {
    expect(reading(CALIBRATING, 4, ['calibration'])).toBe(false)
    expect(reading(DEVICE_FAULT, 4, ['device-fault'])).toBe(false)
    expect(reading('03', 1)).toBe(false)
    expect(reading(MEASURING, 4, ['out-of-range'])).toBe(false)
    expect(reading(MEASURING, 9)).toBe(false)
    expect(reading(MEASURING, 3, ['clock-ahead'])).toBe(false)
  })
})

describe('stations', () => {
  it.each(['AG-KCN-BINHHOA-01', 'A1', '0_', 'X'.repeat(48)])('may be called %s', code => expect(STATION_CODE.test(code)).toBe(true))

  it.each(['A', 'ag-01', '-AG', 'AG/01', 'AG+', 'AG#', 'ÁG-01', 'AG 01', 'AG-01\n', 'X'.repeat(49), ''])('may not be called %j', code => {
    expect(STATION_CODE.test(code)).toBe(false)
  })

  it('make a series with a parameter', () => expect(seriesId({ station: 'AG-01', parameter: 'COD' })).toBe('AG-01/COD'))
})
