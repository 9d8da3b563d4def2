import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import Database from 'better-sqlite3'
import { everyAnswer } from './every-answer.js'
import { eventually, TestServer } from './server.js'

const STATION = 'AG-KCN-BINHHOA-01'
const BUOY = 'AG-KCN-THANHLOC-01'
const TOPIC = `quantrac/v1/${STATION}/readings`

interface Stand {
  readonly journal: { readonly first: number; readonly last: number }
  readonly positions: readonly { readonly consumer: string; readonly sequence: number }[]
}

/**
 * A backup is made while stations publish; the server is then killed and two others are started:
 *
 * - `restored`, on the backup;
 * - `replayed`, on the original's own journal cut off after the backup's last record. All it knows beyond that is a copy of the
 *   directory from *before* the load, made while nothing ran: what operators had done till then. Everything else it must derive.
 *
 * Both stand at the same record and came there by different roads, so every answer must be equal to the byte.
 */
describe('a backup of a server under load, restored', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'quantrac-backup-'))
  const backup = join(scratch, 'backup')
  const registry = join(scratch, 'registry')
  let original: TestServer
  let restored: TestServer
  let replayed: TestServer
  let reader: string
  let stand: Stand
  const acknowledged: number[] = []

  beforeAll(async () => {
    // Silence is told by the clock and not by the journal: it has no place in a comparison of two journals.
    cpSync('devices/registry', registry, { recursive: true })
    const rules = readFileSync(join(registry, 'rules.yaml'), 'utf8').replace(/ {2}- id: silence\n {4}silence: \S+\n/, '')
    writeFileSync(join(registry, 'rules.yaml'), rules)
    original = await TestServer.start({ QUANTRAC_REGISTRY_DIR: registry })
    reader = await original.ops('token', 'add', 'reader', '--role', 'reader')
    await liveAWhile(original)
    await original.end('SIGTERM')
    cpSync(original.dataDir, join(scratch, 'replayed'), { recursive: true })

    await original.start()
    stand = await backUpUnderLoad(original)
    await original.end('SIGKILL')

    await original.ops('backup', 'restore', backup, '--to', join(scratch, 'restored'))
    cutJournal(original.dataDir, join(scratch, 'replayed'), stand.journal.last)
    restored = await startOn(join(scratch, 'restored'))
    replayed = await startOn(join(scratch, 'replayed'))
  }, 120_000)

  afterAll(async () => {
    for (const server of [original, restored, replayed] as (TestServer | undefined)[]) await server?.dispose()
    rmSync(scratch, { recursive: true, force: true })
  })

  /** What operators and stations do on a quiet day. */
  async function liveAWhile(server: TestServer): Promise<void> {
    const operator = await server.ops('token', 'add', 'desk', '--role', 'operator')
    const feed = await server.ops('token', 'add', 'feed', '--role', 'ingest')
    await server.ops('recipient', 'add', '--channel', 'webhook', '--target', 'http://127.0.0.1:9/nobody-listens')
    const now = Date.now()
    const excess = [1, 2, 3].map(i => ({ at: now - 90_000 + i * 1_000, readings: { COD: 140 } }))
    await server.request('POST', `/api/v1/readings/${STATION}`, { token: feed, body: JSON.stringify(excess) })
    const alarm = await eventually(async () => (await server.get('/api/v1/alarms', reader)).json().items[0], 'an alarm')
    const answer = await server.request('POST', `/api/v1/alarms/${String(alarm['id'])}/acknowledge`, {
      token: operator,
      body: '{"by":"Lan"}'
    })
    expect(answer.status).toBeLessThan(300)
    await server.request('POST', `/api/v1/readings/${STATION}`, { token: feed, body: 'no JSON' })
    await caughtUp(server)
  }

  /** Publishes and posts all that can come in, and makes the backup in the midst of it. */
  async function backUpUnderLoad(server: TestServer): Promise<Stand> {
    const feed = await server.ops('token', 'add', 'feed-2', '--role', 'ingest')
    const logger = await server.connect(STATION, await server.ops('station', 'secret', STATION), { clientId: 'logger' })
    let running = true
    const post = async (n: number): Promise<void> => {
      for (let i = 0; running; i++) {
        const { json, status } = await server.request('POST', `/api/v1/readings/${BUOY}`, { token: feed, body: payload(n, i) })
        if (status === 202) acknowledged.push(Number(json()['sequence']))
      }
    }
    const publish = async (): Promise<void> => {
      for (let i = 0; running; i++) await logger.publishAsync(TOPIC, payload(9, i), { qos: 1 })
    }
    const load = [post(1), post(2), post(3), publish()]
    await eventually(async () => acknowledged.length > 400, 'the load has begun')
    const before = acknowledged.length
    await server.ops('backup', 'create', backup)
    await eventually(async () => acknowledged.length > before + 100, 'the load goes on')
    running = false
    await Promise.all(load)
    await logger.endAsync(true)
    return JSON.parse(readFileSync(join(backup, 'manifest.json'), 'utf8')) as Stand
  }

  async function startOn(dataDir: string): Promise<TestServer> {
    const server = await TestServer.prepare({ QUANTRAC_REGISTRY_DIR: registry, QUANTRAC_DATA_DIR: dataDir })
    await server.start()
    await caughtUp(server)
    return server
  }

  it('was made while messages were being kept', () => {
    const last = Math.max(...acknowledged)
    expect(stand.journal.last).toBeGreaterThan(100)
    expect(stand.journal.last).toBeLessThan(last)
    expect(acknowledged.filter(sequence => sequence <= stand.journal.last).length).toBeGreaterThan(100)
    for (const { sequence } of stand.positions) expect(sequence).toBeLessThanOrEqual(stand.journal.last)
  })

  it('answers every question as a server does that replayed the same records', async () => {
    let answers: Record<string, unknown> = {}
    let expected: Record<string, unknown> = {}
    // Aggregates are published some seconds after their readings.
    await eventually(
      async () => {
        answers = await everyAnswer(restored, reader)
        expected = await everyAnswer(replayed, reader)
        return isDeepStrictEqual(answers, expected)
      },
      'the same answers',
      20_000
    ).catch(() => {}) // then the difference is shown below
    const count = (path: string): number => (expected[path] as unknown[]).length
    expect(Object.keys(answers).length).toBeGreaterThan(80)
    expect(count('/api/v1/alarms')).toBeGreaterThan(1)
    expect(count(`/api/v1/series/${BUOY}/COD/aggregates`)).toBeGreaterThan(0)
    expect(count('/api/v1/conflicts')).toBeGreaterThan(1)
    expect(count('/api/v1/refusals')).toBeGreaterThan(5)
    expect(count(`/api/v1/series/${BUOY}/COD/readings`)).toBeGreaterThan(100)
    expect(expected['/api/v1/alarms']).toContainEqual(expect.objectContaining({ acknowledgedBy: 'Lan' }))
    expect(answers).toEqual(expected)
  })

  it('keeps what comes next, under the next number', async () => {
    const feed = await restored.ops('token', 'add', 'feed-3', '--role', 'ingest')
    const at = Date.now()
    const answer = await restored.request('POST', `/api/v1/readings/${BUOY}`, {
      token: feed,
      body: JSON.stringify({ at, readings: { pH: 6.5 } })
    })
    expect(answer.json()['sequence']).toBe(stand.journal.last + 1)
    const path = `/api/v1/series/${BUOY}/pH/readings?from=${at}&to=${at + 1}`
    const item = await eventually(async () => (await restored.get(path, reader)).json().items[0], 'the reading is stored')
    expect(item).toMatchObject({ value: 6.5 })
  })

  it('a backup holds every database of the data directory', () => {
    const { files, leftOut } = JSON.parse(readFileSync(join(backup, 'manifest.json'), 'utf8')) as { files: unknown[]; leftOut: string[] }
    expect(files).toHaveLength(4)
    expect(leftOut).toEqual([])
  })
})

/** Good readings with alarms that come and go, corrections, repeated instants with other values, and nonsense. */
function payload(n: number, i: number): string {
  if (i % 17 === 3) return '{"at": "yesterday"}'
  const at = Date.UTC(2026, 10, 20) + n * 500 + Math.floor(i / 2) * 2_000
  const COD = i % 60 < 30 ? 20 + n : 150 + (i % 7)
  return JSON.stringify({
    at: i % 13 === 5 ? at - 60_000 : at,
    readings: { COD, pH: 7 + (i % 5) / 10 },
    ...(i % 11 === 0 ? { revision: 1 } : {})
  })
}

async function caughtUp(server: TestServer): Promise<void> {
  await eventually(
    async () => {
      const { consumers } = (await server.get('/health/ready')).json() as unknown as { consumers: { lag: number }[] }
      return consumers.length === 6 && consumers.every(({ lag }) => lag === 0)
    },
    'the consumers have caught up',
    30_000
  )
}

/** Puts the original's journal in the place of another one, without what came after a record. */
function cutJournal(from: string, to: string, last: number): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(to, `journal.sqlite${suffix}`), { force: true })
  for (const suffix of ['', '-wal']) cpSync(join(from, `journal.sqlite${suffix}`), join(to, `journal.sqlite${suffix}`))
  const journal = new Database(join(to, 'journal.sqlite'))
  journal.prepare('DELETE FROM block WHERE first > ?').run(last)
  const end = journal.prepare<[], number>('SELECT max(first + count - 1) FROM block').pluck().get()
  journal.close()
  expect(end).toBe(last) // a backup ends with a whole commit
}
