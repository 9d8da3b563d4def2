import { InfluxDB } from '@influxdata/influxdb-client'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Aggregate, Log } from '#libs/pipeline'
import type { InfluxServer } from '#libs/test-servers'
import { described, startInflux } from '#libs/test-servers'
import { plainAggregate } from '#libs/testkit'
import { freshBuckets, type TestBuckets } from '../test/buckets.js'
import { InfluxAggregates } from './aggregates.js'

const found = await startInflux()
const HOUR = 3_600_000

described(describe, { kind: 'influx', name: 'aggregates in a real InfluxDB', found }, (server: InfluxServer) => {
  let buckets: TestBuckets
  let aggregates: InfluxAggregates
  const warned: string[] = []
  const log: Log = { info: () => {}, warn: (_, text) => warned.push(text), error: () => {} }
  const end = Math.floor(Date.now() / HOUR) * HOUR

  beforeAll(async () => {
    buckets = await freshBuckets(server, { readings: 0, hourly: 30 * 24 * HOUR })
    aggregates = new InfluxAggregates({ url: server.url, org: server.org, ...buckets, log })
  })
  afterAll(async () => {
    aggregates.close()
    await server.dispose()
  })

  const rows = async (role: string, measurement: string): Promise<Record<string, unknown>[]> =>
    new InfluxDB({ url: server.url, token: buckets.token }).getQueryApi(server.org).collectRows(`from(bucket: "${buckets.bucket}-${role}")
      |> range(start: 2000-01-01T00:00:00Z, stop: 2100-01-01T00:00:00Z) |> filter(fn: (r) => r._measurement == "${measurement}")
      |> drop(columns: ["_start", "_stop", "_measurement"]) |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value") |> group()`)
  const write = (...all: Aggregate[]) => aggregates.write(all.map(aggregate => ({ aggregate, mayHaveLost: aggregate.mean === null })))

  it('keeps hours apart from days and months, each once, with the newest revision', async () => {
    const hour = plainAggregate({ end, sum: 3.5, revision: 1 })
    await write(hour, plainAggregate({ period: 'day', end, parameter: 'PM2,5', unit: 'ug/m3' }), plainAggregate({ period: 'month', end }))
    await write({ ...hour, revision: 2, mean: -0.5 })
    expect(await rows('hourly', 'hour')).toMatchObject([
      {
        station: 'AG-017',
        parameter: 'COD',
        mean: -0.5,
        sum: 3.5,
        revision: 2,
        max_at: hour.max?.at,
        sufficient: true,
        unit: 'mg/L',
        worst_flag: 1
      }
    ])
    expect(Date.parse(String((await rows('hourly', 'hour'))[0]?.['_time']))).toBe(end)
    expect(await rows('daily', 'day')).toMatchObject([{ parameter: 'PM2,5', unit: 'ug/m3' }])
    expect(await rows('daily', 'month')).toHaveLength(1)
  })

  it('leaves no figure behind that a later revision has not', async () => {
    const at = { end: end - HOUR, station: 'AG-018' }
    await write(plainAggregate({ ...at, revision: 1 }))
    await write(plainAggregate({ ...at, revision: 2, count: 0, mean: null, min: null, max: null, p95: null, stddev: null }))
    const [row] = (await rows('hourly', 'hour')).filter(({ station }) => station === 'AG-018')
    expect(row).toMatchObject({ count: 0, revision: 2 })
    for (const field of ['mean', 'min', 'min_at', 'p95']) expect(row?.[field] ?? null).toBeNull()
  })

  it('goes on where InfluxDB refuses what is beyond its retention, and says so', async () => {
    await write(plainAggregate({ end: end - 60 * 24 * HOUR, station: 'AG-019' }), plainAggregate({ end, station: 'AG-019' }))
    expect((await rows('hourly', 'hour')).filter(({ station }) => station === 'AG-019')).toHaveLength(1)
    expect(warned).toHaveLength(1)
  })

  it('says by its code why it could not write', async () => {
    const wrong = new InfluxAggregates({ url: server.url, org: server.org, bucket: buckets.bucket, token: 'wrong', log })
    await expect(wrong.write([{ aggregate: plainAggregate(), mayHaveLost: false }])).rejects.toMatchObject({
      code: 'QT_INFLUX_UNAUTHORIZED'
    })
    await expect(wrong.write([{ aggregate: plainAggregate(), mayHaveLost: true }])).rejects.toMatchObject({
      code: 'QT_INFLUX_UNAUTHORIZED'
    })
    wrong.close()
  })
})
