import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { DAY, formatInstant, HOUR, MINUTE, VIETNAM_OFFSET } from '#libs/model'
import { eventually, TestServer } from './server.js'

const STATION = 'AG-KCN-BINHHOA-01'
/** Midnight of UTC+7, four days ago. */
const MIDNIGHT = Math.floor((Date.now() + VIETNAM_OFFSET) / DAY) * DAY - VIETNAM_OFFSET - 4 * DAY
const NOON = MIDNIGHT + 12 * HOUR

const permit = {
  ...{ id: 'BINHHOA-TEST', station: STATION, document: 'a permit of the test', regulation: 'qcvn-40-2011', column: 'A', kq: 0.9, kf: 1 },
  ...{ operatingSince: '2015-06-01', validFrom: formatInstant(MIDNIGHT) }
}

describe('the law of a started server', () => {
  let server: TestServer
  let reader: string
  let lan: string
  const scratch = mkdtempSync(join(tmpdir(), 'quantrac-law-'))

  beforeAll(async () => {
    server = await TestServer.start()
    const feed = await server.ops('token', 'add', 'feed', '--role', 'ingest')
    reader = await server.ops('token', 'add', 'eye', '--role', 'reader')
    lan = await server.ops('token', 'add', 'lan', '--role', 'operator')
    const readings = Array.from({ length: 12 }, (_, n) => ({ at: NOON + (n + 1) * 5 * MINUTE, readings: { COD: 80 } }))
    const sent = await server.request('POST', `/api/v1/readings/${STATION}`, { token: feed, body: JSON.stringify(readings) })
    expect(sent.status).toBe(202)
    // It is acknowledged when the journal has it; verdicts are of what the store has.
    const path = `/api/v1/series/${STATION}/COD/readings?from=${NOON}&to=${NOON + HOUR + 1}`
    await eventually(async () => (await server.get(path, reader)).json().items.length === 12, 'the readings are stored')
  }, 60_000)
  afterAll(async () => {
    await server.dispose()
    rmSync(scratch, { recursive: true })
  })

  const change = async (body: object, token = lan) =>
    server.request('POST', '/api/v1/law/changes', { token, body: JSON.stringify({ kind: 'permit', reason: 'test', ...body }) })
  const hour = async () => {
    const span = `from=${NOON}&to=${NOON + HOUR}`
    const { items } = (await server.get(`/api/v1/series/${STATION}/COD/aggregates?period=hour&${span}`, reader)).json()
    return items[0]
  }
  const publishedHour = (wanted: object) =>
    eventually(
      async () => {
        const one = await hour()
        return one !== undefined && Object.entries(wanted).every(([key, value]) => one[key] === value)
      },
      `the hour with ${JSON.stringify(wanted)}`
    )

  it('names what a verdict rests on, in both languages', async () => {
    const answer = await server.get(`/api/v1/verdicts/${STATION}/COD?at=${NOON + HOUR}`, reader)
    const [reading, byHour, day] = answer.json().items
    expect(reading).toMatchObject({
      ...{ window: 'reading', verdict: 'tendency', value: 80, rows: { count: 1 }, limit: { high: 90, low: null } },
      basis: { regulation: 'qcvn-40-2011', column: 'A', kq: 1.2, kf: 1, permit: 'BINHHOA-2024', confidence: 'high' }
    })
    expect(byHour).toMatchObject({ window: 'hour', rows: { count: 12, start: formatInstant(NOON), end: formatInstant(NOON + HOUR) } })
    expect(day).toMatchObject({ window: 'day', rows: { count: 12 }, text: { vi: expect.any(Array), en: expect.any(Array) } })
    expect((await server.get('/api/v1/verdicts/AG-NO/COD', reader)).status).toBe(404)
    const permits = (await server.get(`/api/v1/permits?station=${STATION}`, reader)).json().items
    expect(permits.map(({ id, kf }) => [id, kf])).toEqual([
      ['BINHHOA-2019', 1.1],
      ['BINHHOA-2024', 1]
    ])
    const regulations = (await server.get('/api/v1/regulations', reader)).json().items
    expect(regulations.find(({ id }) => id === 'qcvn-40-2025')).toMatchObject({ limits: [], confidence: 'unverified' })
  })

  it('shows a change of the past first, then judges anew: verdicts, minutes of exceedance, and after a restart', async () => {
    await publishedHour({ provisional: false, verdict: 'tendency', exceedanceMinutes: 0, revision: 1 })
    expect((await change({ document: permit }, reader)).status).toBe(403)
    const dry = (await change({ document: permit })).json()
    expect(dry).toMatchObject({ dryRun: true, edition: 0 })
    expect(dry['counts']).toMatchObject({ 'hour tendency -> exceeds': 1 })
    expect((await hour())?.['verdict']).toBe('tendency')
    expect((await change({ document: permit, dryRun: false, edition: 5 })).json()['code']).toBe('QT_LAW_CHANGED')
    const wrong = await change({ document: { ...permit, column: 'Z' } })
    expect([wrong.status, wrong.json()['code']]).toEqual([400, 'QT_LAW_INVALID'])

    const done = (await change({ document: permit, dryRun: false, edition: 0, by: 'Lan' })).json()
    expect(done).toMatchObject({ dryRun: false, edition: 1 })
    expect((await hour())?.['verdict']).toBe('exceeds') // at once: verdicts are computed
    await publishedHour({ exceedanceMinutes: 60, revision: 2 })
    const changes = (await server.get('/api/v1/law/changes', reader)).json().items
    expect(changes).toMatchObject([
      { edition: 1, key: 'BINHHOA-TEST', author: 'Lan', token: 'lan', reason: 'test', from: formatInstant(MIDNIGHT) }
    ])

    await server.end('SIGKILL')
    await server.start()
    await publishedHour({ verdict: 'exceeds', exceedanceMinutes: 60, revision: 2 })
  }, 60_000)

  it('is changed by the operator’s command line too, and followed by the running server', async () => {
    const file = join(scratch, 'permit.json')
    writeFileSync(file, JSON.stringify({ ...permit, kq: 1.2 }))
    const by = ['--by', 'Minh', '--reason', 'the river is larger']
    expect(await server.ops('rules', 'load', file, ...by)).toMatch(/67\.5 mg\/L => 90 mg\/L[\s\S]*nothing was changed yet/)
    expect(await server.ops('rules', 'load', file, ...by, '--yes')).toContain('edition 2 recorded')
    await publishedHour({ verdict: 'tendency', exceedanceMinutes: 0, revision: 3 })
    expect(await server.ops('rules', 'withdraw', 'permit', 'BINHHOA-TEST', ...by, '--yes')).toContain('edition 3 recorded')
    expect((await server.ops('rules', 'changes')).split('\n')).toHaveLength(3)
    expect(await server.ops('rules', 'check')).toMatch(/regulations 5 permits 13 edition 3/)
    await expect(server.ops('rules', 'load', file, '--yes')).rejects.toThrow('QT_OPS_USAGE')
  }, 60_000)

  it('gives the air’s index from published hours, with its inputs, and says why there is none', async () => {
    const feed = await server.ops('token', 'add', 'air', '--role', 'ingest')
    const hours = Array.from({ length: 12 }, (_, n) => ({ at: NOON - (11 - n) * HOUR, readings: { 'PM2,5': 20, O3: 136.1 } }))
    const sent = await server.request('POST', '/api/v1/readings/AG-KK-LONGXUYEN-01', { token: feed, body: JSON.stringify(hours) })
    expect(sent.status).toBe(202)
    const ask = (query: string) => server.get(`/api/v1/indices/AG-KK-LONGXUYEN-01?${query}`, reader)
    const items = await eventually(async () => {
      const found = (await ask(`index=aqi-hourly&from=${NOON - HOUR}&to=${NOON}`)).json().items
      return found[0]?.['value'] === 43 ? found : null
    }, 'the index of noon')
    expect(items).toMatchObject([
      {
        ...{ end: formatInstant(NOON), deciding: 'O3', band: { id: 'good', name: 'Tốt' }, gap: null, revisions: { O3: 1, 'PM2,5': 1 } },
        parts: expect.arrayContaining([expect.objectContaining({ parameter: 'PM2,5', scale: 'PM2,5-24h', input: 20, index: 40 })])
      }
    ])
    const day = (await ask(`index=aqi-daily&from=${MIDNIGHT}&to=${MIDNIGHT + DAY}`)).json().items
    expect(day).toMatchObject([{ start: formatInstant(MIDNIGHT), value: null, gap: 'no-particulate' }]) // twelve hours are no day
    const wide = await ask(`index=wqi&from=${MIDNIGHT - 40 * DAY}`)
    expect([wide.status, wide.json()['code']]).toEqual([400, 'QT_HTTP_INVALID'])
  }, 60_000)

  it('puts a calibration before a person under which the outlet exceeds its limit', async () => {
    const feed = await server.ops('token', 'add', 'outlet', '--role', 'ingest')
    const send = (at: number, value: number, status: string) => ({ at, readings: { COD: { value, status } } })
    const readings = [send(NOON, 40, '00'), send(NOON + 5 * MINUTE, 200, '01'), send(NOON + 10 * MINUTE, 40, '00')]
    const sent = await server.request('POST', '/api/v1/readings/AG-KCN-BINHLONG-01', { token: feed, body: JSON.stringify(readings) })
    expect(sent.status).toBe(202)
    const ask = () => server.get(`/api/v1/stations/AG-KCN-BINHLONG-01/calibrations?from=${MIDNIGHT}&to=${MIDNIGHT + DAY}`, reader)
    const items = await eventually(async () => {
      const found = (await ask()).json().items
      return found[0]?.['minutes'] === 5 ? found : null
    }, 'the calibration')
    const text = { vi: expect.stringContaining('Hiệu chuẩn cần xem xét'), en: expect.stringContaining('Calibration to be reviewed') }
    expect(items).toMatchObject([
      { parameter: 'COD', state: 'to-be-reviewed', reasons: ['exceeds-meanwhile'], exceedingMeanwhile: 1, text }
    ])
    const list = (query: string) => server.get(`/api/v1/calibrations?from=${MIDNIGHT}&to=${MIDNIGHT + DAY}${query}`, reader)
    expect((await list('&state=to-be-reviewed')).json()).toEqual({ items, next: null })
    expect((await list('&state=ordinary')).json().items).toEqual([])
    expect((await list('&kind=pond')).json().items).toEqual([])
    const [first] = (await server.get('/api/v1/stations?limit=1', reader)).json().items
    const next = Buffer.from(String(first?.['code'])).toString('base64url')
    expect((await list(`&after=${next}&state=to-be-reviewed`)).json().items).toEqual(items)
    expect((await list('&state=forgiven')).status).toBe(400)
  }, 60_000)

  it('gives the class of a river by its daily means, with what decided and what was not measured', async () => {
    const feed = await server.ops('token', 'add', 'river', '--role', 'ingest')
    const hours = Array.from({ length: 20 }, (_, n) => ({
      at: MIDNIGHT + (n + 1) * HOUR,
      readings: { pH: 7, DO: 5.4, TSS: 48, BOD5: 3, NH4: 0.5 }
    }))
    await server.request('POST', '/api/v1/readings/AG-NM-LONGXUYEN-01', { token: feed, body: JSON.stringify(hours) })
    const ask = (code: string) => server.get(`/api/v1/water-classes/${code}?from=${MIDNIGHT}&to=${MIDNIGHT + DAY}`, reader)
    const [day] = await eventually(async () => {
      const { items } = (await ask('AG-NM-LONGXUYEN-01')).json()
      return (items[0]?.['parameters'] as object[] | undefined)?.length === 4 ? items : null
    }, 'the class of the day')
    expect(day).toMatchObject({
      ...{
        start: formatInstant(MIDNIGHT),
        end: formatInstant(MIDNIGHT + DAY),
        regulation: 'qcvn-08-2023',
        class: 'B',
        deciding: ['TSS', 'DO']
      },
      missing: ['COD', 'TOC', 'TP', 'TN', 'Coliform', 'FaecalColiform']
    })
    // Table 1 is another matter: ammonium is above its limit.
    const verdicts = (await server.get(`/api/v1/verdicts/AG-NM-LONGXUYEN-01/NH4?at=${MIDNIGHT + HOUR}`, reader)).json().items
    expect(verdicts[0]).toMatchObject({ verdict: 'exceeds', limit: { high: 0.3 }, basis: { regulation: 'qcvn-08-2023' } })
    expect((await ask('AG-KCN-BINHHOA-01')).json()).toEqual({ items: [] })
    expect((await ask('AG-NO')).status).toBe(404)
  }, 60_000)

  it('tells of a calibration that is to be reviewed while it goes on, as an event on the stream', async () => {
    const feed = await server.ops('token', 'add', 'meanwhile', '--role', 'ingest')
    const ended = new AbortController()
    const stream = await fetch(`${server.url}/api/v1/stream?station=AG-KCN-BINHLONG-01`, {
      headers: { authorization: `Bearer ${reader}` },
      signal: ended.signal
    })
    const send = (minutes: number, value: number, status: string) => ({
      at: Date.now() - minutes * MINUTE,
      readings: { COD: { value, status } }
    })
    const readings = [send(3, 300, '00'), send(2, 60, '01'), send(1, 60, '01')]
    await server.request('POST', '/api/v1/readings/AG-KCN-BINHLONG-01', { token: feed, body: JSON.stringify(readings) })
    let text = ''
    for await (const chunk of stream.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString()
      if (/event: calibration\ndata: .*\n\n/.test(text)) break
    }
    ended.abort()
    expect(JSON.parse(/event: calibration\ndata: (.*)\n\n/.exec(text)?.[1] ?? '{}')).toMatchObject({
      ...{ station: 'AG-KCN-BINHLONG-01', parameter: 'COD', state: 'to-be-reviewed', reasons: ['after-exceedance'], readings: 2 }
    })
  }, 30_000)

  const both = (day: string, series: [string, string, string], sides: [string, string][]) => ({ day, series, sides })
  it.each([
    both(
      '2025-09-01',
      ['AG-CCN-MYQUY-01', 'COD', '160'],
      [
        ['exceeds', 'QCVN 40:2011/BTNMT, column B'],
        ['no-limit', 'has not been loaded']
      ]
    ),
    both(
      '2026-01-01',
      ['AG-KK-LONGXUYEN-01', 'PM2,5', '48'],
      [
        ['preparing', '≤ 50 ug/m3'],
        ['exceeds', '≤ 45 ug/m3']
      ]
    ),
    both(
      '2024-07-01',
      [STATION, 'COD', '95'],
      [
        ['preparing', 'BINHHOA-2019'],
        ['exceeds', 'BINHHOA-2024']
      ]
    )
  ])('explains a value on both sides of $day differently, for the right reason', async ({ day, series, sides }) => {
    const [station, parameter, value] = series
    const first = Date.parse(`${day}T00:00:00+07:00`)
    for (const [n, [verdict, reason]] of sides.entries()) {
      const told = await server.ops('rules', 'explain', station, parameter, formatInstant(first - 1 + n), '--value', value, '--en')
      const daily = told.split('\n\n').find(part => part.includes('24 h mean')) ?? ''
      expect(daily).toMatch(new RegExp(`verdict +${verdict} = `))
      expect(daily).toContain(reason)
    }
  })
})
