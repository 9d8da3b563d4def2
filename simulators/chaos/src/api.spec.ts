import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Api } from './api.js'

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
  '/health/ready': { status: 'ready', consumers: [{ lag: 3 }, { lag: 7 }] }
}

describe('Api', () => {
  const server = createServer((request, response) => {
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
