import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { DAY, formatInstant, HOUR, MINUTE, VIETNAM_OFFSET } from '#libs/model'
import { eventually, TestServer } from './server.js'

const STATION = 'AG-KCN-BINHHOA-01'
/** Midnight of UTC+7, four days ago: hours, and days, that are closed. */
const MIDNIGHT = Math.floor((Date.now() + VIETNAM_OFFSET) / DAY) * DAY - VIETNAM_OFFSET - 4 * DAY

type Row = Record<string, unknown>

describe('aggregates over the API', () => {
  let server: TestServer
  let feed: string
  let reader: string

  beforeAll(async () => {
    server = await TestServer.start()
    feed = await server.ops('token', 'add', 'feed', '--role', 'ingest')
    reader = await server.ops('token', 'add', 'eye', '--role', 'reader')
  }, 60_000)
  afterAll(() => server.dispose())

  const post = async (readings: readonly { at: number; readings: Row }[]): Promise<void> => {
    const answer = await server.request('POST', `/api/v1/readings/${STATION}`, { token: feed, body: JSON.stringify(readings) })
    expect(answer.status).toBe(202)
  }
  const get = (query: string, parameter = 'COD', headers = {}) =>
    server.get(`/api/v1/series/${STATION}/${parameter}/aggregates?${query}`, reader, headers)
  const rows = async (period: string, parameter = 'COD'): Promise<Row[]> =>
    (await get(`period=${period}&from=${MIDNIGHT - DAY}&to=${MIDNIGHT + 2 * DAY + DAY * (period === 'month' ? 40 : 0)}`, parameter)).json()
      .items
  const published = (period: string, parameter = 'COD') =>
    eventually(async () => {
      const found = await rows(period, parameter)
      return found.length > 0 && found.every(row => row['provisional'] === false || period === 'month') && found
    }, `the ${period}`)

  it('sums up hours, days and months, says how complete they are, and follows a late reading with exactly three revisions', async () => {
    const values = [...Array(12).keys()].map(n => ({ at: MIDNIGHT + (n + 1) * 5 * MINUTE, readings: { COD: 60 + n, Flow: 40 } }))
    await post([...values, { at: MIDNIGHT + 90 * MINUTE, readings: { COD: 100, Flow: 20 } }])
    const [first, second] = (await eventually(async () => {
      const found = await rows('hour')
      return found.length === 2 && found.every(row => row['provisional'] === false) && found
    }, 'two hours')) as [Row, Row]
    expect(first).toMatchObject({
      start: formatInstant(MIDNIGHT),
      end: formatInstant(MIDNIGHT + HOUR),
      received: 12,
      count: 12,
      expected: 12,
      completeness: 1,
      sufficient: true,
      mean: 65.5,
      min: 60,
      minAt: formatInstant(MIDNIGHT + 5 * MINUTE),
      max: 71,
      maxAt: formatInstant(MIDNIGHT + HOUR),
      worstFlag: 1,
      revision: 1,
      provisional: false
    })
    // Load: mean concentration times mean flow of the hour, kg.
    expect(first['sum']).toBeCloseTo((65.5 * 40) / 1_000, 12)
    expect(second).toMatchObject({ count: 1, completeness: 1 / 12, sufficient: false, mean: 100, verdict: 'exceeds', exceedanceMinutes: 5 })
    const [day] = (await published('day')) as [Row]
    expect(day).toMatchObject({ count: 13, expected: 288, mean: (65.5 + 100) / 2, revision: 1, verdict: expect.any(String) })
    const before = { hours: await rows('hour'), flow: await rows('hour', 'Flow'), days: await rows('day') }

    await post([{ at: MIDNIGHT + 100 * MINUTE, readings: { COD: 50 } }])
    await eventually(async () => (await rows('day'))[0]?.['revision'] === 2, 'the day’s second revision')
    const after = await rows('hour')
    expect(after[0]).toEqual(before.hours[0])
    expect(after[1]).toMatchObject({ count: 2, mean: 75, revision: 2 })
    expect(await rows('hour', 'Flow')).toEqual(before.flow)
    expect(await rows('day')).toMatchObject([{ count: 14, mean: (65.5 + 75) / 2, revision: 2 }])

    // A late flow changes the load of its hour.
    await post([{ at: MIDNIGHT + 100 * MINUTE, readings: { Flow: 40 } }])
    await eventually(async () => (await rows('day'))[0]?.['revision'] === 3, 'the day’s third revision')
    expect((await rows('hour'))[0]).toEqual(before.hours[0])
    expect((await rows('hour'))[1]).toMatchObject({ mean: 75, sum: (75 * 30) / 1_000, revision: 3 })
  })

  it('takes midnight for the last hour of the day before, and leaves calibration out', async () => {
    await post([
      { at: MIDNIGHT + DAY, readings: { pH: 7 } },
      { at: MIDNIGHT + DAY + 1, readings: { pH: { value: 9, status: '01' } } },
      { at: MIDNIGHT + DAY + MINUTE, readings: { pH: 8 } }
    ])
    const days = await eventually(async () => {
      const found = await rows('day', 'pH')
      return found.length === 2 && found
    }, 'two days')
    expect(days.map(({ end, mean, received, count, sum }) => [end, mean, received, count, sum])).toEqual([
      [formatInstant(MIDNIGHT + DAY), 7, 1, 1, null],
      [formatInstant(MIDNIGHT + 2 * DAY), 8, 2, 1, null]
    ])
  })

  it('shows calibrations and faults as intervals that are out of the statistics', async () => {
    const at = (minutes: number) => MIDNIGHT + 12 * HOUR + minutes * MINUTE
    const statuses = ['00', '01', '01', '00', '02', '00']
    await post(statuses.map((status, n) => ({ at: at(5 * n), readings: { COD: { value: 70, status } } })))
    const list = (query: string) => server.get(`/api/v1/series/${STATION}/COD/status-intervals?${query}`, reader)
    const items = (await eventually(async () => {
      const found = (await list(`from=${MIDNIGHT}&to=${MIDNIGHT + DAY}`)).json().items
      return found.length === 2 && found
    }, 'two intervals')) as Row[]
    expect(items.map(({ kind, status, start, end, minutes, readings }) => [kind, status, start, end, minutes, readings])).toEqual([
      ['calibration', '01', formatInstant(at(5)), formatInstant(at(15)), 10, 2],
      ['fault', '02', formatInstant(at(20)), formatInstant(at(25)), 5, 1]
    ])
    const first = (await list('limit=1')).json()
    expect((await list(`limit=1&after=${String(first['next'])}`)).json()).toEqual({ items: [items[1]], next: null })
    expect((await list(`from=0&to=${MIDNIGHT}`)).status).toBe(400)
    expect((await server.get(`/api/v1/series/${STATION}/Chlorine/status-intervals`, reader)).status).toBe(404)
  })

  it('shows windows that are open as provisional, pages, and speaks CSV', async () => {
    await post([{ at: Date.now() - 1_000, readings: { TSS: 20 } }])
    const running = await eventually(async () => (await get('period=hour', 'TSS')).json().items[0], 'the running hour')
    expect(running).toMatchObject({ mean: 20, revision: 0, provisional: true })
    const [month] = (await get('period=month', 'TSS')).json().items
    expect(month).toMatchObject({ mean: 20, count: 1, provisional: true })

    const first = (await get('period=hour&limit=1')).json()
    const rest = (await get(`period=hour&limit=1&after=${String(first['next'])}`)).json()
    expect([first.items[0]?.['end'], rest.items[0]?.['end']]).toEqual([formatInstant(MIDNIGHT + HOUR), formatInstant(MIDNIGHT + 2 * HOUR)])
    const csv = await get('period=day', 'COD', { accept: 'text/csv' })
    const [header, line] = csv.text.split('\r\n')
    expect(header).toMatch(/^station,parameter,period,start,end,unit,received,count,expected,/)
    expect(line).toMatch(/^AG-KCN-BINHHOA-01,COD,day,/)
    expect((await get('period=week')).status).toBe(400)
  })

  it('sums up anew when an operator asks, with a running server and without one', async () => {
    const call = () =>
      server.ops('aggregates', 'recompute', STATION, 'COD', '--from', formatInstant(MIDNIGHT), '--to', formatInstant(MIDNIGHT + DAY))
    expect(await call()).toMatch(/^windows 2[56] marked/) // the month may be over
    await server.end('SIGTERM')
    // The first takes over what the server has left undone.
    expect(await call()).toMatch(/^days 1 windows [56] changed \d ms \d+$/)
    expect(await call()).toMatch(/^days 1 windows [56] changed 0 ms \d+$/)
    await expect(server.ops('aggregates', 'recompute', STATION, 'Gold', '--from', '2026-11-01')).rejects.toThrow('QT_OPS_UNKNOWN_STATION')
  })
})

describe('aggregates by the ministry’s day', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await TestServer.start({ QUANTRAC_DAY_RULE: 'hours-00-23', QUANTRAC_COMPLETENESS_HOUR: '0.08' })
  }, 60_000)
  afterAll(() => server.dispose())

  it('begin with the hour that ends at midnight, and hold the thresholds that were set', async () => {
    const [feed, reader] = [
      await server.ops('token', 'add', 'feed', '--role', 'ingest'),
      await server.ops('token', 'add', 'eye', '--role', 'reader')
    ]
    const at = [MIDNIGHT - HOUR, MIDNIGHT - HOUR + 1, MIDNIGHT, MIDNIGHT + 1, MIDNIGHT + 23 * HOUR, MIDNIGHT + 23 * HOUR + 1]
    const readings = at.map((instant, n) => ({ at: instant, readings: { COD: n } }))
    await server.request('POST', `/api/v1/readings/${STATION}`, { token: feed, body: JSON.stringify(readings) })
    const list = async (period: string): Promise<Row[]> =>
      (await server.get(`/api/v1/series/${STATION}/COD/aggregates?period=${period}`, reader)).json().items
    const days = await eventually(async () => {
      const found = await list('day')
      return found.length === 3 && found.every(row => row['provisional'] === false) && found
    }, 'three days')
    expect(days.map(({ start, end, count }) => [start, end, count])).toEqual(
      [-1, 0, 1].map(day => [
        formatInstant(MIDNIGHT + day * DAY - HOUR),
        formatInstant(MIDNIGHT + day * DAY + 23 * HOUR),
        [1, 4, 1][day + 1]
      ])
    )
    expect((await list('hour')).map(({ count, sufficient }) => [count, sufficient])).toEqual([1, 2, 1, 1, 1].map(count => [count, true]))
  })
})
