import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, realpathSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Absent, described, findProgram } from '#libs/test-servers'
import { ByHand, type Programs, startOrder } from './by-hand.js'
import { readCompose } from './compose.js'
import { eventually } from './server.js'

const LIBRARY = '/usr/lib/postgresql'
const versions = (): string[] => {
  try {
    return readdirSync(LIBRARY).map(version => `${LIBRARY}/${version}/bin`)
  } catch {
    return []
  }
}

function findPrograms(): Programs | Absent {
  const influxd = process.env['QUANTRAC_TEST_INFLUXD'] || findProgram('influxd')
  const initdb = findProgram('initdb', versions())
  if (!influxd || !initdb) return { absent: `no ${influxd ? 'initdb' : 'influxd'} on this machine` }
  return { influxd, initdb: realpathSync(initdb) } // the other programs lie beside it
}

/** What setup makes. */
const FILES = ['telemetry/influx_token', 'grafana/quantrac_grafana_influx_token', 'prometheus/metrics_token']

/** Services whose programs are not to be had without a container engine. */
const NOT_HERE = ['prometheus', 'grafana', 'mail']

described(describe, { kind: 'influx', name: 'docker-compose.yml, started by hand', found: findPrograms() }, programs => {
  const compose = readCompose()
  let hand: ByHand
  let token: string

  beforeAll(async () => {
    hand = await ByHand.prepare(compose, programs)
    const starters: Record<string, () => unknown> = {
      influxdb: () => hand.influxdb(),
      postgres: () => hand.postgres(),
      setup: () => hand.setup(),
      telemetry: () => hand.telemetry(),
      fleet: () => hand.fleet()
    }
    for (const name of startOrder(compose).filter(service => !NOT_HERE.includes(service))) await starters[name]?.()
    token = hand.ops('token', 'add', 'desk', '--role', 'operator')
  }, 180_000)

  afterAll(() => (hand as ByHand | undefined)?.dispose())

  const url = (path: string): string => `http://127.0.0.1:${hand.port('8080')}${path}`
  const get = (path: string) => fetch(url(path), { headers: { authorization: `Bearer ${token}` } })

  it('starts in the order of its conditions', () => {
    const order = startOrder(compose)
    for (const [before, after] of [
      ['influxdb', 'setup'],
      ['postgres', 'setup'],
      ['setup', 'telemetry'],
      ['telemetry', 'fleet'],
      ['setup', 'prometheus']
    ] as const)
      expect(order.indexOf(before)).toBeLessThan(order.indexOf(after))
  })

  it('simulated stations publish, and their readings are answered', async () => {
    const fresh = async () => {
      const { items } = (await (await get('/api/v1/latest?limit=1000')).json()) as { items: { station: string }[] }
      return new Set(items.map(({ station }) => station)).size >= 20 && items
    }
    const items = await eventually(fresh, 'every station has published', 60_000)
    expect(items.length).toBeGreaterThan(50)
  })

  it('keeps the time series in InfluxDB, written with the token that setup made', async () => {
    const influxToken = readFileSync(hand.path('generated/telemetry/influx_token'), 'utf8').trim()
    expect(influxToken).not.toBe(hand.secret('influx_admin_token'))
    const query = 'from(bucket: "quantrac") |> range(start: -1h) |> group() |> count()'
    const ask = async () => {
      const answer = await fetch(`http://127.0.0.1:${hand.port('8086')}/api/v2/query?org=quantrac`, {
        method: 'POST',
        headers: { authorization: `Token ${influxToken}`, 'content-type': 'application/vnd.flux', accept: 'application/csv' },
        body: query
      })
      expect(answer.status).toBe(200)
      return /,(\d+)\r?\n/.test(await answer.text())
    }
    await eventually(ask, 'InfluxDB has readings', 30_000)
    expect(readdirSync(hand.path('data'))).not.toContain('series.sqlite')
  })

  it('keeps the state in PostgreSQL', () => {
    expect(readdirSync(hand.path('data'))).not.toContain('state.sqlite')
    expect(hand.ops('token', 'list')).toMatch(/prometheus/)
  })

  it('what Prometheus would ask is answered to the token that setup made, and to no other', async () => {
    const metricsToken = readFileSync(hand.path('generated/prometheus/metrics_token'), 'utf8').trim()
    const ask = (bearer: string) => fetch(url('/metrics'), { headers: { authorization: `Bearer ${bearer}` } })
    expect(await (await ask(metricsToken)).text()).toContain('quantrac_messages_received_total')
    expect((await ask('nobody-knows-this-token')).status).toBe(401)
  })

  it('setup changes nothing when it runs again', () => {
    const tokens = () => FILES.map(name => readFileSync(hand.path(`generated/${name}`), 'utf8'))
    const before = tokens()
    hand.setup()
    expect(tokens()).toEqual(before)
  })

  it('ops makes a backup that names what lies elsewhere', () => {
    const output = hand.ops('backup', 'create', hand.path('backup'))
    expect(output).toContain('kept in PostgreSQL')
    expect(output).toContain('kept in InfluxDB')
    expect(hand.ops('backup', 'verify', hand.path('backup'))).toContain('is sound')
    for (const name of ['state_url', 'influx_admin_token']) {
      expect(execFileSync('cat', [hand.path('backup/manifest.json')], { encoding: 'utf8' })).not.toContain(hand.secret(name))
      expect(hand.output).not.toContain(hand.secret(name))
    }
  })
})
