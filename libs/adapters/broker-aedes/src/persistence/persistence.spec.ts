import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from '@jest/globals'
import Database from 'better-sqlite3'
import { closeAll, onClose, temporaryDir } from '../../test/harness.js'
import { DEFAULT_LIMITS, type Limits } from '../options.js'
import type { PublishLike } from './packets.js'
import { SqlitePersistence } from './persistence.js'
import { SessionFile } from './session-file.js'

afterEach(closeAll)

interface Opened {
  readonly persistence: SqlitePersistence
  readonly file: string
}

async function open(file?: string, limits: Partial<Limits> = {}): Promise<Opened> {
  const path = file ?? `${await temporaryDir()}/sessions.sqlite`
  const persistence = await SqlitePersistence.open({
    file: path,
    limits: { ...DEFAULT_LIMITS, ...limits },
    now: Date.now,
    sessionsBegin: 'used'
  })
  onClose(() => persistence.destroy())
  return { persistence, file: path }
}

const client = { id: 'station:AG-017/c' }
const packet = (payload: string, brokerCounter: number): PublishLike => ({
  cmd: 'publish',
  topic: 'commands',
  payload: Buffer.from(payload),
  qos: 1,
  retain: false,
  dup: false,
  brokerId: 'run-1',
  brokerCounter
})
const enqueue = (persistence: SqlitePersistence, payload: string, n: number): Promise<void> =>
  persistence.outgoingEnqueueCombi([{ clientId: client.id, qos: 1 }], packet(payload, n))

async function queued(persistence: SqlitePersistence): Promise<string[]> {
  const payloads: string[] = []
  for await (const each of persistence.outgoingStream(client)) payloads.push((each as PublishLike).payload.toString())
  return payloads
}

describe("Aedes' own suite for persistences", () => {
  it('passes', async () => {
    const suite = fileURLToPath(new URL('../../test/abstract-suite.js', import.meta.url))
    const child = spawn(process.execPath, ['--test', '--test-reporter=tap', suite], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', chunk => (output += String(chunk)))
    const [code] = (await once(child, 'exit')) as [number]
    const count = (what: string): number => Number(new RegExp(`^# ${what} (\\d+)`, 'm').exec(output)?.[1])
    process.stderr.write(`abstract persistence suite: ${count('pass')} passed, ${count('fail')} failed\n`)
    expect({ code, fail: count('fail'), skipped: count('skipped') }).toEqual({ code: 0, fail: 0, skipped: 0 })
    expect(count('pass')).toBeGreaterThanOrEqual(50)
  }, 120_000)
})

describe('the session file', () => {
  it('gives back after a reopening what was kept: payload bytes, order, identifiers', async () => {
    const first = await open()
    const payloads = Array.from({ length: 50 }, (_, n) => `${n} \0 đo mực nước`)
    await Promise.all(payloads.map((payload, n) => enqueue(first.persistence, payload, n + 1)))
    await first.persistence.outgoingUpdate(client, { ...packet('', 1), messageId: 77 })
    await first.persistence.destroy()
    const { persistence } = await open(first.file)
    expect(await queued(persistence)).toEqual(payloads)
    expect(await persistence.outgoingClearMessageId(client, { messageId: 77 })).toMatchObject({
      payload: Buffer.from(payloads[0] as string)
    })
    expect(await queued(persistence)).toEqual(payloads.slice(1))
  })

  it('a message that finds no room is refused with an error and is not delivered later; what was acknowledged makes room', async () => {
    const { persistence, file } = await open(undefined, { sessionFileBytes: 400_000 })
    const payload = 'x'.repeat(10_000)
    let kept = 0
    const fill = async (): Promise<void> => {
      for (;;) {
        await enqueue(persistence, payload, kept + 1)
        kept++
      }
    }
    await expect(fill()).rejects.toMatchObject({ code: 'QT_MQTT_SESSIONS_FULL' })
    expect(kept).toBeGreaterThan(10)
    expect(await queued(persistence)).toHaveLength(kept)
    for (let n = 1; n <= kept; n++) {
      await persistence.outgoingUpdate(client, { ...packet('', n), messageId: n })
      await persistence.outgoingClearMessageId(client, { messageId: n })
    }
    await enqueue(persistence, payload, 1_000)
    await persistence.destroy()
    const again = await open(file)
    expect(await queued(again.persistence)).toEqual([payload])
  })

  it('a subscription, a retained message or a will that finds no room is not there either', async () => {
    const { persistence } = await open(undefined, { sessionFileBytes: 60_000 })
    const large = Buffer.alloc(50_000)
    const full = { code: 'QT_MQTT_SESSIONS_FULL' }
    await expect(persistence.addSubscriptions(client, [{ topic: 'x'.repeat(50_000), qos: 1 }])).rejects.toMatchObject(full)
    await expect(persistence.storeRetained({ ...packet('', 1), payload: large })).rejects.toMatchObject(full)
    await expect(persistence.putWill(client, { topic: 't', payload: large, qos: 0, retain: false })).rejects.toMatchObject(full)
    await expect(persistence.incomingStorePacket(client, { ...packet('', 1), payload: large, messageId: 3 })).rejects.toMatchObject(full)
    expect(persistence.hasSubscriber('x'.repeat(50_000))).toBe(false)
    expect(persistence.stats().retainedMessages).toBe(0)
    expect(await persistence.getWill(client)).toBeUndefined()
    expect(persistence.hasIncoming(client, 3)).toBe(false)
  })

  it('one that cannot be kept does not take along the others that are written with it', async () => {
    const { persistence, file } = await open(undefined, { sessionFileBytes: 100_000 })
    const results = await Promise.allSettled([1, 2, 3].map(n => enqueue(persistence, n === 2 ? 'x'.repeat(200_000) : `small ${n}`, n)))
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    await persistence.destroy()
    expect(await queued((await open(file)).persistence)).toEqual(['small 1', 'small 3'])
  })

  it('commits what was promised with an fsync, and the rest without', async () => {
    const file = SessionFile.open({ file: `${await temporaryDir()}/sessions.sqlite`, maxBytes: 2 ** 30 })
    onClose(() => file.close())
    for (const durable of [true, false, false, true]) {
      expect(file.write([['putSession', 's', 0, 1]], durable)).toEqual({ kind: 'written', failed: [] })
      expect(file.isDurable).toBe(durable)
    }
  })

  it('is read by other programs while it is written, so that a backup copies it', async () => {
    const { persistence, file } = await open()
    await enqueue(persistence, 'waiting', 1)
    const copying = new Database(file, { readonly: true, timeout: 0 })
    onClose(() => void copying.close())
    expect(copying.prepare('SELECT count(*) FROM queue').pluck().get()).toBe(1)
    await expect(open(file)).rejects.toMatchObject({ code: 'QT_MQTT_SESSIONS_LOCKED' })
  })

  it('one of a later version of the program is refused', async () => {
    const { persistence, file } = await open()
    await persistence.destroy()
    const db = new Database(file)
    db.pragma('user_version = 99')
    db.close()
    await expect(open(file)).rejects.toMatchObject({ code: 'QT_MQTT_SESSIONS_UNREADABLE', message: expect.stringContaining('99') })
  })

  it('one that is not a session file is left alone, and refused', async () => {
    const file = `${await temporaryDir()}/sessions.sqlite`
    await writeFile(file, 'not a database, but somebody may want it'.repeat(100))
    await expect(open(file)).rejects.toMatchObject({ code: 'QT_MQTT_SESSIONS_UNREADABLE', message: expect.stringContaining(file) })
    expect((await readFile(file, 'utf8')).startsWith('not a database')).toBe(true)
  })

  it('after it is closed everything is refused, and nothing waits for ever', async () => {
    const { persistence } = await open()
    const late = enqueue(persistence, 'just in time', 1)
    const closing = persistence.destroy()
    await late
    await closing
    await expect(enqueue(persistence, 'too late', 2)).rejects.toMatchObject({ code: 'QT_MQTT_CLOSED' })
    await persistence.destroy()
  })
})
