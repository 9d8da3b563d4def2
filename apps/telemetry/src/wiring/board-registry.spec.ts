import { beforeAll, describe, expect, it } from '@jest/globals'
import { exampleProvince } from '../../test/example-province.js'
import { boardRegistry } from './board-registry.js'
import { Stations } from './stations.js'

const NOW = Date.UTC(2026, 10, 24)

describe('what boards are told of the example registry', () => {
  let told: ReturnType<typeof boardRegistry>
  beforeAll(async () => {
    const { registry, standards } = await exampleProvince()
    told = boardRegistry(new Stations(registry), standards.rules, NOW)
  })
  const limitOf = (station: string, rule: string) => told.limits.find(limit => limit.station === station && limit.rule === rule)
  const seriesOf = (station: string, parameter: string) =>
    told.series.find(series => series.station === station && series.parameter === parameter)

  it('has every station with its interval, and every series with its unit', () => {
    expect(told.stations).toHaveLength(25)
    const slow = told.stations.filter(({ expectedSeconds }) => expectedSeconds !== 300)
    expect(slow.map(({ profile, expectedSeconds }) => [profile, expectedSeconds])).toEqual([
      ['bank-monitor', 600],
      ['weather-station', 600],
      ['bank-monitor', 600]
    ])
    expect(told.series).toHaveLength(told.stations.reduce((sum, { parameters }) => sum + parameters.length, 0))
    expect(seriesOf('AG-TV-TANCHAU-01', 'Flow')).toMatchObject({ unit: 'm3/s', name: 'Lưu lượng', limits: 0 })
  })

  it('shows bounds as the rule has them, without the tolerance of the thresholds', () => {
    expect(limitOf('AG-KCN-BINHHOA-01', 'effluent-cod')).toMatchObject({
      high: 90,
      highPreparing: 81,
      highTendency: 72,
      low: null,
      lowTendency: null
    })
    expect(limitOf('AG-KCN-BINHHOA-01', 'effluent-ph')).toMatchObject({
      low: 6,
      lowPreparing: 6.15,
      lowTendency: 6.3,
      highTendency: 8.7,
      highPreparing: 8.85,
      high: 9
    })
    expect(limitOf('AG-CA-CHAUPHU-01', 'pond-oxygen')).toMatchObject({ low: 2, lowTendency: 2.5, high: null, highTendency: null })
    expect(limitOf('AG-KCN-BINHHOA-01', 'effluent-temperature')).toMatchObject({ high: 40, highTendency: null, highPreparing: null })
  })

  it('gives limits in the unit of the readings', () => {
    // The rule says 3 dS/m, the sensor reports mS/cm: the same number, another name.
    expect(limitOf('AG-LUA-THOAISON-01', 'rice-ec')).toMatchObject({ unit: 'mS/cm', high: 3 })
  })

  it('counts the limits of a series, and has none where no rule applies', () => {
    expect(seriesOf('AG-MAN-CAILON-01', 'Salinity')?.limits).toBe(2)
    expect(seriesOf('AG-TV-VAMNAO-01', 'WaterLevel')?.limits).toBe(0)
    expect(told.limits.some(({ station }) => station === 'AG-TV-VAMNAO-01')).toBe(false)
  })
})
