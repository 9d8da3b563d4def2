import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { flipByte, record, scratch, tamper } from '../test/scratch.js'
import { verifyJournal } from './verify.js'

const { dir, open } = scratch()

async function filled(blocks: number): Promise<string> {
  const at = dir()
  const journal = await open({ dir: at })
  for (let block = 0; block < blocks; block++) {
    await Promise.all(['one', 'two', 'three'].map(body => journal.append(record(body, 'head'))))
  }
  await journal.close()
  return at
}

describe('verifyJournal', () => {
  it('finds a sound journal sound, and says what it holds', async () => {
    expect(verifyJournal(await filled(2))).toEqual({
      sound: true,
      blocks: 2,
      records: 6,
      bytes: 2 * (3 * 16 + 11),
      first: 1,
      last: 6,
      damagedRecords: 0,
      damaged: [],
      damagedBlocks: [],
      missing: [],
      structure: []
    })
    expect(verifyJournal(await filled(0))).toMatchObject({ sound: true, blocks: 0, first: 0, last: 0 })
  })

  it('runs beside a writer', async () => {
    const at = dir()
    const journal = await open({ dir: at })
    await journal.append(record('a'))
    expect(verifyJournal(at)).toMatchObject({ sound: true, last: 1 })
  })

  it('detects any flipped byte of a block, and names the record that it belongs to', async () => {
    const at = await filled(3)
    const frames = 16 + 3 + 16 + 3 + 16 + 5
    fc.assert(
      fc.property(fc.nat(2), fc.nat(frames - 1), (block, place) => {
        const sequence = block * 3 + (place < 19 ? 1 : place < 38 ? 2 : 3)
        flipByte(at, { first: block * 3 + 1, at: place })
        expect(verifyJournal(at)).toMatchObject({ sound: false, records: 9, damagedRecords: 1, damaged: [sequence], damagedBlocks: [] })
        flipByte(at, { first: block * 3 + 1, at: place })
      }),
      { numRuns: 40 }
    )
    expect(verifyJournal(at).sound).toBe(true)
  })

  it('detects a flipped byte of a directory, a changed time and bytes behind the last record, though every record is sound', async () => {
    const at = await filled(3)
    flipByte(at, { first: 1, column: 'directory', at: 5 })
    tamper(at, db => db.exec('UPDATE block SET committed_at = committed_at + 1 WHERE first = 4'))
    tamper(at, db => db.exec("UPDATE block SET bytes = CAST(bytes || x'00' AS BLOB) WHERE first = 7"))
    expect(verifyJournal(at)).toMatchObject({ sound: false, damagedRecords: 0, damagedBlocks: [1, 4, 7] })
  })

  it('detects a block that is missing between others, and records that a row claims but does not hold', async () => {
    const at = await filled(3)
    tamper(at, db => db.exec('DELETE FROM block WHERE first = 4'))
    expect(verifyJournal(at)).toMatchObject({ sound: false, missing: [{ from: 4, to: 6 }] })
    tamper(at, db => db.exec('UPDATE block SET count = 4 WHERE first = 7'))
    expect(verifyJournal(at)).toMatchObject({ damaged: [10], damagedBlocks: [7] })
  })

  it('says when there is nothing to verify', () => {
    expect(() => verifyJournal(dir())).toThrow(expect.objectContaining({ code: 'QT_JOURNAL_MISSING' }))
  })
})
