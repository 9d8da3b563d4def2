import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Batch } from './batch.js'
import { type Block, BlockCursor, FRAME_BYTES, isDirectorySound } from './block.js'
import type { JournalRecord } from './record.js'
import { sealBatch } from './seal.js'

const bytesUpTo = (maxLength: number) => fc.uint8Array({ maxLength, size: 'max' })
const records = fc.array(fc.record({ head: bytesUpTo(40), body: bytesUpTo(700) }), { minLength: 1, maxLength: 12 })
const sequences = fc.oneof(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 2 ** 32 - 5, max: 2 ** 40 }))

function seal(list: readonly JournalRecord[], first = 1, committedAt = 1_800_000_000_000): Block {
  const batch = new Batch(new ArrayBuffer(16))
  for (const { head, body } of list) void batch.add(head, body, false)
  const { block } = sealBatch(batch.toMessage(), first, committedAt, null)
  return { ...block, bytes: block.bytes.slice(), directory: block.directory.slice() }
}

/** What a walk finds: the entry, or null for a damaged one, per sequence. */
function walk(block: Block): Map<number, { head: Uint8Array; body: Uint8Array } | null> {
  const found = new Map<number, { head: Uint8Array; body: Uint8Array } | null>()
  for (const cursor = new BlockCursor(block); !cursor.done; ) {
    const { sequence } = cursor
    const entry = cursor.next()
    found.set(sequence, entry && { head: entry.head.slice(), body: entry.body.slice() })
  }
  return found
}

const hex = (one: JournalRecord | null): string =>
  one ? [one.head, one.body].map(bytes => Buffer.from(bytes).toString('hex')).join(' ') : 'damaged'

const lost = (block: Block): number[] => [...walk(block)].filter(([, entry]) => entry === null).map(([sequence]) => sequence)

function flipped(bytes: Uint8Array, at: number, mask = 1): Uint8Array {
  const copy = bytes.slice()
  copy[at] = (copy[at] as number) ^ mask
  return copy
}

const three = [
  { head: new Uint8Array([1]), body: new Uint8Array([2, 3]) },
  { head: new Uint8Array(0), body: new Uint8Array([4]) },
  { head: new Uint8Array([5, 6]), body: new Uint8Array(0) }
]

describe('a block', () => {
  it('gives back what was packed, in order, under its sequences', () => {
    fc.assert(
      fc.property(records, sequences, (list, first) => {
        const found = walk(seal(list, first))
        expect([...found.keys()]).toEqual(list.map((_, index) => first + index))
        expect([...found.values()].map(hex)).toEqual(list.map(hex))
      })
    )
  })

  it('has its fields where the format says, little-endian', () => {
    const { bytes, directory } = seal(three)
    const view = new DataView(bytes.buffer)
    expect([view.getUint32(0, true), view.getUint32(4, true), bytes[12], bytes[13], bytes[14]]).toEqual([1, 2, 1, 2, 3])
    const starts = new DataView(directory.buffer)
    expect([0, 8, 16].map(at => starts.getUint32(at, true))).toEqual([0, 15, 28])
    expect([bytes.length, directory.length]).toEqual([3 * FRAME_BYTES + 6, 3 * 8 + 4])
  })

  it('shows any flipped bit of its bytes as exactly one damaged record, the one it belongs to', () => {
    fc.assert(
      fc.property(records, fc.nat(), fc.integer({ min: 1, max: 255 }), (list, place, mask) => {
        const block = seal(list)
        const at = place % block.bytes.length
        let end = 0
        const owner = list.findIndex(({ head, body }) => at < (end += FRAME_BYTES + head.length + body.length))
        expect(lost({ ...block, bytes: flipped(block.bytes, at, mask) })).toEqual([owner + 1])
      }),
      { numRuns: 200 }
    )
  })

  it('shows any flipped bit of its directory and of its row, and loses no record by it', () => {
    const block = seal(three, 7)
    for (let at = 0; at < block.directory.length; at++) {
      const damaged = { ...block, directory: flipped(block.directory, at, 128) }
      expect(isDirectorySound(damaged)).toBe(false)
      expect(lost(damaged)).toEqual([])
    }
    expect(isDirectorySound(block)).toBe(true)
    expect(isDirectorySound({ ...block, committedAt: block.committedAt + 1 })).toBe(false)
    expect(isDirectorySound({ ...block, first: 8 })).toBe(false)
    expect(isDirectorySound({ ...block, count: 2 })).toBe(false)
  })

  it('does not take a frame for another sequence', () => {
    expect(lost({ ...seal(three, 7), first: 8 })).toEqual([8, 9, 10])
  })

  it('without a directory, still reads on behind a damaged body, and names all behind a damaged length', () => {
    const block = { ...seal(three), directory: new Uint8Array(0) }
    expect(lost({ ...block, bytes: flipped(block.bytes, 13) })).toEqual([1])
    expect(lost({ ...block, bytes: flipped(block.bytes, 2) })).toEqual([1, 2, 3])
  })

  it('names every record when its bytes are gone', () => {
    expect(lost({ ...seal(three), bytes: new Uint8Array(0) })).toEqual([1, 2, 3])
  })

  it('can be entered at any record, with or without its directory', () => {
    fc.assert(
      fc.property(records, fc.nat(), fc.boolean(), (list, place, withDirectory) => {
        const index = place % list.length
        const block = seal(list, 100)
        const cursor = new BlockCursor(withDirectory ? block : { ...block, directory: new Uint8Array(0) })
        cursor.skipTo(100 + index)
        expect(cursor.next()).toMatchObject({ sequence: 100 + index, ...list[index] })
      })
    )
  })
})
