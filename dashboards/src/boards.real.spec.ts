import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { bucketName, setupInflux } from '#libs/adapters/store-influx'
import type { InfluxServer } from '#libs/test-servers'
import { described, startInflux } from '#libs/test-servers'
import { eventually, TestServer } from '../../apps/telemetry/test/server.js'
import { boardQueries } from '../test/board-queries.js'
import { CHOSEN, demoData, demoRegistry, EXPECTED_CODES, payloadOf } from '../test/demo-data.js'
import type { Answer } from '../test/flux-client.js'
import { FluxClient } from '../test/flux-client.js'
import type { Surroundings } from '../test/interpolate.js'
import { interpolate } from '../test/interpolate.js'
import { exposedMetrics, namesOf } from '../test/promql.js'

const BUCKET = `quantrac-boards-${process.pid}`
/** Buckets as they are made, before anything is written. */
const EMPTY = `quantrac-empty-${process.pid}`
const DAY_MS = 86_400_000
const found = await startInflux()

described(describe, { kind: 'influx', name: 'the boards on a real InfluxDB and the started server', found }, (influx: InfluxServer) => {
  const registry = demoRegistry()
  const { flux, prometheus } = boardQueries()
  let client: FluxClient
  let server: TestServer
  let grafanaToken: string

  beforeAll(async () => {
    const made = await setupInflux({ ...influx, bucket: BUCKET, adminToken: influx.token, grafana: true })
    if (made.token === null || made.grafanaToken === null) throw new Error('no tokens')
    grafanaToken = made.grafanaToken
    await setupInflux({ ...influx, bucket: EMPTY, adminToken: influx.token })
    client = new FluxClient(influx)
    const certificates = join(registry.dir, 'tls')
    server = await TestServer.prepare({
      QUANTRAC_REGISTRY_DIR: registry.dir,
      QUANTRAC_TLS_CERT: join(certificates, 'server.pem'),
      QUANTRAC_TLS_KEY: join(certificates, 'server-key.pem'),
      QUANTRAC_MQTTS_PORT: '0',
      QUANTRAC_INFLUX_URL: influx.url,
      QUANTRAC_INFLUX_ORG: influx.org,
      QUANTRAC_INFLUX_BUCKET: BUCKET,
      QUANTRAC_INFLUX_TOKEN: made.token
    })
    await server.ops('tls', 'self-signed', '--dir', certificates)
    await server.start()
    await publishDemoData(server)
    await eventually(() => everythingStands(client), 'every state and an alarm that was cleared stand in InfluxDB', 60_000)
  }, 120_000)

  afterAll(async () => {
    await server.dispose()
    await influx.dispose()
    registry.remove()
  })

  it('gives every query of every board an answer that Grafana can read', async () => {
    const surroundings = await chooseVariables(client)
    // As Grafana asks: with the token that may read only.
    const grafana = new FluxClient({ ...influx, token: grafanaToken })
    const failed: string[] = []
    const empty: string[] = []
    for (const { board, where, query } of flux) {
      const title = `${board}: ${where}`
      try {
        const answers = await grafana.query(interpolate(query, surroundings))
        if (answers.every(answer => answer.rows.length === 0)) empty.push(title)
        failed.push(...answers.flatMap(answer => unreadable(answer).map(reason => `${title}: ${reason}`)))
      } catch (error) {
        failed.push(`${title}: ${String(error)}`)
      }
    }
    process.stdout.write(`boards: ${flux.length} Flux queries run, ${empty.length} empty, ${failed.length} failed\n`)
    expect({ empty, failed }).toEqual({ empty: [], failed: [] })
    expect(flux.length).toBeGreaterThan(15)
  }, 60_000)

  it.each([
    ['nothing is stored yet', EMPTY, { station: 'AG-NEW-01', parameter: 'COD' }],
    ['a station has no limit', BUCKET, { station: 'AG-TV-VAMNAO-01', parameter: 'WaterLevel' }],
    ['of a station nothing came', BUCKET, { station: 'AG-LUA-TRITON-01', parameter: 'EC' }]
  ])(
    'fails nowhere while %s',
    async (_what, defaultBucket, { station, parameter }) => {
      const around = await chooseVariables(client)
      const surroundings = { ...around, defaultBucket, variables: { ...around.variables, station: [station], parameter: [parameter] } }
      const failed: string[] = []
      for (const { board, where, query } of flux) {
        await client.query(interpolate(query, surroundings)).catch((error: unknown) => failed.push(`${board}: ${where}: ${String(error)}`))
      }
      expect(failed).toEqual([])
    },
    60_000
  )

  it('answers what was published', async () => {
    const surroundings = await chooseVariables(client)
    const ask = async (where: string): Promise<readonly Readonly<Record<string, string>>[]> => {
      const query = flux.find(candidate => candidate.where === where)?.query
      if (query === undefined) throw new Error(`no query ${where}`)
      return (await client.query(interpolate(query, surroundings))).flatMap(({ rows }) => rows)
    }
    const codes = new Map((await ask('Bản đồ trạm quan trắc (A)')).map(row => [row['station'], row['state_code']]))
    expect(codes.size).toBe(25)
    for (const [station, code] of Object.entries(EXPECTED_CODES)) expect([station, codes.get(station)]).toEqual([station, String(code)])
    const stations = await ask('Danh sách trạm (A)')
    expect(stations.find(row => row['station'] === CHOSEN.station)).toMatchObject({ readings: 'COD 42 mg/L; pH 7.2', state_code: '0' })
    expect((await ask('Mức của $parameter tại $station theo thời gian (A)')).map(row => row['_value'])).toEqual([...'03300560'])
    const open = await ask('Báo động chưa xong (A)')
    expect(open.map(row => [row['station'], row['severity'], row['transition']])).toContainEqual([
      'AG-KCN-BINHLONG-01',
      'exceeds',
      'raised'
    ])
    const [timely, ...others] = await ask('Trạm có dữ liệu đúng hạn (A)')
    expect([timely, others]).toMatchObject([{ reported: '8', registered: '25' }, []])
    expect(Number(timely?.['share'])).toBeCloseTo((8 / 25) * 100, 9)
    const received = (await ask('Mức đầy đủ dữ liệu của từng trạm (A)')).map(row => Number(row['received']))
    expect(received.reduce((sum, count) => sum + count, 0)).toBe(demoData(0).length)
    const exceedances = await ask('Số lần vượt giới hạn theo khu vực và tháng (A)')
    expect(exceedances.map(row => [row['zone'], row['_value']])).toEqual([
      ['KCN Bình Hòa', '1'],
      ['KCN Bình Long', '1']
    ])
  }, 60_000)

  it('finds every metric and label of every Prometheus query at /metrics', async () => {
    const exposed = exposedMetrics((await server.get('/metrics')).text)
    const strangers = prometheus.flatMap(({ board, where, query }) =>
      namesOf(query).flatMap(({ metric, labels }) => {
        const known = exposed.get(metric)
        if (!known) return [`${board}: ${where}: no metric ${metric}`]
        return labels.filter(label => !known.has(label)).map(label => `${board}: ${where}: ${metric} has no label ${label}`)
      })
    )
    process.stdout.write(`boards: ${prometheus.length} Prometheus queries held against /metrics, ${strangers.length} names unknown\n`)
    expect(strangers).toEqual([])
    expect(prometheus.length).toBeGreaterThan(20)
  })
})

/** Over HTTP into the server, as stations do it. */
async function publishDemoData(server: TestServer): Promise<void> {
  const token = await server.ops('token', 'add', 'feed', '--role', 'ingest')
  const sent = demoData(Date.now())
  for (const station of new Set(sent.map(value => value.station))) {
    const body = payloadOf(sent.filter(value => value.station === station))
    const answer = await server.request('POST', `/api/v1/readings/${station}`, { token, body })
    if (answer.status !== 202) throw new Error(`${station}: ${answer.status} ${answer.text}`)
  }
}

async function everythingStands(client: FluxClient): Promise<boolean> {
  const context = `from(bucket: "${bucketName(BUCKET, 'context')}") |> range(start: 0)`
  const newest = await client.query(
    `${context} |> filter(fn: (r) => r._measurement == "station_state" and r._field == "code") |> last() |> group()`
  )
  const known = new Map(newest.flatMap(({ rows }) => rows.map(row => [row['station'], Number(row['_value'])])))
  const cleared = await client.query(`${context} |> filter(fn: (r) => r._measurement == "alarm" and r.transition == "cleared")`)
  const stored = await client.query(
    `from(bucket: "${BUCKET}") |> range(start: -1d) |> filter(fn: (r) => r._field == "value") |> group() |> count()`
  )
  const count = Number(stored[0]?.rows[0]?.['_value'] ?? 0)
  const states = Object.entries(EXPECTED_CODES).every(([station, code]) => known.get(station) === code)
  return states && count === demoData(0).length && cleared.some(({ rows }) => rows.length > 0)
}

/** As a person who opens a board: all zones, the chosen station and parameter, the last day. */
async function chooseVariables(client: FluxClient): Promise<Surroundings> {
  const now = Date.now()
  const around: Surroundings = {
    defaultBucket: BUCKET,
    from: new Date(now - DAY_MS),
    to: new Date(now),
    windowPeriod: '1m',
    variables: {}
  }
  const zoneQuery = boardQueries().flux.find(({ where }) => where === 'variable zone')
  const zones = await client.query(interpolate(zoneQuery?.query ?? '', around))
  const all = zones.flatMap(({ rows }) => rows.map(row => row['zone'] ?? ''))
  return { ...around, variables: { zone: all, station: [CHOSEN.station], parameter: [CHOSEN.parameter] } }
}

/**
 * How Grafana makes frames of an answer (pkg/tsdb/influxdb/flux/builder.go): columns of the group key become labels, which must
 * be texts; `_value` makes a time series and needs an instant beside it.
 */
function unreadable({ columns, rows }: Answer): string[] {
  if (rows.length === 0) return []
  const isTime = (type: string) => type.startsWith('dateTime')
  const labels = columns.filter(({ name, grouped }) => grouped && !name.startsWith('_') && name !== 'table' && name !== 'result')
  const notTexts = labels.filter(({ type }) => type !== 'string').map(({ name }) => `label ${name} is no text`)
  const isSeries = columns.some(({ name }) => name === '_value')
  const timeless = isSeries && !columns.some(({ type }) => isTime(type)) ? ['_value without an instant'] : []
  return [...notTexts, ...timeless]
}
