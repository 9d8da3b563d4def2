import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Journal, JournalReader } from '#libs/journal'
import type { Reading, Station } from '#libs/model'
import { loadRegistry } from '#libs/platform'
import type { CompiledProfile } from '#libs/wire'
import { decodeRecord } from '#libs/wire'
import type { Inbound, IngestPorts } from './ingest.js'
import { ingest } from './ingest.js'
import { JournalSource } from './journal-source.js'
import type { Log } from './ports.js'

const NOW = Date.UTC(2026, 10, 24, 3, 5)
const silent: Log = { info: () => {}, warn: () => {}, error: () => {} }
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** The real registry of the example province and a real journal. */
describe('ingest', () => {
  let dir: string
  let journal: Journal
  let station: Station
  let ports: IngestPorts
  let kept: Reading[]

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'quantrac-ingest-'))
    journal = await Journal.open({ dir })
    kept = []
    const { stations, profiles } = await loadRegistry('devices/registry', 'devices')
    station = stations.find(s => s.profile === 'discharge-monitor') as Station
    ports = {
      journal,
      profileOf: s => profiles.get(s.profile) as CompiledProfile,
      clock: () => NOW,
      kept: readings => void kept.push(...readings)
    }
  })

  afterEach(async () => {
    await journal.close()
    rmSync(dir, { recursive: true })
  })

  const message = (payload: Uint8Array, extra: Partial<Inbound> = {}): Inbound => ({
    station,
    subject: 'readings',
    road: 'mqtt',
    qos: 1,
    mayRepeat: false,
    payload,
    ...extra
  })
  const records = () => {
    const source = new JournalSource(dir, silent)
    const read = source.read(0).records
    source.close()
    return read.map(r => r.record)
  }

  it('has the readings and the raw bytes in the journal when it resolves', async () => {
    const payload = bytes('{"at":"2026-11-24T10:05:00+07:00","readings":{"COD":82.1,"pH":7.1}}')
    const receipt = await ingest(message(payload), ports)
    expect(receipt).toEqual({ sequence: 1, repeated: false, accepted: 2, refused: [], refusal: null })
    const [record] = records()
    expect(record).toMatchObject({ kind: 'readings', station: station.code, receivedAt: NOW, qos: 1 })
    expect(record?.payload).toEqual(payload)
    expect(record?.kind === 'readings' && record.readings.map(r => [r.parameter, r.at, r.value])).toEqual([
      ['COD', NOW, 82.1],
      ['pH', NOW, 7.1]
    ])
  })

  it('keeps the good readings of a message with a bad one', async () => {
    const receipt = await ingest(message(bytes('{"at":"2026-11-24T10:05:00+07:00","readings":{"COD":"82","pH":7.1}}')), ports)
    expect(receipt.accepted).toBe(1)
    expect(receipt.refused).toMatchObject([{ parameter: 'COD', reason: 'not-a-number' }])
  })

  it.each([
    ['no JSON', bytes('COD=82.1')],
    ['binary noise', new Uint8Array([0xff, 0x00, 0x80, 0x07])],
    ['nothing', new Uint8Array()]
  ])('journals %s as a refusal with the raw bytes, and does not throw', async (_, payload) => {
    const receipt = await ingest(message(payload), ports)
    expect(receipt.refusal).not.toBeNull()
    expect(records()).toMatchObject([{ kind: 'refusal', station: station.code, payload }])
  })

  it('keeps a repeated message once, and notes that it came again', async () => {
    const payload = bytes('{"at":"2026-11-24T10:05:00+07:00","readings":{"COD":82.1}}')
    const first = await ingest(message(payload, { qos: 2 }), ports)
    const again = await ingest(message(payload, { qos: 2, mayRepeat: true }), ports)
    expect(again).toMatchObject({ sequence: first.sequence, repeated: true })
    const note = { kind: 'repeat', station: station.code, road: 'mqtt', of: first.sequence, readings: 1, payload: new Uint8Array() }
    expect(records()).toMatchObject([{ kind: 'readings', payload }, note])
    const third = await ingest(message(payload, { qos: 2, mayRepeat: true }), ports)
    expect(third).toMatchObject({ sequence: first.sequence, repeated: true })
  })

  it.each([
    ['online', { kind: 'status', online: true }],
    ['offline', { kind: 'status', online: false }],
    ['sleeping', { kind: 'refusal', reason: 'wrong-shape' }]
  ])('a status %s becomes %j', async (text, expected) => {
    await ingest(message(bytes(text), { subject: 'status' }), ports)
    expect(records()).toMatchObject([expected])
  })

  it('tells of the readings of a record once it is on disk, and not of repeats', async () => {
    const payload = bytes('{"at":"2026-11-24T10:05:00+07:00","readings":{"COD":82.1,"pH":7.1}}')
    await ingest(message(payload), ports)
    await ingest(message(payload, { mayRepeat: true }), ports)
    await ingest(message(bytes('no JSON')), ports)
    expect(kept.map(({ parameter, value }) => `${parameter} ${value}`)).toEqual(['COD 82.1', 'pH 7.1'])
    await journal.close()
    await expect(ingest(message(payload), ports)).rejects.toThrow()
    expect(kept).toHaveLength(2)
  })

  it('throws when the journal cannot keep the message, so that nothing is acknowledged', async () => {
    await journal.close()
    await expect(ingest(message(bytes('{}')), ports)).rejects.toMatchObject({ code: 'QT_JOURNAL_CLOSED' })
  })

  it('a consumer reads what ingest wrote', async () => {
    await ingest(message(bytes('true'), { subject: 'reply' }), ports)
    const reader = JournalReader.open(dir)
    const [entry] = reader.read(0, { records: 10, bytes: 1_000 })
    reader.close()
    expect(entry && decodeRecord(entry.head, entry.body)).toMatchObject({ kind: 'reply', station: station.code })
  })
})
