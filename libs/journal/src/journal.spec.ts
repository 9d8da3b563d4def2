import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { ALL, bodies, readBodies, record, scratch } from '../test/scratch.js'

const { dir, open, read } = scratch()

describe('Journal', () => {
  it('gives sequences from 1 and goes on after being opened again', async () => {
    const at = join(dir(), 'made', 'on', 'the', 'way')
    const journal = await open({ dir: at })
    expect(journal.lastSequence).toBe(0)
    expect(await journal.append(record('a', 'notes'))).toEqual({ sequence: 1, repeated: false })
    expect(await Promise.all([journal.append(record('b')), journal.append(record('c'))])).toEqual([
      { sequence: 2, repeated: false },
      { sequence: 3, repeated: false }
    ])
    await journal.close()
    const again = await open({ dir: at })
    expect(again.lastSequence).toBe(3)
    expect((await again.append(record('d'))).sequence).toBe(4)
    expect(bodies(read(at))).toEqual(['a', 'b', 'c', 'd'])
  })

  it('keeps heads and bodies byte for byte, of any size, in any interleaving, and settles in the order of the calls', async () => {
    const step = fc.record({
      head: fc.nat(60),
      body: fc.oneof({ weight: 9, arbitrary: fc.nat(600) }, fc.nat(300 * 1024)),
      waits: fc.boolean()
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1024, max: 100_000 }), async (steps, batchBytes) => {
        const at = dir()
        const journal = await open({ dir: at, batchBytes })
        const settled: number[] = []
        const results = []
        for (const [index, { head, body, waits }] of steps.entries()) {
          const promise = journal.append({ head: pattern(head, index), body: pattern(body, index + 1) })
          results.push(promise.then(({ sequence }) => settled.push(index) && sequence))
          if (waits) await promise
        }
        const order = steps.map((_, index) => index)
        expect(await Promise.all(results)).toEqual(order.map(index => index + 1))
        expect(settled).toEqual(order)
        const entries = read(at).read(0, ALL)
        const wanted = steps.map(({ head, body }, index) => ({
          sequence: index + 1,
          head: pattern(head, index),
          body: pattern(body, index + 1)
        }))
        expect(entries.map(({ sequence }) => sequence)).toEqual(wanted.map(({ sequence }) => sequence))
        for (const [index, entry] of entries.entries()) {
          expect(Buffer.compare(entry.head, wanted[index]?.head as Uint8Array)).toBe(0)
          expect(Buffer.compare(entry.body, wanted[index]?.body as Uint8Array)).toBe(0)
        }
        await journal.close()
      }),
      { numRuns: 15 }
    )
  })

  it('takes a copy: what the caller does with its memory afterwards changes nothing', async () => {
    const at = dir()
    const journal = await open({ dir: at })
    const body = new Uint8Array([1, 2, 3])
    const appended = journal.append({ head: new Uint8Array(0), body })
    body.fill(9)
    await appended
    expect(read(at).read(0, ALL)[0]?.body).toEqual(new Uint8Array([1, 2, 3]))
  })

  it('puts what one turn of the event loop appends, and what gathers during a commit, into one commit each', async () => {
    const journal = await open({ dir: dir() })
    await Promise.all(Array.from({ length: 500 }, (_, n) => journal.append(record(`${n}`))))
    expect(journal.stats()).toMatchObject({ commits: 1, appended: 500 })
  })

  it('tells listeners of a commit when readers see it, before what awaits its appends goes on', async () => {
    const at = dir()
    const journal = await open({ dir: at })
    const events: unknown[] = []
    const stop = journal.onCommit((last, { records, bytes }) => events.push(['commit', last, records, bytes, readBodies(at)]))
    await journal.append(record('a')).then(({ sequence }) => events.push(['append', sequence]))
    expect(events).toEqual([
      ['commit', 1, 1, 13, ['a']],
      ['append', 1]
    ])
    stop()
    await journal.append(record('b'))
    expect(journal.lastSequence).toBe(2)
    expect(events.length).toBe(2)
  })

  it('counts what waits for the disk', async () => {
    const journal = await open({ dir: dir() })
    const appended = [journal.append(record('12345', '123')), journal.append(record(''))]
    expect(journal.backlog()).toEqual({ records: 2, bytes: 2 * 12 + 8 })
    await Promise.all(appended)
    expect(journal.backlog()).toEqual({ records: 0, bytes: 0 })
  })

  it('refuses at once beyond the bound of waiting bytes, and takes records again afterwards', async () => {
    const journal = await open({ dir: dir(), maxBacklogBytes: 1 << 20 })
    const big = record(new Uint8Array(600_000))
    const first = journal.append(big)
    await expect(journal.append(big)).rejects.toMatchObject({ code: 'QT_JOURNAL_BACKLOG', retry: true })
    await first
    expect((await journal.append(big)).sequence).toBe(2)
    expect(journal.stats()).toMatchObject({ refused: 1, appended: 2 })
  })

  it('refuses a record that is too large, and only that', async () => {
    const journal = await open({ dir: dir(), maxRecordBytes: 2_048 })
    await expect(journal.append(record(new Uint8Array(2_048)))).rejects.toMatchObject({ code: 'QT_JOURNAL_RECORD_TOO_LARGE', retry: false })
    expect((await journal.append(record(new Uint8Array(2_036)))).sequence).toBe(1)
  })

  it('closes after what was appended is durable, takes nothing more, and may be closed twice', async () => {
    const at = dir()
    const journal = await open({ dir: at, batchBytes: 1_024 })
    const appended = Array.from({ length: 200 }, (_, n) => journal.append(record(`${n}`.padStart(50))))
    const closed = journal.close()
    await expect(journal.append(record('late'))).rejects.toMatchObject({ code: 'QT_JOURNAL_CLOSED' })
    await expect(journal.prune(0)).rejects.toMatchObject({ code: 'QT_JOURNAL_CLOSED' })
    expect((await Promise.all(appended)).map(({ sequence }) => sequence)).toEqual(appended.map((_, index) => index + 1))
    await closed
    await journal.close()
    expect(existsSync(join(at, 'journal.sqlite-wal'))).toBe(false) // folded away: one file to copy
    expect(readBodies(at)).toHaveLength(200)
  })

  it('refuses settings that it does not know or that make no sense', async () => {
    await expect(open({ dir: dir(), maxbytes: 1 } as never)).rejects.toThrow('maxbytes')
    await expect(open({ dir: dir(), maxBytes: 10 })).rejects.toThrow('maxBytes')
  })
})

/** Bytes that differ from place to place and from record to record. */
function pattern(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let index = 0; index < length; index++) bytes[index] = index * 31 + seed * 17 + (index >> 8)
  return bytes
}
