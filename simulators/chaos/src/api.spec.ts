import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Api } from './api.js'

const AGGREGATE = {
  ...{ station: 'A1', parameter: 'COD', period: 'day', start: '2026-11-23T00:00:00+07:00', end: '2026-11-24T00:00:00+07:00', unit: 'mg/L' },
  ...{ revision: 2, algorithm: 1, received: 2, count: 1, expected: 288, completeness: 0.003, validShare: 0.5, sufficient: false },
  ...{ mean: 80, min: 80, minAt: '2026-11-23T10:00:00+07:00', max: 80, maxAt: '2026-11-23T10:00:00+07:00', sum: null },
  ...{ p95: 80, stddev: 0, worstFlag: 1, exceedanceMinutes: 0, provisional: false }
}

const ANSWERS: Readonly<Record<string, unknown>> = {
  '/api/v1/series/A1/COD/readings?limit=1000': { items: [{ at: '2026-11-24T10:05:00+07:00', value: 1 }], next: 'a+b' },
  '/api/v1/series/A1/COD/readings?limit=1000&after=a%2Bb': {
    items: [{ at: '2026-11-24T10:05:01.500+07:00', value: 2, unit: 'mg/L' }],
    next: null
  },
  '/api/v1/series/A2/COD/readings?limit=1000': { items: [{ at: 'yesterday', value: 1 }], next: null },
  '/api/v1/alarms?limit=1000': { items: [{ id: 'x/1' }, { id: 'x2' }], next: null },
  '/api/v1/alarms/x%2F1': { id: 'x/1', history: [{ id: 'x/1:raised', kind: 'raised' }] },
  '/api/v1/alarms/x2': { id: 'x2', history: [] },
  '/api/v1/series/A1/COD/aggregates?period=day&limit=1000': { items: [{ ...AGGREGATE, verdict: 'within' }], next: null },
  '/health/ready': { status: 'ready', consumers: [{ lag: 3 }, { lag: 7 }] }
}

const METRICS = `# TYPE quantrac_forwarded_total counter
quantrac_forwarded_total{outcome="accepted"} 12
quantrac_forwarded_total{outcome="known"} 3
quantrac_forward_waiting 0
`

describe('Api', () => {
  const server = createServer((request, response) => {
    if (request.url === '/metrics') {
      response.end(METRICS)
      return
    }
    const answer = request.headers.authorization === 'Bearer t' ? ANSWERS[request.url ?? ''] : undefined
    response.writeHead(answer ? 200 : 404).end(JSON.stringify(answer ?? {}))
  })
  let api: Api

  beforeAll(async () => {
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    api = new Api(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 't')
  })

  afterAll(() => new Promise(resolve => server.close(resolve)))

  async function all<T>(list: AsyncIterable<T>): Promise<T[]> {
    const items: T[] = []
    for await (const item of list) items.push(item)
    return items
  }

  it('follows the pages of a series', async () => {
    const at = Date.UTC(2026, 10, 24, 3, 5)
    expect(await all(api.readings('A1', 'COD'))).toEqual([
      { at, value: 1 },
      { at: at + 1_500, value: 2 }
    ])
  })

  it('reads aggregates, with instants as numbers', async () => {
    const midnight = Date.UTC(2026, 10, 23, 17)
    const [found] = await all(api.aggregates('A1', 'COD', 'day'))
    expect(found).toMatchObject({ end: midnight, minAt: midnight - 14 * 3_600_000, revision: 2, sum: null, provisional: false })
  })

  it('counts what was forwarded', async () => {
    expect(await api.forwarded()).toEqual({ accepted: 12, known: 3 })
  })

  it('gathers the transitions of all alarms', async () => {
    expect(await api.transitions()).toEqual([{ id: 'x/1:raised', kind: 'raised' }])
  })

  it('tells the largest lag', async () => {
    expect(await api.lag()).toBe(7)
  })

  it('refuses answers that it does not understand, and refusals', async () => {
    await expect(all(api.readings('A2', 'COD'))).rejects.toMatchObject({ code: 'QT_PROOF_ANSWER' })
    await expect(all(api.readings('A3', 'COD'))).rejects.toThrow(/404/)
  })
})
