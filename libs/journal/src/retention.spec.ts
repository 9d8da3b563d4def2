import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { ALL, bodies, readBodies, record, scratch } from '../test/scratch.js'
import type { Journal } from './journal.js'
import { JournalReader } from './reader.js'

const { dir, open, read } = scratch()
const LATER = 60_000

/** One block per record. */
async function append(journal: Journal, ...list: readonly string[]): Promise<void> {
  for (const body of list) await journal.append(record(body))
}

describe('retention', () => {
  it('deletes what is old and passed by every consumer, in whole blocks', async () => {
    const at = dir()
    const journal = await open({ dir: at, maxAgeMs: 1_000 })
    await append(journal, 'a', 'b')
    await Promise.all(['c', 'd'].map(body => journal.append(record(body))))
    journal.mark('store', 4)
    journal.mark('alarms', 3)
    expect(await journal.prune(Date.now())).toEqual({ blocks: 0, records: 0, bytes: 0 }) // not old enough
    expect(await journal.prune(Date.now() + LATER)).toMatchObject({ blocks: 2, records: 2 })
    expect(readBodies(at)).toEqual(['c', 'd']) // one block, passed in part
    journal.mark('alarms', 4)
    expect(await journal.prune(Date.now() + LATER)).toMatchObject({ blocks: 1, records: 2 })
    expect(journal.stats()).toMatchObject({ firstSequence: 0, lastSequence: 4 })
  })

  it('never uses a sequence again, also when nothing is left and after a restart', async () => {
    const at = dir()
    const journal = await open({ dir: at, maxAgeMs: 0 })
    await append(journal, 'a', 'b', 'c')
    expect(await journal.prune(Date.now() + LATER)).toMatchObject({ records: 3 })
    await journal.close()
    const again = await open({ dir: at })
    expect(again.lastSequence).toBe(3)
    expect(read(at).lastSequence()).toBe(3)
    expect((await again.append(record('d'))).sequence).toBe(4)
    expect(bodies(read(at), 1)).toEqual(['d'])
  })

  it('remembers marks across a restart, and a forgotten consumer holds nothing up', async () => {
    const at = dir()
    const journal = await open({ dir: at, maxAgeMs: 0 })
    await append(journal, 'a', 'b', 'c')
    journal.mark('slow', 0)
    journal.mark('fast', 1)
    journal.mark('fast', 2)
    await journal.close()
    const again = await open({ dir: at, maxAgeMs: 0 })
    expect(again.stats().cursors).toEqual(new Map(Object.entries({ slow: 0, fast: 2 })))
    expect(await again.prune(Date.now() + LATER)).toMatchObject({ records: 0 })
    again.forget('slow')
    expect(await again.prune(Date.now() + LATER)).toMatchObject({ records: 2 })
    await again.close()
    expect((await open({ dir: at })).stats().cursors).toEqual(new Map(Object.entries({ fast: 2 })))
  })

  it('writes no commit per mark: many ride on one', async () => {
    const journal = await open({ dir: dir() })
    await append(journal, 'a')
    const { commits } = journal.stats()
    for (let n = 0; n < 10_000; n++) journal.mark('store', n % 2)
    expect(journal.stats().commits).toBe(commits)
    expect(() => journal.mark('store', -1)).toThrow(RangeError)
    expect(() => journal.mark('store', 1.5)).toThrow(RangeError)
  })

  it('deletes more than one slice can hold, with appends in between', async () => {
    const at = dir()
    const journal = await open({ dir: at, maxAgeMs: 0, batchBytes: 1_024 })
    const appended = []
    for (let n = 0; n < 1_000; n++) appended.push(journal.append(record(new Uint8Array(1_000))))
    await Promise.all(appended)
    journal.mark('store', 1_000)
    const pruned = journal.prune(Date.now() + LATER)
    expect(journal.prune(0)).toBe(pruned) // one at a time
    await append(journal, 'during')
    expect(await pruned).toMatchObject({ blocks: 1_000 })
    expect(readBodies(at)).toEqual(['during'])
  })

  it('deletes passed blocks before their age when the quota presses, never unpassed ones, and uses their room again', async () => {
    const at = dir()
    const journal = await open({ dir: at, maxBytes: 1 << 20, softShare: 0.5 })
    journal.mark('store', 0)
    for (let n = 1; n <= 100; n++) {
      await append(journal, `${n}`.padStart(40_000)) // four times the quota in all
      journal.mark('store', n - 1)
      await journal.prune(0)
      const reader = JournalReader.open(at)
      expect(reader.read(n - 1, ALL)).toHaveLength(1)
      reader.close()
    }
    expect(journal.stats().usedBytes).toBeLessThanOrEqual(1 << 20)
    expect(journal.stats().firstSequence).toBeGreaterThan(50)
  })

  it('relieves itself after a commit, without being asked', async () => {
    const journal = await open({ dir: dir(), maxBytes: 1 << 20, softShare: 0.3 })
    for (let n = 1; n <= 100; n++) {
      await append(journal, 'x'.repeat(30_000))
      journal.forget('store')
      journal.mark('store', n) // new, so the writer knows at once
      expect(journal.stats().usedBytes).toBeLessThan(0.8 * (1 << 20))
    }
  })

  it('keeps everything under pressure where no consumer has ever registered', async () => {
    const at = dir()
    const journal = await open({ dir: at, maxBytes: 1 << 20, softShare: 0.01 })
    await append(journal, 'a', 'b', 'c')
    expect(await journal.prune(Date.now())).toMatchObject({ blocks: 0 })
    expect(readBodies(at)).toEqual(['a', 'b', 'c'])
  })

  it('never deletes a record that some consumer has not passed, and leaves no hole, whatever happens', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 4 }) }) },
      {
        weight: 4,
        arbitrary: fc.record({
          kind: fc.constant('mark' as const),
          cursor: fc.constantFrom('a', 'b'),
          share: fc.double({ min: 0, max: 1, noNaN: true })
        })
      },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('prune' as const), old: fc.boolean() }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) }
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), fc.constantFrom(0.000_1, 1), async (steps, softShare) => {
        const at = dir()
        let journal = await open({ dir: at, softShare, maxBytes: 1 << 24 })
        const marks = new Map([['c', 0]])
        journal.mark('c', 0)
        // How far all consumers together had ever come: one may go back, deleted blocks do not return.
        let passed = 0
        for (const one of steps) {
          if (one.kind === 'append') await Promise.all(Array.from({ length: one.count }, () => journal.append(record('x'))))
          else if (one.kind === 'prune') await journal.prune(Date.now() + (one.old ? 100 * 86_400_000 : 0))
          else if (one.kind === 'reopen') {
            await journal.close()
            journal = await open({ dir: at, softShare, maxBytes: 1 << 24 })
          } else {
            const sequence = Math.floor(one.share * journal.lastSequence)
            marks.set(one.cursor, sequence).set('c', Math.max(marks.get('c') ?? 0, sequence))
            journal.mark(one.cursor, sequence)
            journal.mark('c', marks.get('c') ?? 0)
          }
          const reader = JournalReader.open(at)
          const kept = reader.read(0, ALL).map(({ sequence }) => sequence)
          reader.close()
          const first = kept[0] ?? journal.lastSequence + 1
          expect(kept).toEqual(Array.from({ length: journal.lastSequence - first + 1 }, (_, n) => first + n))
          passed = Math.max(passed, Math.min(...marks.values()))
          expect(first).toBeLessThanOrEqual(passed + 1)
        }
        await journal.close()
      }),
      { numRuns: 10 }
    )
  })
})
