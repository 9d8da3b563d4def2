import { InfluxDB } from '@influxdata/influxdb-client'
import { BucketsAPI, OrgsAPI } from '@influxdata/influxdb-client-apis'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Alarm, AlarmTransition } from '#libs/pipeline'
import type { InfluxServer } from '#libs/test-servers'
import { described, startInflux } from '#libs/test-servers'
import type { BoardLimit, BoardSeries, BoardStation } from './context.js'
import { InfluxContext } from './context.js'

const BUCKET = `context-spec-${process.pid}`
const found = await startInflux()

described(describe, { kind: 'influx', name: 'what boards need, in a real InfluxDB', found }, (server: InfluxServer) => {
  const { url, org, token } = server
  let influx: InfluxDB
  let context: InfluxContext

  beforeAll(async () => {
    influx = new InfluxDB(server)
    context = new InfluxContext({ ...server, bucket: BUCKET })
    const { orgs = [] } = await new OrgsAPI(influx).getOrgs({ org })
    await new BucketsAPI(influx).postBuckets({
      body: { orgID: orgs[0]?.id ?? '', name: `${BUCKET}-context`, retentionRules: [] }
    })
  })
  afterAll(() => server.dispose())

  const rows = (measurement: string): Promise<Record<string, unknown>[]> =>
    influx.getQueryApi(org).collectRows(`from(bucket: "${BUCKET}-context") |> range(start: 0, stop: 2100-01-01T00:00:00Z)
      |> filter(fn: (r) => r._measurement == "${measurement}") |> drop(columns: ["_start", "_stop", "_measurement"])
      |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value") |> group() |> drop(columns: ["table", "result"])`)
  const seen = async (measurement: string, ...columns: string[]) =>
    (await rows(measurement)).map(row => columns.map(column => row[column])).sort()

  it('replaces the registry: what left it is gone, what changed is new', async () => {
    await context.writeStations([station('AG-1', 'Bình Hòa, "cũ" \\'), station('AG-2', 'Bình Long')])
    await context.writeStations([station('AG-1', 'Bình Hòa'), station('AG-3', 'Xuân Tô')])
    expect(await seen('station', 'station', 'name', 'zone', 'lat', 'expected_seconds')).toEqual([
      ['AG-1', 'Bình Hòa', 'KCN = 1, 2', 10.5, 300],
      ['AG-3', 'Xuân Tô', 'KCN = 1, 2', 10.5, 300]
    ])
    await context.writeSeries([series('AG-1', 'PM2,5'), series('AG-1', 'COD')])
    await context.writeSeries([series('AG-1', 'PM2,5')])
    expect(await seen('series', 'station', 'parameter', 'unit', 'limits')).toEqual([['AG-1', 'PM2,5', 'mg/L', 1]])
  })

  it('leaves no bound behind that a limit had before', async () => {
    await context.writeLimits([limit('r1', { low: 6, high: 9 }), limit('r2', { high: 4 })])
    await context.writeLimits([limit('r1', { high: 9 }), limit('r2', { high: 5 })])
    expect(await seen('limit', 'rule', 'low', 'high')).toEqual([
      ['r1', undefined, 9],
      ['r2', undefined, 5]
    ])
  })

  it('keeps one point for the same transition, and two for two of one instant', async () => {
    const at = Date.UTC(2026, 10, 24, 3)
    const recorded = ['COD', 'TSS', 'NH4'].map((parameter, i) => ({ position: i + 1, transition: raised(parameter, at) }))
    await context.writeTransitions(recorded)
    await context.writeTransitions(recorded)
    const points = await rows('alarm')
    expect(points.map(({ parameter }) => parameter).sort()).toEqual(['COD', 'NH4', 'TSS'])
    for (const { _time } of points) expect(Date.parse(String(_time))).toBe(at)
    expect(points[0]).toMatchObject({ station: 'AG-1', transition: 'raised', severity: 'exceeds', value: 95, limit: 90, unit: 'mg/L' })
  })

  it('keeps each state at its instant', async () => {
    const at = Date.UTC(2026, 10, 24, 3)
    await context.writeStates([])
    await context.writeStates([
      { station: 'AG-1', state: 'good', at },
      { station: 'AG-1', state: 'no-limit', at: at + 1 }
    ])
    expect(await seen('station_state', 'station', 'state', 'code')).toEqual([
      ['AG-1', 'good', 0],
      ['AG-1', 'no-limit', 7]
    ])
  })

  it.each([
    ['nobody answers', { url: 'http://127.0.0.1:9', token: 'x', bucket: BUCKET }],
    ['the token is wrong', { url, token: 'wrong-token', bucket: BUCKET }],
    ['there is no such bucket', { url, token, bucket: 'none' }]
  ])('says by its code that it failed, and never by the token: %s', async (_why, settings) => {
    const broken = new InfluxContext({ org, timeoutMs: 2_000, ...settings })
    for (const call of [
      () => broken.writeStates([{ station: 'AG-1', state: 'good', at: 1 }]),
      () => broken.writeLimits([limit('r', { high: 1 })])
    ]) {
      const error = await call().catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'QT_INFLUX_CONTEXT' })
      expect(String(error)).not.toContain(settings.token === 'x' ? 'Token' : settings.token)
    }
  })
})

const station = (code: string, name: string): BoardStation => ({
  code,
  name,
  kind: 'wastewater',
  profile: 'discharge-monitor',
  zone: 'KCN = 1, 2',
  agency: 'Sở',
  position: { longitude: 105, latitude: 10.5 },
  parameters: ['COD'],
  example: true,
  expectedSeconds: 300
})
const series = (code: string, parameter: string): BoardSeries => ({ station: code, parameter, name: 'x', unit: 'mg/L', limits: 1 })
const limit = (rule: string, bounds: Partial<BoardLimit>): BoardLimit => ({
  station: 'AG-1',
  parameter: 'pH',
  rule,
  unit: '-',
  source: 'Ví dụ',
  low: null,
  lowPreparing: null,
  lowTendency: null,
  highTendency: null,
  highPreparing: null,
  high: null,
  ...bounds
})
function raised(parameter: string, at: number): AlarmTransition {
  const alarm: Alarm = {
    id: `AG-1.${parameter}.r.20261124T030000Z`,
    kind: 'limit',
    station: 'AG-1',
    parameter,
    rule: 'r',
    severity: 'exceeds',
    state: 'unacknowledged-active',
    value: 95,
    limit: 90,
    unit: 'mg/L',
    raisedAt: at,
    clearedAt: null,
    acknowledgedAt: null,
    acknowledgedBy: null,
    comment: null,
    source: 'Ví dụ'
  }
  return { id: `${alarm.id}.raised`, kind: 'raised', at, alarm, level: 'exceeds' }
}
