import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import Database from 'better-sqlite3'
import { killChildrenAfterEach, runChild } from '../test/children.js'
import type { FullDiskReport } from '../test/full-disk-child.js'
import { eventually, readBodies, record, scratch } from '../test/scratch.js'
import { storageFailure } from './errors.js'
import type { JournalHealth } from './health.js'
import type { Journal } from './journal.js'
import { verifyJournal } from './verify.js'

const { dir, open } = scratch()
killChildrenAfterEach()

const BIG = 'x'.repeat(50_000)
const QUOTA = { maxBytes: 1 << 20, probeIntervalMs: 20, markIntervalMs: 10 }

/** Appends until the journal refuses; returns the refusal. */
async function fill(journal: Journal): Promise<unknown> {
  for (;;) {
    try {
      await journal.append(record(BIG))
    } catch (error) {
      return error
    }
  }
}

describe('a disk that takes no more', () => {
  it('refuses the appends, keeps nothing of them, and recovers by itself when there is room', async () => {
    const at = dir()
    const child = runChild('./full-disk-child.js', { dir: at }, 4_096)
    expect(await child.ended).toMatchObject({ code: 0, errors: '' })
    const saw = JSON.parse(child.lines[0] as string) as FullDiskReport
    expect(saw).toMatchObject({ retry: true, atOnce: true, afterwards: null })
    expect(['QT_JOURNAL_IO', 'QT_JOURNAL_FULL']).toContain(saw.code)
    expect(saw.whileFull).toMatchObject({ code: saw.code, since: expect.any(Number), message: expect.any(String) })
    expect(saw.changes.map(({ state }) => state)).toEqual([saw.whileFull.state, 'ok'])
    expect(saw.stillFull).toBe(saw.whileFull.state)
    expect(readBodies(at).map(body => body.trim())).toEqual(saw.acknowledged)
    expect(saw.acknowledged.length).toBeGreaterThan(10)
    expect(verifyJournal(at).sound).toBe(true)
  })

  it('is told from a disk that fails', () => {
    const db = new Database(join(dir(), 'small.sqlite'))
    db.exec('CREATE TABLE t (x); PRAGMA max_page_count = 3')
    expect(failureOf(() => db.prepare('INSERT INTO t VALUES (zeroblob(100000))').run())).toMatchObject({ code: 'QT_JOURNAL_FULL' })
    db.close()
    expect(storageFailure(Object.assign(new Error('no space'), { code: 'ENOSPC' }))?.code).toBe('QT_JOURNAL_FULL')
    expect(storageFailure(Object.assign(new Error('write'), { code: 'SQLITE_IOERR_WRITE' }))?.code).toBe('QT_JOURNAL_IO')
    expect(storageFailure(Object.assign(new Error('read'), { code: 'SQLITE_CORRUPT_VTAB' }))?.code).toBe('QT_JOURNAL_CORRUPT')
    expect(storageFailure(new TypeError('ours'))).toBeUndefined()
    expect(storageFailure(Object.assign(new TypeError('ours'), { code: 'ERR_INVALID_ARG_TYPE' }))).toBeUndefined()
  })
})

describe('the quota', () => {
  it('refuses before it is passed, says so once, and recovers when a consumer has passed enough', async () => {
    const at = dir()
    const journal = await open({ dir: at, ...QUOTA })
    journal.mark('store', 0)
    const changes: JournalHealth[] = []
    journal.onHealth(health => changes.push(health))
    const error = await fill(journal)
    expect(error).toMatchObject({ code: 'QT_JOURNAL_QUOTA', retry: true })
    const kept = journal.lastSequence
    await expect(journal.append(record('small'))).rejects.toBe(error) // at once: the disk is not asked each time
    expect(journal.health()).toMatchObject({ state: 'full', code: 'QT_JOURNAL_QUOTA' })
    expect(journal.stats().usedBytes).toBeLessThanOrEqual(QUOTA.maxBytes)
    expect(readBodies(at)).toHaveLength(kept)

    journal.mark('store', kept - 1)
    await eventually(() => journal.health().state === 'ok')
    expect((await journal.append(record('after'))).sequence).toBe(kept + 1)
    expect(changes.map(({ state }) => state)).toEqual(['full', 'ok'])
    expect(readBodies(at).slice(-2)).toEqual([BIG, 'after']) // the unpassed one and the new one
  })

  it('lets an append try before the timer does', async () => {
    const journal = await open({ dir: dir(), ...QUOTA })
    await fill(journal)
    journal.mark('store', journal.lastSequence)
    let tries = 0
    const tryAgain = (): Promise<unknown> =>
      journal.append(record('again')).catch(() => ++tries && new Promise(setImmediate).then(tryAgain))
    expect(await tryAgain()).toMatchObject({ repeated: false })
    expect(journal.health().state).toBe('ok')
  })

  it('still acknowledges a repeat, which needs no room, and does not take that for recovery', async () => {
    const journal = await open({ dir: dir(), ...QUOTA, probeIntervalMs: 10 })
    await journal.append(record('known'))
    await fill(journal)
    await new Promise(resolve => setTimeout(resolve, 30))
    const again = (): Promise<unknown> =>
      journal.append(record('known'), { mayRepeat: true }).catch(() => new Promise(setImmediate).then(again))
    expect(await again()).toEqual({ sequence: 1, repeated: true })
    expect(journal.health().state).toBe('full')
  })

  it('does not take a refused record for kept when it is sent again', async () => {
    const at = dir()
    const journal = await open({ dir: at, ...QUOTA })
    journal.mark('store', 0)
    const send = (n: number) => journal.append(record(`${n}`.padEnd(50_000)), { mayRepeat: true })
    let n = 1
    while (await send(n).catch(() => null)) n++
    expect(journal.lastSequence).toBe(n - 1) // number n reached the writer and was refused there
    journal.mark('store', n - 1)
    await eventually(() => journal.health().state === 'ok')
    expect(await send(n)).toEqual({ sequence: n, repeated: false })
    expect(await send(n)).toEqual({ sequence: n, repeated: true })
    expect(readBodies(at).at(-1)?.trim()).toBe(`${n}`)
  })

  it('settles appends in the order of the calls, before, during and after', async () => {
    const journal = await open({ dir: dir(), ...QUOTA, batchBytes: 65_536, probeIntervalMs: 10 })
    journal.mark('store', 0)
    const settled: number[] = []
    const outcomes = new Set<string>()
    const all = []
    for (let n = 0; n < 400; n++) {
      const note = (outcome: string) => () => settled.push(n) && outcomes.add(outcome)
      all.push(journal.append(record(BIG)).then(note('kept'), note('refused')))
      if (n % 3 === 0) await new Promise(resolve => setTimeout(resolve, 1))
      if (n % 100 === 99) journal.mark('store', journal.lastSequence)
    }
    await Promise.all(all)
    expect(settled).toEqual(Array.from({ length: 400 }, (_, n) => n))
    expect([...outcomes].sort()).toEqual(['kept', 'refused'])
  })
})

describe('a writer thread that dies', () => {
  it('rejects what it had, is replaced, and its successor goes on with the sequences and the marks', async () => {
    const at = dir()
    const journal = await open({ dir: at, maxAgeMs: 0, faultPoint: 'writer-crash', faultAfter: 2 })
    const changes: JournalHealth[] = []
    journal.onHealth(health => changes.push(health))
    expect((await journal.append(record('a'))).sequence).toBe(1)
    journal.mark('store', 0) // the writer knows it and has not saved it when it dies
    const lost = [journal.append(record('b')), journal.append(record('c'))]
    for (const one of lost) await expect(one).rejects.toMatchObject({ code: 'QT_JOURNAL_WRITER', retry: true })
    await expect(journal.append(record('meanwhile'))).rejects.toMatchObject({ code: 'QT_JOURNAL_WRITER' })
    await expect(journal.prune(0)).rejects.toMatchObject({ code: 'QT_JOURNAL_WRITER' })
    await eventually(() => journal.health().state === 'ok')
    expect((await journal.append(record('d'))).sequence).toBe(2)
    expect(readBodies(at)).toEqual(['a', 'd'])
    expect(await journal.prune(Date.now() + 60_000)).toMatchObject({ records: 0 })
    journal.mark('store', 1)
    expect(await journal.prune(Date.now() + 60_000)).toMatchObject({ records: 1 })
    expect(changes.map(({ state, code }) => [state, code])).toEqual([
      ['failing', 'QT_JOURNAL_WRITER'],
      ['ok', undefined]
    ])
    expect(journal.stats().writerRestarts).toBe(1)
  })

  it('does not keep the journal from closing', async () => {
    const at = dir()
    const journal = await open({ dir: at, faultPoint: 'writer-crash' })
    await expect(journal.append(record('a'))).rejects.toMatchObject({ code: 'QT_JOURNAL_WRITER' })
    await journal.close()
    await (await open({ dir: at })).close()
  })
})

function failureOf(work: () => void): unknown {
  try {
    work()
    return null
  } catch (error) {
    return storageFailure(error)
  }
}
