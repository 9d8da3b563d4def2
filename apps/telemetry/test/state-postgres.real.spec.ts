import { rmSync } from 'node:fs'
import { afterAll, afterEach, describe, expect, it } from '@jest/globals'
import { described, startPostgres } from '#libs/test-servers'
import { eventually, TestServer } from './server.js'

const found = await startPostgres()
const STATION = 'AG-KCN-BINHHOA-01'

/** The started program with its state in a real PostgreSQL. */
described(describe, { kind: 'postgres', name: 'the server on PostgreSQL', found }, postgres => {
  let servers: TestServer[] = []

  afterEach(async () => {
    for (const server of servers) await server.dispose()
    servers = []
  })
  afterAll(() => postgres.dispose())

  const prepare = async (url: string, more: Record<string, string> = {}): Promise<TestServer> => {
    const server = await TestServer.prepare({ QUANTRAC_STATE_URL: url, ...more })
    servers.push(server)
    return server
  }
  const excess = (from: number) => JSON.stringify([1, 2, 3].map(i => ({ at: from + i * 1_000, readings: { COD: 140 } })))
  const post = async (server: TestServer, token: string, body: string) =>
    expect((await server.request('POST', `/api/v1/readings/${STATION}`, { token, body })).status).toBe(202)

  it('knows tokens, alarms and acknowledgements after a restart, and while PostgreSQL was away forgets nothing', async () => {
    const server = await prepare(await postgres.database())
    await server.start()
    const feed = await server.ops('token', 'add', 'feed', '--role', 'ingest')
    const desk = await server.ops('token', 'add', 'desk', '--role', 'operator')
    const alarms = async () => (await server.get('/api/v1/alarms', desk)).json().items
    await post(server, feed, excess(Date.now() - 600_000))
    const raised = await eventually(async () => (await alarms())[0], 'an alarm')
    const id = String(raised['id'])
    expect((await server.request('POST', `/api/v1/alarms/${id}/acknowledge`, { token: desk, body: '{"by":"Lan"}' })).status).toBe(200)
    await server.end('SIGKILL')
    await server.start()
    expect(await alarms()).toMatchObject([{ id, acknowledgedBy: 'Lan' }])

    const { process: victim } = postgres
    if (!victim) return
    const mqtt = await server.connect(STATION, await server.ops('station', 'secret', STATION), { clientId: 'logger' })
    await victim.stop('SIGKILL')
    // Who is logged in is acknowledged; the alarm that this means is recorded when there is a place for it.
    await mqtt.publishAsync(
      `quantrac/v1/${STATION}/readings`,
      JSON.stringify({ at: Date.now() - 1_000, readings: { COD: 20, TSS: 900 } }),
      { qos: 1 }
    )
    await mqtt.publishAsync(`quantrac/v1/${STATION}/readings`, excess(Date.now() - 30_000).replaceAll('COD', 'TSS'), { qos: 1 })
    await mqtt.endAsync()
    const complains = async () => (await server.get('/health/ready')).text.includes('QT_STATE_UNREACHABLE')
    await eventually(complains, 'a complaint').finally(() => victim.start())
    await eventually(
      async () => (await alarms().catch(() => [])).some(alarm => alarm['parameter'] === 'TSS'),
      'the alarm of meanwhile',
      30_000
    )
  }, 90_000)

  it('refuses a second server, a state of another journal, and follows a new one when told to', async () => {
    const url = await postgres.database()
    const [first, second] = [await prepare(url), await prepare(url)]
    await first.start()
    expect(await second.launch()).toBe(1)
    expect(second.output).toContain('QT_STATE_IN_USE')
    await first.end('SIGTERM')
    second.output = ''
    expect(await second.launch()).toBe(1)
    expect(second.output).toContain('QT_STATE_OTHER_JOURNAL')
    await second.ops('state', 'adopt')
    await second.start()
    expect((await second.get('/health/ready')).status).toBe(200)
    rmSync(first.dataDir, { recursive: true, force: true })
  }, 90_000)
})
