import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { DAY, formatInstant, HOUR, MINUTE, VIETNAM_OFFSET } from '#libs/model'
import { type Answer, eventually, TestServer } from './server.js'

const STATION = 'AG-KCN-BINHHOA-01'
/** Midnight of UTC+7, four days ago: hours, and days, that are closed. */
const MIDNIGHT = Math.floor((Date.now() + VIETNAM_OFFSET) / DAY) * DAY - VIETNAM_OFFSET - 4 * DAY
const at = (minutes: number): number => MIDNIGHT + minutes * MINUTE
const instant = (minutes: number): string => formatInstant(at(minutes))

type Row = Record<string, unknown>
const remove = (from: number, to: number) => ({ kind: 'remove', from: instant(from), to: instant(to) })

describe('corrections beside the raw', () => {
  let server: TestServer
  let feed: string
  let reader: string
  let lan: string
  let minh: string

  beforeAll(async () => {
    server = await TestServer.start()
    feed = await server.ops('token', 'add', 'feed', '--role', 'ingest')
    reader = await server.ops('token', 'add', 'eye', '--role', 'reader')
    lan = await server.ops('token', 'add', 'lan', '--role', 'operator')
    minh = await server.ops('token', 'add', 'minh', '--role', 'operator')
  }, 60_000)
  afterAll(() => server.dispose())

  const send = async (readings: readonly { at: number; readings: Row; revision?: number }[]): Promise<void> => {
    const answer = await server.request('POST', `/api/v1/readings/${STATION}`, { token: feed, body: JSON.stringify(readings) })
    expect(answer.status).toBe(202)
  }
  const ask = (method: string, path: string, body: unknown, token: string): Promise<Answer> =>
    server.request(method, `/api/v1/corrections${path}`, { token, body: JSON.stringify(body) })
  const draft = async (change: unknown, more: Row = {}): Promise<Row> => {
    const answer = await ask('POST', '', { station: STATION, parameter: 'COD', change, reason: 'the pump was off', ...more }, lan)
    expect([answer.status, answer.text]).toEqual([201, expect.any(String)])
    return answer.json()
  }
  const step = async (correction: Row, name: string, token: string, body: Row = {}): Promise<Row> => {
    const answer = await ask('POST', `/${String(correction['id'])}/${name}`, { version: correction['version'], ...body }, token)
    expect([answer.status, answer.text]).toEqual([200, expect.any(String)])
    return answer.json()
  }
  const accept = async (change: unknown, more: Row = {}): Promise<Row> =>
    step(await step(await draft(change, more), 'submit', lan), 'approve', minh)
  const codeOf = (answer: Answer) => [answer.status, answer.json()['code']]

  const series = (what: string, query: string, parameter = 'COD', headers = {}) =>
    server.get(`/api/v1/series/${STATION}/${parameter}/${what}?${query}`, reader, headers)
  const span = `from=${at(0)}&to=${at(3 * 60) + 1}`
  const readings = async (query = '', parameter = 'COD') => (await series('readings', `${span}${query}`, parameter)).json()
  const windows = async (period: string, query = '', parameter = 'COD'): Promise<Row[]> =>
    (await series('aggregates', `period=${period}&from=${MIDNIGHT - DAY}&to=${MIDNIGHT + 40 * DAY}${query}`, parameter)).json().items
  const values = async (query = '', parameter = 'COD') => (await readings(query, parameter)).items.map(({ value }) => value)
  const published = () =>
    eventually(async () => {
      const days = await windows('day')
      return days.length === 1 && days[0]?.['provisional'] === false && days[0]['received'] === 4
    }, 'the day')

  it('the raw series stays, the corrected one stands beside it, and both are told as they were at any instant', async () => {
    await send([30, 60, 90, 120].map((minutes, n) => ({ at: at(minutes), readings: { COD: 10 * (n + 1), Flow: 100 } })))
    await published()
    const raw = { readings: await readings(), hours: await windows('hour'), days: await windows('day') }
    expect(raw.readings).toMatchObject({ as: 'raw', asOf: null, replacedLater: [], next: null })
    expect(Object.keys(raw.readings.items[0] ?? {})).not.toContain('corrections')
    const before = Date.now()
    await new Promise(resolve => setTimeout(resolve, 2))

    const first = await draft({ kind: 'replace', values: [{ at: instant(30), value: 100 }] })
    expect(first).toMatchObject({ id: 1, state: 'draft', stateCode: 0, version: 1, author: { name: 'lan', token: 'lan' }, approver: null })
    const waiting = await step(first, 'submit', lan)
    expect(await values('&as=corrected')).toEqual([10, 20, 30, 40])
    const preview = (await server.get('/api/v1/corrections/1/readings', reader)).json()
    expect(preview).toMatchObject({ items: [{ at: instant(30), value: 100, raw: { value: 10, flag: 1 } }], next: null })
    expect(preview.items).toHaveLength(1)
    const accepted = await step(waiting, 'approve', minh, { comment: 'laboratory sheet 17' })
    expect(accepted).toMatchObject({ state: 'accepted', stateCode: 4, version: 3, approver: { name: 'minh' } })
    const between = Date.parse(String(accepted['acceptedAt']))
    await new Promise(resolve => setTimeout(resolve, 2))
    await accept(remove(90, 90))

    expect(await readings()).toEqual(raw.readings)
    const corrected = await readings('&as=corrected')
    expect(corrected).toMatchObject({ as: 'corrected', asOf: null })
    expect(corrected.items.map(({ value, flag, excluded, corrections, raw: was }) => [value, flag, excluded, corrections, was])).toEqual([
      [100, 2, false, [1], { value: 10, flag: 1 }],
      [20, 1, false, [], undefined],
      [30, 4, true, [2], { value: 30, flag: 1 }],
      [40, 1, false, [], undefined]
    ])
    expect(await values(`&as=corrected&asOf=${before}`)).toEqual([10, 20, 30, 40])
    const then = await readings(`&as=corrected&asOf=${between}`)
    expect(then).toMatchObject({ as: 'corrected', asOf: formatInstant(between) })
    expect(then.items.map(({ value, excluded }) => [value, excluded])).toEqual([[100, false], ...[20, 30, 40].map(v => [v, false])])

    expect([await windows('hour'), await windows('day')]).toEqual([raw.hours, raw.days])
    const hours = await windows('hour', '&as=corrected')
    expect(hours).toMatchObject([
      { mean: 60, count: 2, revision: 0, provisional: false, corrections: [1], sum: 6 },
      { mean: 40, count: 1, received: 2, worstFlag: 4, corrections: [2] }
    ])
    expect(await windows('day', '&as=corrected')).toMatchObject([{ mean: 50, count: 3, received: 4, revision: 0, corrections: [1, 2] }])
    expect(await windows('day', `&as=corrected&asOf=${between}`)).toMatchObject([
      { mean: (60 + 35) / 2, corrections: [1], replacedLater: 0 }
    ])
    expect(await windows('day', `&asOf=${before}`)).toMatchObject([{ mean: 25, revision: 0 }])
    const [month] = await windows('month', '&as=corrected')
    expect(month).toMatchObject({ mean: 50, count: 3, corrections: [1, 2] })
    // What nobody corrected is what is published.
    expect(await windows('day', '&as=corrected', 'Flow')).toMatchObject([{ corrections: [], revision: 1 }])

    // Taken back: from then on, and not before.
    const now = Date.now()
    await new Promise(resolve => setTimeout(resolve, 2))
    expect(codeOf(await ask('POST', '/1/cancel', { version: 3, comment: 'wrong sheet' }, lan))).toEqual([403, 'QT_CORRECTION_SAME_PERSON'])
    expect(await step(accepted, 'cancel', minh, { comment: 'wrong sheet' })).toMatchObject({ state: 'cancelled', stateCode: 5 })
    expect(await values('&as=corrected')).toEqual([10, 20, 30, 40])
    expect(await values(`&as=corrected&asOf=${now}`)).toEqual([100, 20, 30, 40])
    const told = (await server.get('/api/v1/corrections/1', reader)).json() as unknown as { history: Row[] }
    expect(told.history.map(({ event, state, comment, by }) => [event, state, comment, (by as Row)['name']])).toEqual([
      ['create', 'draft', null, 'lan'],
      ['submit', 'waiting', null, 'lan'],
      ['approve', 'accepted', 'laboratory sheet 17', 'minh'],
      ['cancel', 'cancelled', 'wrong sheet', 'minh']
    ])
  })

  it('a corrected flow changes the load of its hour', async () => {
    await accept({ kind: 'scale', from: instant(1), to: instant(60), factor: 0.5 }, { parameter: 'Flow' })
    const [first, second] = await windows('hour', '&as=corrected')
    expect(first).toMatchObject({ mean: 15, sum: (15 * 50) / 1_000, corrections: [3] })
    expect(second).toMatchObject({ corrections: [2] })
    expect((await windows('hour'))[0]).toMatchObject({ sum: 1.5 })
  })

  it('as of an instant nothing is known that came later; of what was replaced since, that is said', async () => {
    await send([30, 60].map(minutes => ({ at: at(minutes), readings: { pH: 7 } })))
    await eventually(async () => (await values('', 'pH')).length === 2, 'two readings')
    const then = Date.now()
    await new Promise(resolve => setTimeout(resolve, 5))
    await send([
      { at: at(30), readings: { pH: 8 }, revision: 1 },
      { at: at(45), readings: { pH: 9 } }
    ])
    await eventually(async () => (await values('', 'pH')).join() === '8,9,7', 'three readings')
    const known = await readings(`&asOf=${then}`, 'pH')
    expect(known).toMatchObject({ as: 'raw', asOf: formatInstant(then), replacedLater: [instant(30)] })
    expect(known.items.map(({ value }) => value)).toEqual([7])
    expect(await windows('hour', `&asOf=${then}`, 'pH')).toMatchObject([{ mean: 7, count: 1, replacedLater: 1 }])
    expect(await windows('hour', `&asOf=${at(0)}`, 'pH')).toEqual([])
    expect((await series('readings', `asOf=${Date.now() + HOUR}`)).json()).toMatchObject({
      code: 'QT_HTTP_INVALID',
      errors: [{ field: 'asOf' }]
    })
    expect((await series('aggregates', 'period=hour&as=best')).status).toBe(400)
  })

  it('pages and CSV say what they are of', async () => {
    const page = (query: string) => series('readings', `${span}&limit=2&as=corrected${query}`)
    const first = (await page('')).json()
    const rest = (await page(`&after=${String(first['next'])}`)).json()
    expect([first.items, rest.items].map(items => items.map(({ value }) => value))).toEqual([
      [10, 20],
      [30, 40]
    ])
    expect(rest['next']).toBeNull()
    const csv = await series('readings', `${span}&as=corrected&asOf=${Date.now()}`, 'COD', { accept: 'text/csv' })
    expect([csv.headers.get('x-as'), csv.headers.get('x-replaced-later')]).toEqual(['corrected', '0'])
    expect(csv.text.split('\r\n')[3]).toMatch(/,30,1,true,2,gross-range:1 spike:2 flat-line:2 still-flow:1$/)
    const hours = await series('aggregates', 'period=hour&as=corrected&limit=1', 'COD', { accept: 'text/csv' })
    expect(hours.text.split('\r\n').map(line => line.split(',').at(-1))).toEqual(['corrections', '3', ''])
    expect(hours.headers.get('x-next')).not.toBeNull()
  })

  it('who may: readers read, operators correct, and one token is one person, whatever it calls itself', async () => {
    const body = { station: STATION, parameter: 'COD', change: remove(1, 2), reason: 'x' }
    expect((await ask('POST', '', body, reader)).status).toBe(403)
    expect((await ask('POST', '', body, feed)).status).toBe(403)
    expect((await server.request('POST', '/api/v1/corrections', { body: JSON.stringify(body) })).status).toBe(401)
    const waiting = await step(await draft(remove(1, 2), { by: 'Nguyễn Thị Lan' }), 'submit', lan)
    expect(waiting).toMatchObject({ author: { name: 'Nguyễn Thị Lan', token: 'lan' } })
    const approve = (token: string, by?: string) =>
      ask('POST', `/${String(waiting['id'])}/approve`, { version: waiting['version'], ...(by ? { by } : {}) }, token)
    expect(codeOf(await approve(lan, 'Minh'))).toEqual([403, 'QT_CORRECTION_SAME_PERSON'])
    expect(codeOf(await approve(minh, 'nguyễn thị lan'))).toEqual([403, 'QT_CORRECTION_SAME_PERSON'])
    expect((await approve(minh)).status).toBe(200)
  })

  it('refuses what has no sense, what is unknown, and who was too late', async () => {
    const make = async (change: unknown, more: Row = {}) =>
      codeOf(await ask('POST', '', { station: STATION, parameter: 'COD', change, reason: 'x', ...more }, lan))
    expect(await make(remove(2, 1))).toEqual([400, 'QT_CORRECTION_INVALID'])
    expect(await make({ kind: 'scale', from: instant(0), to: instant(1), factor: 0 })).toEqual([400, 'QT_CORRECTION_INVALID'])
    expect(await make({ kind: 'forget' })).toEqual([400, 'QT_HTTP_INVALID'])
    expect(await make(remove(1, 2), { reason: '' })).toEqual([400, 'QT_HTTP_INVALID'])
    expect(await make(remove(1, 2), { parameter: 'Chlorine' })).toEqual([404, 'QT_HTTP_NOT_FOUND'])
    const one = await draft(remove(1, 2))
    const edit = (version: unknown) => ask('PUT', `/${String(one['id'])}`, { version, change: remove(1, 3), reason: 'longer' }, minh)
    const edited = await edit(1)
    expect(edited.json()).toMatchObject({
      version: 2,
      writers: [{ name: 'lan' }, { name: 'minh' }],
      change: remove(1, 3),
      reason: 'longer'
    })
    expect(codeOf(await edit(1))).toEqual([409, 'QT_CORRECTION_CONFLICT'])
    expect(codeOf(await ask('POST', `/${String(one['id'])}/approve`, { version: 2 }, minh))).toEqual([409, 'QT_CORRECTION_STATE'])
    expect(codeOf(await ask('POST', '/999/submit', { version: 1 }, minh))).toEqual([404, 'QT_CORRECTION_UNKNOWN'])
    expect((await ask('POST', '/1/forget', { version: 1 }, minh)).status).toBe(400)
    expect((await server.get('/api/v1/corrections/999', reader)).status).toBe(404)
    expect((await server.get('/api/v1/corrections/x', reader)).status).toBe(400)
    const list = async (query: string) => (await server.get(`/api/v1/corrections?${query}`, reader)).json()
    const drafts = await list(`state=draft&station=${STATION}`)
    expect(drafts.items.map(({ id }) => id)).toEqual([one['id']])
    const page = await list('limit=2')
    expect((await list(`limit=2&after=${String(page['next'])}`)).items).toHaveLength(2)
  })

  it('an operator sees and decides them at the command line, as somebody else than who wrote them', async () => {
    const waiting = await step(await draft(remove(1, 2)), 'submit', lan)
    const id = String(waiting['id'])
    expect(await server.ops('correction', 'list', '--state', 'waiting', '--station', STATION)).toBe(
      `${id.padEnd(6)} waiting   ${STATION}/COD remove ${instant(1)} to ${instant(2)} by lan: the pump was off`
    )
    const decide = (...words: string[]) => server.ops('correction', ...words)
    await expect(decide('approve', id, '--version', '2', '--by', 'LAN')).rejects.toThrow('QT_CORRECTION_SAME_PERSON')
    await expect(decide('approve', id, '--version', '1', '--by', 'Hoa')).rejects.toThrow('QT_CORRECTION_CONFLICT')
    await expect(decide('approve', id, '--by', 'Hoa')).rejects.toThrow('QT_OPS_USAGE')
    await expect(decide('reject', id, '--version', '2', '--by', 'Hoa')).rejects.toThrow('QT_CORRECTION_INVALID')
    await expect(decide('show', '999')).rejects.toThrow('QT_CORRECTION_UNKNOWN')
    await expect(decide('list', '--state', 'lost')).rejects.toThrow('QT_OPS_USAGE')
    expect(await decide('reject', id, '--version', '2', '--by', 'Hoa', '--comment', 'it\n\u001b[31mran')).toMatch(/^\d+ +rejected /)
    const [, written, ...history] = (await decide('show', id)).split('\n')
    expect(written).toBe('version 3 written by lan')
    expect(history.map(line => line.trim().replace(/^(\d) \S+/, '$1'))).toEqual([
      `1 create by lan -> draft: remove ${instant(1)} to ${instant(2)}: the pump was off`,
      '2 submit by lan -> waiting',
      '3 reject by Hoa -> rejected: it [31mran'
    ])
    const next = await step(await step(waiting, 'reopen', lan, { version: 3 }), 'submit', lan)
    expect(await decide('approve', id, '--version', String(next['version']), '--by', 'Hoa')).toMatch(/^\d+ +accepted /)
  })

  it('outlives the server', async () => {
    const before = [await readings('&as=corrected'), await windows('day', '&as=corrected')]
    await server.end('SIGKILL')
    await server.start()
    await eventually(async () => (await windows('day', '&as=corrected')).length === 1, 'the day')
    expect([await readings('&as=corrected'), await windows('day', '&as=corrected')]).toEqual(before)
  })
})
