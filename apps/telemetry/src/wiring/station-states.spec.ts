import { beforeAll, describe, expect, it } from '@jest/globals'
import type { Aggregate } from '#libs/aggregates'
import type { Reading, Station } from '#libs/model'
import { HOUR, MINUTE } from '#libs/model'
import type { AggregateQuery, Standards } from '#libs/pipeline'
import { plainReading } from '#libs/testkit'
import { exampleProvince } from '../../test/example-province.js'
import { StationStates } from './station-states.js'

const AIR = 'AG-KK-LONGXUYEN-01'
const NOW = Date.UTC(2026, 10, 25, 5)
/** Midnight of UTC+7, and noon. */
const [DAY_END, HOUR_END] = [NOW - 12 * HOUR, NOW]

describe('the state of a station', () => {
  let standards: Standards
  let byCode: ReadonlyMap<string, Station>
  beforeAll(async () => {
    const province = await exampleProvince()
    standards = province.standards
    byCode = new Map(province.stations.map(station => [station.code, station]))
  })

  const stateOf = async (code: string, readings: readonly Reading[], means: readonly Partial<Aggregate>[] = []) => {
    const find = async (query: AggregateQuery) =>
      means.filter(
        mean =>
          mean.period === query.period &&
          mean.parameter === query.parameter &&
          Number(mean.end) > query.from &&
          Number(mean.end) <= query.to
      ) as Aggregate[]
    const alarms = { list: async () => ({ items: [], next: null }) } as unknown as ConstructorParameters<typeof StationStates>[0]['alarms']
    const states = new StationStates({
      standards,
      aggregates: { find },
      newest: { latest: async () => [...readings] },
      alarms,
      clock: () => NOW
    })
    const station = byCode.get(code)
    if (!station) throw new Error(code)
    return (await states.of([station]))(station)
  }
  const dust = plainReading({ station: AIR, parameter: 'PM2,5', unit: 'ug/m3', value: 400, at: NOW - MINUTE })
  const mean = (period: 'hour' | 'day', end: number, value: number) => ({
    station: AIR,
    period,
    parameter: 'PM2,5',
    end,
    mean: value,
    unit: 'ug/m3'
  })

  it('follows its newest reading where the law limits readings', async () => {
    const cod = (value: number) => [plainReading({ station: 'AG-KCN-BINHHOA-01', at: NOW - MINUTE, value })]
    expect(await stateOf('AG-KCN-BINHHOA-01', cod(40))).toBe('good')
    expect(await stateOf('AG-KCN-BINHHOA-01', cod(400))).toBe('exceeds')
  })

  it('follows the newest published means where the law limits nothing else', async () => {
    expect(await stateOf(AIR, [dust], [mean('day', DAY_END, 20)])).toBe('good')
    // 45 ug/m3 of the day since 2026 (QCVN 05:2023).
    expect(await stateOf(AIR, [dust], [mean('day', DAY_END, 48)])).toBe('exceeds')
    expect(await stateOf(AIR, [dust], [mean('hour', HOUR_END, 48)])).toBe('unknown')
  })

  it('is unknown where the last mean is an old one', async () => {
    expect(await stateOf(AIR, [dust], [mean('day', DAY_END - 72 * HOUR, 20)])).toBe('unknown')
    expect(await stateOf(AIR, [dust])).toBe('unknown')
  })
})
