import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { ALL, bodies, breakOverflowPages, flipByte, record, scratch, tamper, text } from '../test/scratch.js'
import { renewIdentity } from './database.js'
import type { JournalError } from './errors.js'
import type { Journal } from './journal.js'
import { JournalReader } from './reader.js'

const { dir, open, read } = scratch()

/** A journal with one block per inner list. */
async function filled(at: string, blocks: readonly (readonly string[])[]): Promise<Journal> {
  const journal = await open({ dir: at })
  for (const block of blocks) await Promise.all(block.map(body => journal.append(record(body))))
  return journal
}

const abc = [['a', 'b', 'c'], ['d'], ['e', 'f']]

describe('JournalReader', () => {
  it('reads after any sequence, in order, with what the record carries', async () => {
    const at = dir()
    const before = Date.now()
    await filled(at, abc)
    const reader = read(at)
    for (let after = 0; after <= 7; after++) expect(bodies(reader, after).join('')).toBe('abcdef'.slice(after))
    const [entry] = reader.read(3, ALL)
    expect(entry?.sequence).toBe(4)
    expect(entry?.committedAt).toBeGreaterThanOrEqual(before)
    expect(entry?.committedAt).toBeLessThanOrEqual(Date.now())
    expect([reader.firstSequence(), reader.lastSequence()]).toEqual([1, 6])
  })

  it('keeps to its limits, and the next read goes on where the last one stopped', async () => {
    const at = dir()
    await filled(at, abc)
    const limit = fc.record({ records: fc.integer({ min: 1, max: 4 }), bytes: fc.integer({ min: 1, max: 4 }) })
    fc.assert(
      fc.property(fc.array(limit, { minLength: 6, maxLength: 6 }), fc.nat(6), (limits, start) => {
        const reader = JournalReader.open(at)
        let after = start
        for (const { records, bytes } of limits) {
          const entries = reader.read(after, { records, bytes })
          expect(entries.map(text).join('')).toBe('abcdef'.slice(after, after + Math.min(records, bytes))) // one byte each
          after += entries.length
        }
        reader.close()
      })
    )
  })

  it('tells one journal from another, and a restored one from what it was', async () => {
    const [at, other] = [dir(), dir()]
    const journal = await filled(at, abc)
    await filled(other, abc)
    const identity = read(at).identity()
    expect(identity).toMatch(/^[0-9a-f]{12}$/)
    expect(read(other).identity()).not.toBe(identity)
    await journal.close()
    await (await open({ dir: at })).close()
    expect(read(at).identity()).toBe(identity)
    renewIdentity(at)
    expect(read(at).identity()).not.toBe(identity)
    expect(bodies(read(at)).join('')).toBe('abcdef')
  })

  it('returns one entry even when it is larger than the limit', async () => {
    const at = dir()
    await filled(at, [['large', 'next']])
    expect(read(at).read(0, { records: 10, bytes: 1 }).map(text)).toEqual(['large'])
  })

  it('reads back the newest entries, oldest first', async () => {
    const at = dir()
    await filled(at, abc)
    const reader = read(at)
    expect(reader.readBack(4).map(text)).toEqual(['c', 'd', 'e', 'f'])
    expect(reader.readBack(100)).toHaveLength(6)
    expect(reader.readBack(0)).toEqual([])
  })

  it('sees what is committed after it was opened, an empty journal too', async () => {
    const at = dir()
    const journal = await filled(at, [])
    const reader = read(at)
    expect([bodies(reader), reader.lastSequence(), reader.firstSequence()]).toEqual([[], 0, 0])
    await journal.append(record('a'))
    expect(bodies(reader)).toEqual(['a'])
    await journal.append(record('b'))
    expect(bodies(reader, 1)).toEqual(['b'])
  })

  it('follows a writer from another thread without missing or repeating anything', async () => {
    const at = dir()
    const journal = await open({ dir: at, batchBytes: 4_096, walBytes: 65_536 })
    const source = `
      import { parentPort } from 'node:worker_threads'
      import { JournalReader } from ${JSON.stringify(new URL('./reader.js', import.meta.url).href)}
      const reader = JournalReader.open(${JSON.stringify(at)})
      let after = 0, text = ''
      while (after < 5000) for (const { sequence, body } of reader.read(after, { records: 100, bytes: 10_000 })) {
        if (sequence !== after + 1) throw new Error(sequence + ' after ' + after)
        after = sequence
        text = new TextDecoder().decode(body)
      }
      reader.close()
      parentPort.postMessage(text)`
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`))
    const finished = new Promise<string>((resolve, reject) => worker.once('message', resolve).once('error', reject))
    for (let n = 1; n <= 5_000; n++) {
      const appended = journal.append(record(`${n}`.padStart(200)))
      if (n % 40 === 0) await appended
    }
    expect((await finished).trim()).toBe('5000')
    await worker.terminate()
  })

  it('says when there is no journal, and when the file is something else', async () => {
    const at = dir()
    expect(() => JournalReader.open(at)).toThrow(expect.objectContaining({ code: 'QT_JOURNAL_MISSING' }))
    tamper(at, db => db.exec('CREATE TABLE t (x); PRAGMA user_version = 1'))
    expect(() => JournalReader.open(at)).toThrow(expect.objectContaining({ code: 'QT_JOURNAL_FORMAT' }))
    await expect(open({ dir: at })).rejects.toMatchObject({ code: 'QT_JOURNAL_FORMAT' })
    writeFileSync(join(at, 'journal.sqlite'), 'no database at all, but long enough to be read as one'.repeat(100))
    expect(() => JournalReader.open(at)).toThrow(expect.objectContaining({ code: 'QT_JOURNAL_CORRUPT' }))
    await expect(open({ dir: at })).rejects.toMatchObject({ code: 'QT_JOURNAL_CORRUPT' })
  })

  it('refuses the file of a later format', async () => {
    const at = dir()
    await (await filled(at, abc)).close()
    tamper(at, db => db.pragma('user_version = 2'))
    expect(() => JournalReader.open(at)).toThrow(expect.objectContaining({ code: 'QT_JOURNAL_FORMAT' }))
    await expect(open({ dir: at })).rejects.toMatchObject({ code: 'QT_JOURNAL_FORMAT' })
  })
})

describe('JournalReader and damage', () => {
  const damaged = async (): Promise<string> => {
    const at = dir()
    await (await filled(at, abc)).close()
    flipByte(at, { at: 13 + 12 }) // the body of b
    return at
  }

  it('gives the sound records before a damaged one, then stops at it and names it', async () => {
    const reader = read(await damaged())
    expect(bodies(reader)).toEqual(['a'])
    const error = expect.objectContaining({ code: 'QT_JOURNAL_DAMAGED', sequence: 2, retry: false })
    expect(() => reader.read(1, ALL)).toThrow(error)
    expect(() => reader.read(1, ALL)).toThrow(error)
    expect(bodies(reader, 2)).toEqual(['c', 'd', 'e', 'f'])
    expect(reader.damagedRecords).toBe(1)
  })

  it('goes on past it, telling once, where the consumer asks for that', async () => {
    const told: JournalError[] = []
    const reader = read(await damaged(), { onDamaged: error => told.push(error) })
    expect(bodies(reader)).toEqual(['a', 'c', 'd', 'e', 'f'])
    expect(bodies(reader)).toEqual(['a', 'c', 'd', 'e', 'f'])
    expect(reader.read(1, { records: 1, bytes: 1 }).map(text)).toEqual(['c'])
    expect(told.map(({ sequence }) => sequence)).toEqual([2])
    expect(reader.damagedRecords).toBe(1)
  })

  it('goes on past a block whose pages SQLite cannot follow', async () => {
    const at = dir()
    const journal = await filled(at, [['before'], ['x'.repeat(60_000), 'y'.repeat(60_000)], ['behind']])
    await journal.close()
    breakOverflowPages(at)
    const told: JournalError[] = []
    expect(bodies(read(at, { onDamaged: error => told.push(error) }))).toEqual(['before', 'behind'])
    expect(told.map(({ sequence }) => sequence)).toEqual([2, 3])
  })
})
