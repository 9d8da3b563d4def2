import { describe, expect, it } from '@jest/globals'
import type { ChildTask } from '../test/append-child.js'
import { killChildrenAfterEach, runChild } from '../test/children.js'
import { readBodies, record, scratch } from '../test/scratch.js'
import { verifyJournal } from './verify.js'

const { dir, open } = scratch()
killChildrenAfterEach()

const appendChild = (task: Partial<ChildTask> & Pick<ChildTask, 'settings'>) =>
  runChild('./append-child.js', { start: 1, writers: 20, size: 200, ...task })

/** Number and sequence of each acknowledgement that was printed. */
const acknowledgements = (lines: readonly string[]) =>
  lines.filter(line => line !== 'open').map(line => line.split(' ').map(Number) as [number, number])

describe('after kill -9', () => {
  it('every acknowledged record is there, once, under its sequence, kill after kill', async () => {
    const at = dir()
    const acknowledged = new Map<number, number>()
    for (let round = 0; round < 4; round++) {
      const child = appendChild({ settings: { dir: at, walBytes: 65_536, batchBytes: 8_192 }, start: 1 + round * 1_000_000 })
      await child.printed(1 + Math.floor(Math.random() * 1_500))
      child.kill()
      expect(await child.ended).toMatchObject({ signal: 'SIGKILL', errors: '' })
      for (const [number, sequence] of acknowledgements(child.lines)) acknowledged.set(number, sequence)

      const numbers = readBodies(at).map(Number)
      expect(verifyJournal(at)).toMatchObject({ sound: true, first: 1, last: numbers.length })
      expect(new Set(numbers).size).toBe(numbers.length)
      for (const [number, sequence] of acknowledged) expect(numbers[sequence - 1]).toBe(number)
    }
    expect(acknowledged.size).toBeGreaterThan(4)
  })

  it('before the commit: nothing of it is there, and the sender was told nothing', async () => {
    const at = dir()
    const child = appendChild({ settings: { dir: at, faultPoint: 'before-commit', faultAfter: 3 }, writers: 1 })
    expect((await child.ended).signal).toBe('SIGKILL')
    expect(acknowledgements(child.lines)).toEqual([
      [1, 1],
      [2, 2]
    ])
    expect(readBodies(at).map(Number)).toEqual([1, 2])
  })

  it('between commit and acknowledgement: it is there, and a resend is known as the same', async () => {
    const at = dir()
    const child = appendChild({ settings: { dir: at, faultPoint: 'after-commit-before-ack', faultAfter: 3 }, writers: 1 })
    expect((await child.ended).signal).toBe('SIGKILL')
    expect(acknowledgements(child.lines)).toHaveLength(2)
    expect(readBodies(at).map(Number)).toEqual([1, 2, 3])
    const journal = await open({ dir: at })
    expect(await journal.append(record('3'.padEnd(200)), { mayRepeat: true })).toEqual({ sequence: 3, repeated: true })
  })
})

describe('one writer per folder', () => {
  it('a second one is refused, in this process and from another, and let in when the first has closed', async () => {
    const at = dir()
    const journal = await open({ dir: at })
    await expect(open({ dir: at })).rejects.toMatchObject({ code: 'QT_JOURNAL_LOCKED', retry: false })
    await expect(open({ dir: at })).rejects.toMatchObject({ code: 'QT_JOURNAL_LOCKED' }) // the refused try has not broken the lock
    const child = appendChild({ settings: { dir: at } })
    expect((await child.ended).errors).toContain('QT_JOURNAL_LOCKED')
    await journal.close()
    await (await open({ dir: at })).close()
  })

  it('the lock goes with its process, however that ends', async () => {
    const at = dir()
    const child = appendChild({ settings: { dir: at }, writers: 1, end: 1 })
    await child.printed(2)
    await expect(open({ dir: at })).rejects.toMatchObject({ code: 'QT_JOURNAL_LOCKED' })
    child.kill()
    await child.ended
    expect((await open({ dir: at })).lastSequence).toBe(1)
  })
})
