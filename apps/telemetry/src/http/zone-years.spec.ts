import { beforeAll, describe, expect, it } from '@jest/globals'
import type { Aggregate } from '#libs/aggregates'
import { ZoneSettings } from '#libs/dqi'
import type { Station } from '#libs/model'
import { DAY, VIETNAM_OFFSET } from '#libs/model'
import type { AggregateQuery, Standards } from '#libs/pipeline'
import { exampleProvince } from '../../test/example-province.js'
import { ZoneYears } from './zone-years.js'

const NEW_YEAR = Date.UTC(2026, 0, 1) - VIETNAM_OFFSET
/** Ten days of the year are over. */
const NOW = NEW_YEAR + 10 * DAY + 1
const STATION = 'AG-KCN-BINHHOA-01'

interface Day {
  readonly station: string
  readonly parameter: string
  readonly n: number
  readonly mean: number
  readonly completeness?: number
}

const dayOf = ({ station, parameter, n, mean, completeness = 1 }: Day): Aggregate =>
  ({ station, parameter, period: 'day', end: NEW_YEAR + n * DAY, mean, unit: 'mg/L', completeness }) as Aggregate

describe('the year of an industrial zone', () => {
  let standards: Standards
  let all: readonly Station[]
  beforeAll(async () => {
    const province = await exampleProvince()
    standards = province.standards
    all = province.stations
  })
  const zoneOf = async (days: readonly Day[], station = STATION) => {
    const published = days.map(dayOf)
    const find = async (query: AggregateQuery) =>
      published.filter(
        day => day.station === query.station && day.parameter === query.parameter && day.end > query.from && day.end <= query.to
      )
    const stations = { all: all.filter(({ code, kind }) => code === station || kind !== 'wastewater') }
    const years = new ZoneYears({ stations, aggregates: { find }, standards, settings: ZoneSettings.parse({}), clock: () => NOW })
    const { zones, ...rest } = await years.of(2026)
    expect(zones).toHaveLength(1)
    return { ...rest, zone: zones[0], station: zones[0]?.stations[0] }
  }
  const tenDays = (day: Omit<Day, 'n'>): Day[] => Array.from({ length: 10 }, (_, n) => ({ ...day, n: n + 1 }))
  const calm = { station: STATION, parameter: 'COD', mean: 40 }

  it('met the standard where every day did, and what no text limits decides nothing', async () => {
    const found = await zoneOf([...tenDays(calm), ...tenDays({ ...calm, parameter: 'Flow', mean: 9_999 })])
    expect(found).toMatchObject({ met: 1, share: 1, completeness: 1, atLeast: 1 })
    expect(found.zone).toMatchObject({ zone: 'KCN Bình Hòa', state: 'met', gap: null })
    expect(found.station).toMatchObject({ daysExpected: 10, daysEvaluated: 10, daysExceeding: 0, completeness: 1 })
  })

  it('did not with one day above a limit', async () => {
    const found = await zoneOf([...tenDays(calm), { ...calm, parameter: 'TSS', n: 3, mean: 500 }])
    expect(found).toMatchObject({ notMet: 1, share: 0, station: { state: 'not-met', daysExceeding: 1 } })
  })

  it('cannot be assessed on too few days, nor where no text binds the station', async () => {
    expect(await zoneOf(tenDays(calm).slice(0, 5))).toMatchObject({ share: null, zone: { state: 'not-assessable', gap: 'incomplete' } })
    const unbound = standards.law.spanAt('AG-CCN-MYQUY-01', 'COD', NOW)
    expect(unbound.gap).not.toBeNull()
    const found = await zoneOf(tenDays({ ...calm, station: 'AG-CCN-MYQUY-01' }), 'AG-CCN-MYQUY-01')
    expect(found).toMatchObject({ notAssessable: 1, zone: { gap: 'no-limit' }, station: { daysWithoutLimit: 10 } })
  })
})
