import { createHmac } from 'node:crypto'
import type { Server } from 'node:http'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { MqttClient } from 'mqtt'
import { eventually, TestServer } from './server.js'

const STATION = 'AG-KCN-BINHHOA-01'
const OTHER = 'AG-KCN-BINHLONG-01'
const TOPIC = `quantrac/v1/${STATION}/readings`
const at = (ms: number): string => new Date(ms).toISOString()

/** The whole path through the started program: real sockets, real files, a real webhook receiver. */
describe('from a station’s PUBLISH to a kept reading, an alarm and an answer', () => {
  let server: TestServer
  let secret: string
  let reader: string
  let operator: string
  let writer: string
  let logger: MqttClient

  beforeAll(async () => {
    server = await TestServer.start()
    secret = await server.ops('station', 'secret', STATION)
    reader = await server.ops('token', 'add', 'reader', '--role', 'reader')
    operator = await server.ops('token', 'add', 'desk', '--role', 'operator')
    writer = await server.ops('token', 'add', 'feed', '--role', 'ingest')
    logger = await server.connect(STATION, secret, { clientId: 'logger' })
  })

  afterAll(async () => {
    await logger.endAsync(true)
    await server.dispose()
  })

  const readings = (query: string, headers = {}) => server.get(`/api/v1/series/${STATION}/COD/readings?${query}`, reader, headers)
  const publish = (message: object) => logger.publishAsync(TOPIC, JSON.stringify(message), { qos: 1 })

  it('answers a published reading over HTTP, with unit, flag and road', async () => {
    const time = Date.now() - 60_000
    await publish({ at: at(time), readings: { COD: 41.5 } })
    const [item] = await eventually(async () => {
      const { items } = (await readings(`from=${time}&to=${time + 1}`)).json()
      return items.length > 0 && items
    }, 'the reading is answered')
    expect(item).toMatchObject({
      station: STATION,
      parameter: 'COD',
      value: 41.5,
      unit: 'mg/L',
      status: '00',
      flag: 1,
      flags: ['status-assumed'],
      revision: 0,
      road: 'mqtt'
    })
    expect(String(item?.['at'])).toMatch(/\+07:00$/)
  })

  it('keeps what comes over HTTP, and says 202 only then', async () => {
    const time = Date.now() - 50_000
    const body = JSON.stringify({ at: at(time), readings: { COD: { value: 42, unit: 'mg/L', status: '00' }, pH: 'x' } })
    const answer = await server.request('POST', `/api/v1/readings/${STATION}`, { token: writer, body })
    expect(answer.status).toBe(202)
    expect(answer.json()).toMatchObject({ repeated: false, accepted: 1, refused: [{ parameter: 'pH', reason: 'not-a-number' }] })
    const again = await server.request('POST', `/api/v1/readings/${STATION}`, { token: writer, body })
    expect(again.json()).toMatchObject({ repeated: true, sequence: answer.json()['sequence'] })
    const item = await eventually(
      async () => (await readings(`from=${time}&to=${time + 1}`)).json().items[0],
      'the posted reading is answered'
    )
    expect(item).toMatchObject({ value: 42, road: 'http', flags: [] })
  })

  it('pages through a series and gives CSV to whom accepts it', async () => {
    const base = Date.UTC(2026, 0, 5)
    const batch = Array.from({ length: 25 }, (_, i) => ({ at: base + i * 1_000, readings: { COD: i } }))
    await logger.publishAsync(TOPIC, JSON.stringify(batch), { qos: 1 })
    const range = `from=${base}&to=${base + 100_000}`
    await eventually(async () => (await readings(`${range}&limit=25`)).json().items.length === 25, 'the batch is there')
    const values: unknown[] = []
    let after = ''
    do {
      const page = (await readings(`${range}&limit=10${after}`)).json()
      values.push(...page.items.map(item => item['value']))
      after = typeof page['next'] === 'string' ? `&after=${page['next']}` : ''
    } while (after)
    expect(values).toEqual(batch.map((_, i) => i))
    const csv = await readings(`${range}&limit=2`, { accept: 'text/csv' })
    expect(csv.headers.get('content-type')).toContain('text/csv')
    expect(csv.headers.get('x-next')).toBeTruthy()
    expect(csv.text.split('\r\n')).toHaveLength(4)
    expect(csv.text).toContain(`${STATION},COD,2026-01-05T07:00:00+07:00,0,mg/L,00,1,status-assumed,0,`)
  })

  it('acknowledges a bad payload, keeps it as a refusal with its bytes, and the connection stays open', async () => {
    await logger.publishAsync(TOPIC, Buffer.from([0xff, 0x00, 0x9c]), { qos: 1 })
    await publish({ at: 'yesterday', readings: { COD: 1 } })
    expect(logger.connected).toBe(true)
    const items = await eventually(async () => {
      const list = (await server.get(`/api/v1/refusals?station=${STATION}`, reader)).json().items
      return list.some(i => i['reason'] === 'not-utf8') && list.some(i => i['reason'] === 'bad-instant') && list
    }, 'the refusals are listed')
    const noise = items.find(i => i['reason'] === 'not-utf8')
    expect(noise).toMatchObject({
      station: STATION,
      topic: 'readings',
      payloadBytes: 3,
      payload: Buffer.from([0xff, 0x00, 0x9c]).toString('base64')
    })
  })

  it('keeps the same message sent 1,000 times as one reading', async () => {
    const time = Date.now() - 40_000
    const message = { at: at(time), readings: { COD: 43 } }
    await Promise.all(Array.from({ length: 1_000 }, () => publish(message)))
    const mark = time + 1_000
    await publish({ at: at(mark), readings: { COD: 44 } })
    await eventually(async () => (await readings(`from=${mark}&to=${mark + 1}`)).json().items.length === 1, 'the mark is there')
    expect((await readings(`from=${time}&to=${time + 1}`)).json().items).toHaveLength(1)
    expect((await server.get('/api/v1/conflicts', reader)).json().items).toEqual([])
  })

  it('keeps both values of a conflict, and a higher revision replaces', async () => {
    const time = Date.now() - 30_000
    await publish({ at: at(time), readings: { COD: 50 } })
    await publish({ at: at(time), readings: { COD: 51 } })
    const conflict = await eventually(async () => (await server.get('/api/v1/conflicts', reader)).json().items[0], 'the conflict is listed')
    expect(conflict).toMatchObject({ station: STATION, parameter: 'COD', kept: 50, other: 51, revision: 0 })
    await publish({ at: at(time), readings: { COD: 52 }, revision: 1 })
    const item = await eventually(async () => {
      const found = (await readings(`from=${time}&to=${time + 1}`)).json().items[0]
      return found?.['revision'] === 1 && found
    }, 'the revision is answered')
    expect(item).toMatchObject({ value: 52 })
  })

  it('keeps a clock of 1970 and one of 2100, and lets neither into verdicts', async () => {
    await publish({ at: 86_400_000, readings: { COD: 1 } })
    await publish({ at: '2100-01-01T00:00:00Z', readings: { COD: 500 } })
    const items = await eventually(async () => {
      const found = (await readings('limit=1000')).json().items
      return String(found[0]?.['at']).startsWith('1970') && String(found.at(-1)?.['at']).startsWith('2100') && found
    }, 'both are there')
    expect(items.at(-1)).toMatchObject({ flag: 3, flags: expect.arrayContaining(['clock-ahead']) })
    const { items: latest } = (await server.get(`/api/v1/stations/${STATION}/latest`, reader)).json()
    expect(latest.find(i => i['parameter'] === 'COD')).toMatchObject({ value: 52, verdict: 'within' })
    expect((await server.get(`/api/v1/alarms?station=${STATION}`, reader)).json().items).toEqual([])
  })

  describe('an exceedance', () => {
    let receiver: Server
    const received: { headers: Record<string, unknown>; body: string }[] = []
    let signingKey: string
    let second: MqttClient

    beforeAll(async () => {
      receiver = createServer((request, response) => {
        let body = ''
        request.on('data', (chunk: Buffer) => (body += chunk.toString()))
        request.on('end', () => {
          received.push({ headers: request.headers, body })
          response.end()
        })
      })
      await new Promise<void>(resolve => receiver.listen(0, '127.0.0.1', resolve))
      const address = receiver.address() as { port: number }
      signingKey = await server.ops('recipient', 'add', '--channel', 'webhook', '--target', `http://127.0.0.1:${address.port}/hook`)
      second = await server.connect(OTHER, await server.ops('station', 'secret', OTHER))
    })

    afterAll(async () => {
      await second.endAsync(true)
      receiver.closeAllConnections()
      receiver.close()
    })

    it('reaches the webhook, signed, is acknowledged, and clears', async () => {
      const send = (ms: number, value: number) =>
        second.publishAsync(`quantrac/v1/${OTHER}/readings`, JSON.stringify({ at: at(ms), readings: { COD: value } }), { qos: 1 })
      const start = Date.now() - 20_000
      for (const [i, value] of [20, 250, 250, 250].entries()) await send(start + i * 1_000, value)
      const hook = await eventually(async () => received.find(r => r.body.includes('alarm.raised')), 'the webhook hears of it')
      const signature = String(hook.headers['x-quantrac-signature'])
      const [, time, mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature) ?? []
      expect(mac).toBe(createHmac('sha256', signingKey).update(`${time}.${hook.body}`).digest('hex'))
      expect(hook.headers['idempotency-key']).toBeTruthy()

      const [alarm] = (await server.get(`/api/v1/alarms?open=true&station=${OTHER}`, reader)).json().items
      expect(alarm).toMatchObject({ parameter: 'COD', severity: 'exceeds', state: 'unacknowledged-active', clearedAt: null })
      const path = `/api/v1/alarms/${encodeURIComponent(String(alarm?.['id']))}`
      const denied = await server.request('POST', `${path}/acknowledge`, { token: reader, body: '{}' })
      expect([denied.status, denied.json()['code']]).toEqual([403, 'QT_HTTP_FORBIDDEN'])
      const done = await server.request('POST', `${path}/acknowledge`, { token: operator, body: '{"comment":"đã gọi nhà máy"}' })
      expect(done.json()).toMatchObject({ state: 'acknowledged-active', acknowledgedBy: 'desk', comment: 'đã gọi nhà máy' })

      for (const [i, value] of [20, 20, 20].entries()) await send(start + (4 + i) * 1_000, value)
      const cleared = await eventually(async () => {
        const found = (await server.get(path, reader)).json()
        return found['state'] === 'normal' && found
      }, 'the alarm clears')
      expect(cleared['clearedAt']).not.toBeNull()
      expect((cleared['history'] as { kind: string }[]).map(t => t.kind)).toEqual(
        expect.arrayContaining(['raised', 'acknowledged', 'cleared'])
      )
      await eventually(async () => received.some(r => r.body.includes('alarm.cleared')), 'the webhook hears of the end')
      const keys = received.map(r => r.headers['idempotency-key'])
      expect(new Set(keys).size).toBe(keys.length)
    })
  })

  it('streams readings as they come', async () => {
    const ended = new AbortController()
    const response = await fetch(`${server.url}/api/v1/stream?station=${STATION}`, {
      headers: { authorization: `Bearer ${reader}` },
      signal: ended.signal
    })
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    const heard = (async () => {
      let text = ''
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        text += Buffer.from(chunk).toString()
        if (text.includes('"value":47.25')) return text
      }
      return text
    })()
    await new Promise(resolve => setTimeout(resolve, 50))
    await publish({ at: at(Date.now()), readings: { COD: 47.25 } })
    expect(await heard).toMatch(/id: \d+\nevent: readings\ndata: \{"station":"AG-KCN-BINHHOA-01"/)
    ended.abort()
  })

  it('counts what came in', async () => {
    const text = (await server.get('/metrics')).text
    expect(text).toMatch(/quantrac_messages_received_total\{road="mqtt"\} \d{4}/)
    expect(text).toMatch(new RegExp(`quantrac_readings_total\\{station="${STATION}",outcome="refused"\\} [1-9]`))
    expect(text).toContain('quantrac_consumer_lag_records{consumer="store"}')
    expect(text).toContain('quantrac_journal_healthy 1')
  })

  describe('bad requests', () => {
    it.each([
      ['/api/v1/latest?limit=0', 400, 'QT_HTTP_INVALID', 'limit'],
      ['/api/v1/latest?limit=1001', 400, 'QT_HTTP_INVALID', 'limit'],
      [`/api/v1/series/${STATION}/COD/readings?from=2026-13-01`, 400, 'QT_HTTP_INVALID', 'from'],
      [`/api/v1/series/${STATION}/COD/readings?from=2000&to=1000`, 400, 'QT_HTTP_INVALID', 'from'],
      [`/api/v1/series/${STATION}/COD/readings?after=!!`, 400, 'QT_HTTP_INVALID', 'after'],
      ['/api/v1/alarms?state=angry', 400, 'QT_HTTP_INVALID', 'state'],
      ['/api/v1/stations/..%2f', 400, 'QT_HTTP_INVALID', 'code'],
      ['/api/v1/stations/NOBODY', 404, 'QT_HTTP_NOT_FOUND', null],
      [`/api/v1/series/${STATION}/Gold/readings`, 404, 'QT_HTTP_NOT_FOUND', null],
      ['/api/v1/alarms/none', 404, 'QT_HTTP_NOT_FOUND', null],
      ['/api/v2/latest', 404, 'QT_HTTP_NOT_FOUND', null]
    ])('%s is %i %s', async (path, status, code, field) => {
      const answer = await server.get(path, reader)
      expect(answer.headers.get('content-type')).toContain('application/problem+json')
      const problem = answer.json()
      expect([answer.status, problem['status'], problem['code']]).toEqual([status, status, code])
      if (field !== null) expect((problem['errors'] as { field: string }[]).map(e => e.field)).toContain(field)
    })

    it.each([
      ['no token', undefined, 401, 'QT_HTTP_UNAUTHORIZED'],
      ['a wrong token', 'qt_00000000000000000000000000000000', 401, 'QT_HTTP_UNAUTHORIZED']
    ])('%s is refused', async (_, token, status, code) => {
      const answer = await server.get('/api/v1/latest', token)
      expect([answer.status, answer.json()['code']]).toEqual([status, code])
    })

    const post = (token: string, body: string, headers: Record<string, string> = {}, code = STATION) =>
      server.request('POST', `/api/v1/readings/${code}`, { token, body, headers })

    it('a post of noise is 422 with the reason, and in the journal', async () => {
      const answer = await post(writer, 'COD=82')
      expect([answer.status, answer.json()['code'], answer.json()['reason']]).toEqual([422, 'QT_PAYLOAD_REFUSED', 'not-json'])
      expect(answer.json()['sequence']).toBeGreaterThan(0)
    })

    it('a post too large, of another type, with the wrong role, for nobody', async () => {
      expect((await post(writer, 'x'.repeat(300_000))).json()).toMatchObject({ status: 413, code: 'QT_HTTP_TOO_LARGE' })
      expect((await post(writer, 'x', { 'content-type': 'text/plain' })).json()).toMatchObject({ status: 415, code: 'QT_HTTP_MEDIA_TYPE' })
      expect((await post(reader, '{}')).json()).toMatchObject({ status: 403, code: 'QT_HTTP_FORBIDDEN' })
      expect((await post(writer, '{}', {}, 'NOBODY')).json()).toMatchObject({ status: 404 })
    })
  })

  it('leads to its documentation, which describes every route', async () => {
    expect((await server.get('/')).headers.get('location')).toBe('/api/docs')
    expect((await server.get('/api/docs')).status).toBe(200)
    const openapi = (await server.get('/api/openapi.json')).json()
    expect(Object.keys(openapi['paths'] as object)).toEqual(
      expect.arrayContaining([
        '/api/v1/stations',
        '/api/v1/latest',
        '/api/v1/series/{station}/{parameter}/readings',
        '/api/v1/readings/{code}',
        '/api/v1/alarms/{id}/acknowledge',
        '/api/v1/stream'
      ])
    )
  })

  it('goes on serving the others while strangers misbehave', async () => {
    await expect(server.connect(STATION, 'wrong')).rejects.toThrow(/Connection refused/)
    const foreign = await server.connect(STATION, secret, { clientId: 'foreign' })
    foreign.on('error', () => {})
    const closed = new Promise<void>(resolve => foreign.once('close', () => resolve()))
    foreign.publish(`quantrac/v1/${OTHER}/readings`, '{}', { qos: 1 })
    await closed
    foreign.end(true)
    const noise = connect(server.mqttPort, '127.0.0.1')
    const noiseClosed = new Promise(resolve => noise.once('close', resolve))
    noise.on('error', () => {})
    noise.end(Buffer.alloc(4_096, 0xfe))
    await noiseClosed
    const silent = connect(server.mqttPort, '127.0.0.1')
    const time = Date.now() - 1_000
    await publish({ at: at(time), readings: { COD: 45 } })
    await eventually(async () => (await readings(`from=${time}&to=${time + 1}`)).json().items.length === 1, 'the others are served')
    silent.destroy()
  })

  it('stops in order on SIGTERM and knows everything after a restart', async () => {
    const time = Date.now()
    await publish({ at: at(time), readings: { COD: 46 } })
    expect(await server.end('SIGTERM')).toBe(0)
    await server.start()
    await eventually(async () => (await readings(`from=${time}&to=${time + 1}`)).json().items.length === 1, 'the reading survived')
    expect(await server.ops('journal', 'verify')).toMatch(/^records \d+ damaged 0 /)
    expect(await server.ops('journal', 'tail', '--count', '1')).toContain('COD=46')
    logger = await server.connect(STATION, secret, { clientId: 'logger' })
  })

  it('gives a persistent subscriber the alarm that was raised after a kill -9, while it was away', async () => {
    const subscriber = await server.connect('token', operator, { clientId: 'desk', clean: false })
    await subscriber.subscribeAsync('quantrac/v1/alarms/#', { qos: 1 })
    await subscriber.endAsync()
    await server.end('SIGKILL')
    await server.start()
    const station = await server.connect(OTHER, await server.ops('station', 'secret', OTHER))
    const start = Date.now() + 1_000
    for (const i of [0, 1, 2, 3]) {
      await station.publishAsync(`quantrac/v1/${OTHER}/readings`, JSON.stringify({ at: at(start + i * 1_000), readings: { COD: 250 } }), {
        qos: 1
      })
    }
    await eventually(
      async () => (await server.get(`/api/v1/alarms?open=true&station=${OTHER}`, reader)).json().items.length > 0,
      'an alarm'
    )
    await station.endAsync()
    const message = await server.firstMessage('token', operator, 'desk')
    expect(JSON.parse(message)).toMatchObject({ type: 'alarm.raised', alarm: { station: OTHER, parameter: 'COD' } })
  })
})
