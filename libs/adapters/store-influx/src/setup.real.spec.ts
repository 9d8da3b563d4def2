import { randomUUID } from 'node:crypto'
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals'
import { DAY, MINUTE } from '#libs/model'
import { described, startInflux } from '#libs/test-servers'
import { plainReading } from '#libs/testkit'
import { setupInflux } from './setup.js'
import { InfluxStore } from './store.js'

const found = await startInflux()

described(describe, { kind: 'influx', name: 'setting up a real InfluxDB', found }, server => {
  afterAll(() => server.dispose())
  let bucket: string
  beforeEach(() => {
    bucket = `s-${randomUUID().slice(0, 8)}`
  })

  const setUp = (more: Partial<Parameters<typeof setupInflux>[0]> = {}) =>
    setupInflux({ url: server.url, org: server.org, bucket, adminToken: server.token, ...more })

  const write = async (token: string, into: string): Promise<number> => {
    const query = new URLSearchParams({ org: server.org, bucket: into, precision: 'ms' })
    const headers = { authorization: `Token ${token}` }
    return (await fetch(`${server.url}/api/v2/write?${query.toString()}`, { method: 'POST', body: `x y=1 ${Date.now()}`, headers })).status
  }

  const retentions = async (): Promise<Record<string, number>> => {
    const headers = { authorization: `Token ${server.token}` }
    const response = await fetch(`${server.url}/api/v2/buckets?limit=100&org=${server.org}`, { headers })
    const { buckets } = (await response.json()) as { buckets: { name: string; retentionRules: { everySeconds: number }[] }[] }
    return Object.fromEntries(
      buckets.filter(({ name }) => name.startsWith(bucket)).map(({ name, retentionRules }) => [name, retentionRules[0]?.everySeconds ?? 0])
    )
  }

  it('makes four buckets and a token; again it changes nothing', async () => {
    const first = await setUp()
    expect(first.done).toHaveLength(5)
    const day = 86_400
    expect(await retentions()).toEqual({
      [bucket]: 400 * day,
      [`${bucket}-hourly`]: 3_650 * day,
      [`${bucket}-daily`]: 0,
      [`${bucket}-context`]: 0
    })
    expect(await setUp()).toEqual({ done: [], token: null, grafanaToken: null })
    const store = await InfluxStore.open({ url: server.url, org: server.org, bucket, token: first.token ?? '' })
    expect(await store.write([plainReading({ at: Date.now() })], 1)).toMatchObject({ stored: 1 })
    await store.close()
  })

  it('changes a retention that differs, and refuses one that InfluxDB has not', async () => {
    await setUp()
    expect((await setUp({ retention: { readings: 30 * DAY } })).done).toEqual([`bucket ${bucket} now keeps 30 days`])
    expect((await retentions())[bucket]).toBe(30 * 86_400)
    await expect(setUp({ retention: { readings: MINUTE } })).rejects.toMatchObject({ code: 'QT_INFLUX_SETUP' })
  })

  it('gives no more rights than are needed', async () => {
    const { token, grafanaToken } = await setUp({ grafana: true })
    const other = `${bucket}x`
    await setUp({ bucket: other })
    for (const role of ['', '-hourly', '-daily', '-context']) {
      expect(await write(token ?? '', `${bucket}${role}`)).toBe(204)
      expect(await write(grafanaToken ?? '', `${bucket}${role}`)).toBe(403)
    }
    expect(await write(token ?? '', other)).not.toBe(204)
    await expect(setUp({ adminToken: token ?? '', bucket: `${bucket}y` })).rejects.toMatchObject({ code: 'QT_INFLUX_UNAUTHORIZED' })
    const reader = await InfluxStore.open({ url: server.url, org: server.org, bucket, token: grafanaToken ?? '', readOnly: true })
    expect(await reader.latest()).toEqual([])
    await expect(reader.write([], 1)).rejects.toMatchObject({ code: 'QT_INFLUX_MISUSE' })
    await reader.close()
  })

  it('rotates: the old token ends', async () => {
    const { token: old } = await setUp()
    const { token, grafanaToken, done } = await setUp({ rotate: true })
    expect([grafanaToken, done.length]).toEqual([null, 2])
    expect(await write(old ?? '', bucket)).toBe(401)
    expect(await write(token ?? '', bucket)).toBe(204)
  })

  it('makes the organisation where it is missing', async () => {
    const org = `o-${randomUUID().slice(0, 8)}`
    const { token, done } = await setUp({ org })
    expect(done[0]).toBe(`organisation ${org} made`)
    const store = await InfluxStore.open({ url: server.url, org, bucket, token: token ?? '' })
    expect(await store.write([plainReading({ at: Date.now() })], 1)).toMatchObject({ stored: 1 })
    await store.close()
  })

  it('says what is wrong with a token or an address', async () => {
    await expect(setUp({ adminToken: 'nobody' })).rejects.toMatchObject({ code: 'QT_INFLUX_UNAUTHORIZED' })
    await expect(setUp({ url: 'http://127.0.0.1:9' })).rejects.toMatchObject({ code: 'QT_INFLUX_UNREACHABLE' })
  })
})
