import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { DAY, formatInstant, HOUR, MINUTE, VIETNAM_OFFSET } from '#libs/model'
import { eventually, TestServer } from './server.js'

const STATION = 'AG-KCN-BINHHOA-01'
/** Midnights of UTC+7. */
const TODAY = Math.floor((Date.now() + VIETNAM_OFFSET) / DAY) * DAY - VIETNAM_OFFSET
const YESTERDAY = TODAY - DAY
const dateOf = (at: number): string => formatInstant(at).slice(0, 10)
const pathOf = (parameter: string, query: string): string => `/api/v1/quality/${STATION}/${parameter}?${query}`

interface Item {
  readonly at: string
  readonly reasons: string[]
  readonly [name: string]: unknown
}

describe('data quality of a started server', () => {
  let server: TestServer
  let reader: string
  let feed: string

  const send = async (body: unknown): Promise<void> => {
    const sent = await server.request('POST', `/api/v1/readings/${STATION}`, { token: feed, body: JSON.stringify(body) })
    expect(sent.status).toBe(202)
  }
  const ask = async (path: string) => (await server.get(path, reader)).json()
  const pagesOf = async (path: string): Promise<unknown[]> => {
    const items: unknown[] = []
    for (let after = ''; ; ) {
      const page = await ask(`${path}${after}`)
      items.push(...page.items)
      if (typeof page['next'] !== 'string') return items
      after = `&after=${page['next']}`
    }
  }
  const rowOf = async (day: number) => {
    const { items } = await ask(`/api/v1/quality?station=${STATION}&from=${day}&to=${day + DAY}`)
    return items[0]
  }
  const at = (n: number, more: object) => ({
    at: YESTERDAY + n * 5 * MINUTE,
    readings: { COD: { value: 40 + (n % 3), status: '00' }, ...more }
  })

  beforeAll(async () => {
    server = await TestServer.start({ QUANTRAC_REGISTRY_DIR: 'devices/registry' })
    feed = await server.ops('token', 'add', 'feed', '--role', 'ingest')
    reader = await server.ops('token', 'add', 'eye', '--role', 'reader')
    // All of yesterday but an hour, in one message: correct and clean, and late but for nothing. One value is beyond the sensor.
    const day = Array.from({ length: 288 }, (_, n) => at(n, {})).filter((_, n) => n < 120 || n >= 132)
    day[3] = at(3, { COD: { value: 99_999, status: '00' } })
    day[4] = at(4, { COD: { value: 41 } })
    day[5] = at(5, { COD: { value: 42, status: '01' } })
    await send(day)
    await send(at(6, { COD: { value: 44, status: '00' } })) // conflicts
    await send(at(7, { COD: { value: 40, unit: 'furlong', status: '00' } })) // refused
    await send(at(8, {})) // the same again
    await server.request('POST', `/api/v1/readings/${STATION}`, { token: feed, body: '{{{' })
    await eventually(async () => {
      const lines = (await ask(`/api/v1/ledger?station=${STATION}&from=${TODAY}`)).items
      return lines[0]?.['refused'] === 2 && lines[0]['open'] === 0 && lines[0]['conflicting'] === 1
    }, 'the ledger has all')
  }, 60_000)
  afterAll(() => server.dispose())

  it('has no days before the first on which anything came, and days of the ledger from then on', async () => {
    const { items, next } = await ask(`/api/v1/quality?station=${STATION}&from=${YESTERDAY}`)
    expect([items.map(({ day }) => day), next]).toEqual([[dateOf(TODAY)], null])
  })

  it('counts what was refused and conflicts by the day on which it came, against the station', async () => {
    const row = await rowOf(TODAY)
    expect(row).toMatchObject({ station: STATION, kind: 'wastewater', stations: 1, series: 7, notKept: 0, state: 'scored', band: 'red' })
    expect(row?.['criteria']).toMatchObject({
      correct: { ok: 0, total: 0, score: null },
      clean: { ok: 0, total: 3, score: 0 },
      live: { ok: 0, total: 0, score: null }
    })
    expect(row?.['lost']).toMatchObject({ refused: 2, conflicting: 1, late: 0 })
  })

  it('tells of a day of a series what is behind each lost point, page by page', async () => {
    const whole = await ask(pathOf('COD', `day=${dateOf(YESTERDAY)}&limit=1000`))
    expect(whole).toMatchObject({
      ...{ station: STATION, parameter: 'COD', day: dateOf(YESTERDAY), kept: true, next: null, stationRejected: { refused: 0 } },
      lost: { fail: 1, suspect: 0, missing: 12, 'status-assumed': 1, late: 276, refused: 0 },
      criteria: {
        correct: { ok: 274, total: 275 },
        complete: { ok: 276, total: 288 },
        clean: { ok: 275, total: 276 },
        live: { ok: 0, total: 276, score: 0 }
      }
    })
    const items = whole.items as unknown as Item[]
    expect(items).toHaveLength(277)
    expect(items[3]).toMatchObject({
      ...{ at: formatInstant(YESTERDAY + 15 * MINUTE), reasons: ['fail', 'late'], criteria: ['correct', 'live'], missing: null },
      reading: { value: 99_999, flag: 4, flags: ['out-of-range'] }
    })
    expect(items[4]).toMatchObject({ reasons: ['status-assumed', 'late'], reading: { flags: ['status-assumed'] } })
    const gap = items.find(({ missing }) => missing !== null)
    expect(gap).toMatchObject({
      ...{ at: formatInstant(YESTERDAY + 595 * MINUTE), to: formatInstant(YESTERDAY + 11 * HOUR), missing: 12 },
      ...{ reasons: ['missing'], criteria: ['complete'], reading: null }
    })

    expect(await pagesOf(pathOf('COD', `day=${dateOf(YESTERDAY)}&limit=60`))).toEqual(items)
    const correct = await ask(pathOf('COD', `day=${dateOf(YESTERDAY)}&criterion=correct`))
    expect(correct.items).toEqual([items[3]])
  })

  it('lists what was refused today, of the series and whole messages, and not for another series', async () => {
    const reasonsOf = async (parameter: string) => {
      const found = await ask(pathOf(parameter, 'criterion=clean'))
      expect(found).toMatchObject({ day: dateOf(TODAY), stationRejected: { refused: 2, conflicting: 1 }, refusalsListed: true })
      return (found.items as { refusal: { reason: string } }[]).map(({ refusal }) => refusal.reason)
    }
    expect(await reasonsOf('COD')).toEqual(['unknown-unit', 'not-json'])
    expect(await reasonsOf('pH')).toEqual(['not-json'])
  })

  it('groups by kind, the lowest first, with links that lead on', async () => {
    const { items } = await ask(`/api/v1/quality?from=${TODAY}`)
    expect(items.map(({ kind }) => kind)).toEqual([...items.map(({ kind }) => kind)].sort())
    const wastewater = items.find(({ kind }) => kind === 'wastewater')
    expect(wastewater).toMatchObject({ station: null, stations: 6, lost: { refused: 2, conflicting: 1 } })
    const parts = wastewater?.['parts'] as { name: string; link: string }[]
    expect(parts).toHaveLength(6)
    const link = parts.find(({ name }) => name === STATION)?.link ?? ''
    const [row] = (await ask(link)).items
    expect(row).toEqual(await rowOf(TODAY))
    const series = row?.['parts'] as { name: string; link: string }[]
    expect(await ask(series.find(({ name }) => name === 'COD')?.link ?? '')).toMatchObject({ parameter: 'COD', day: dateOf(TODAY) })
  })

  it('pages, and says the same as CSV', async () => {
    const whole = (await ask(`/api/v1/quality?group=station&from=${TODAY}`)).items
    expect(whole).toHaveLength(25)
    expect(await pagesOf(`/api/v1/quality?group=station&from=${TODAY}&limit=7`)).toEqual(whole)
    const csv = await server.get(`/api/v1/quality?station=${STATION}&from=${TODAY}`, reader, { accept: 'text/csv' })
    const [head, line] = csv.text.split('\r\n')
    expect(head).toMatch(/^day,kind,station,.*,correct,correct_ok,.*,late$/)
    expect(line).toContain(`${dateOf(TODAY)},wastewater,${STATION},1,7,0,scored,0,red,,0,0,`)
  })

  it('refuses what it cannot answer', async () => {
    const answers = await Promise.all(
      [
        `/api/v1/quality?from=${TODAY - 40 * DAY}`,
        '/api/v1/quality?kind=castle',
        '/api/v1/quality?after=bm9uZQ',
        '/api/v1/quality?station=AG-NO',
        pathOf('COD', 'day=yesterday'),
        pathOf('COD', 'after=bm9uZQ'),
        pathOf('Gold', '')
      ].map(async path => {
        const answer = await server.get(path, reader)
        return [answer.status, answer.json()['code']]
      })
    )
    const [invalid, unknown] = [
      [400, 'QT_HTTP_INVALID'],
      [404, 'QT_HTTP_NOT_FOUND']
    ]
    expect(answers).toEqual([invalid, invalid, invalid, unknown, invalid, invalid, unknown])
    expect((await server.get('/api/v1/quality')).status).toBe(401)
  })
})
