import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { breakOverflowPages, flipByte, readBodies, record, scratch } from '../test/scratch.js'
import type { Journal } from './journal.js'

const { dir, open } = scratch()
const MAY_REPEAT = { mayRepeat: true }

const again = (journal: Journal, body: string) => journal.append(record(body, 'other notes'), MAY_REPEAT)

describe('an append that may repeat', () => {
  it('stands for the record with the same body, whatever the head, and nothing is appended', async () => {
    const at = dir()
    const journal = await open({ dir: at })
    await journal.append(record('a'))
    await journal.append(record('b'))
    expect(await again(journal, 'a')).toEqual({ sequence: 1, repeated: true })
    expect(await again(journal, 'c')).toEqual({ sequence: 3, repeated: false })
    expect(await again(journal, 'c')).toEqual({ sequence: 3, repeated: true })
    expect(await journal.append(record('a'))).toEqual({ sequence: 4, repeated: false }) // not marked: a record like any other
    expect(readBodies(at)).toEqual(['a', 'b', 'c', 'a'])
    expect(journal.stats()).toMatchObject({ appended: 4, repeated: 2 })
  })

  it('settles in order with a first sending that is not durable yet, when that is durable', async () => {
    const at = dir()
    const journal = await open({ dir: at })
    const settled: string[] = []
    const note = (name: string) => () => settled.push(`${name} ${readBodies(at).length}`)
    const results = await Promise.all([
      journal.append(record('a')).finally(note('first')),
      again(journal, 'a').finally(note('second')),
      journal.append(record('b')).finally(note('third'))
    ])
    expect(results).toEqual([
      { sequence: 1, repeated: false },
      { sequence: 1, repeated: true },
      { sequence: 2, repeated: false }
    ])
    expect(settled).toEqual(['first 2', 'second 2', 'third 2'])
  })

  it('knows records from before a restart', async () => {
    const at = dir()
    const before = await open({ dir: at })
    for (const body of ['a', 'b', 'c']) await before.append(record(body)) // three blocks
    await before.close()
    const journal = await open({ dir: at })
    await journal.append(record('d'))
    expect(await Promise.all(['c', 'a', 'd', 'e'].map(body => again(journal, body)))).toEqual([
      { sequence: 3, repeated: true },
      { sequence: 1, repeated: true },
      { sequence: 4, repeated: true },
      { sequence: 5, repeated: false }
    ])
  })

  it('looks back over 65,536 records and no further', async () => {
    const journal = await open({ dir: dir() })
    const appended = []
    for (let n = 1; n <= 65_536; n++) appended.push(journal.append(record(`${n}`)))
    await Promise.all(appended)
    expect(await again(journal, '1')).toEqual({ sequence: 1, repeated: true })
    await journal.append(record('one more'))
    expect(await again(journal, '2')).toEqual({ sequence: 2, repeated: true })
    expect(await again(journal, '1')).toEqual({ sequence: 65_538, repeated: false })
  })

  it('compares the bytes: two bodies with the same CRC-32 are two records', async () => {
    const journal = await open({ dir: dir() })
    await journal.append(record('plumless')) // with 'buckeroo' a known collision of CRC-32
    expect(await again(journal, 'buckeroo')).toEqual({ sequence: 2, repeated: false })
    expect(await again(journal, 'plumless')).toEqual({ sequence: 1, repeated: true })
  })

  it('does not lean on a record that is damaged or deleted', async () => {
    const at = dir()
    const before = await open({ dir: at, maxAgeMs: 0 })
    await before.append(record('gone'))
    await before.append(record('damaged', 'head'))
    await before.append(record('no directory'))
    await before.close()
    flipByte(at, { first: 2, at: 13 }) // in the head: the body alone would still look right
    flipByte(at, { first: 3, column: 'directory', at: 0 })
    const journal = await open({ dir: at, maxAgeMs: 0 })
    expect(await again(journal, 'damaged')).toEqual({ sequence: 4, repeated: false })
    expect(await again(journal, 'no directory')).toEqual({ sequence: 5, repeated: false })
    expect(await again(journal, 'gone')).toEqual({ sequence: 1, repeated: true })
    journal.mark('consumer', 1)
    expect(await journal.prune(Date.now() + 60_000)).toMatchObject({ records: 1 })
    expect(await again(journal, 'gone')).toEqual({ sequence: 6, repeated: false })
  })

  it('does without a block that SQLite cannot read', async () => {
    const at = dir()
    const before = await open({ dir: at })
    await before.append(record('before'))
    await Promise.all(Array.from({ length: 2_000 }, (_, n) => before.append(record(`${n}`))))
    await before.append(record('behind'))
    await before.close()
    breakOverflowPages(at)
    const journal = await open({ dir: at })
    expect(await again(journal, '5')).toEqual({ sequence: 2_003, repeated: false })
    expect(await again(journal, 'before')).toEqual({ sequence: 1, repeated: true })
    expect(await again(journal, 'behind')).toEqual({ sequence: 2_002, repeated: true })
    expect(await again(journal, '5')).toEqual({ sequence: 2_003, repeated: true })
  })

  it('keeps each body once, if every append of it may repeat, in any mixture and across restarts', async () => {
    const body = fc.constantFrom('', 'a', 'b', 'ab', 'x'.repeat(300))
    const step = fc.oneof({ weight: 15, arbitrary: fc.record({ body, waits: fc.boolean() }) }, fc.constant('restart' as const))
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async steps => {
        const at = dir()
        const kept: string[] = []
        let journal = await open({ dir: at })
        const checks = []
        for (const one of steps) {
          if (one === 'restart') {
            await journal.close()
            journal = await open({ dir: at })
            continue
          }
          const known = kept.indexOf(one.body)
          const sequence = known < 0 ? kept.push(one.body) : known + 1
          const check = expect(again(journal, one.body)).resolves.toEqual({ sequence, repeated: known >= 0 })
          checks.push(check)
          if (one.waits) await check
        }
        await Promise.all(checks)
        expect(readBodies(at)).toEqual(kept)
        await journal.close()
      }),
      { numRuns: 10 }
    )
  })
})
