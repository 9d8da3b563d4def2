import { type Block, bodyOfFrame, DIRECTORY_ENTRY_BYTES, directoryCrc, FRAME_BYTES, frameCrc, sameBytes } from './block.js'
import { crcOf, type Memory, memoryOf } from './crc.js'

/** What stands in a frame's crc field until the writer seals it: 1 = the record may repeat an earlier one. */
export const MAY_REPEAT = 1

/** Frames as they come from the main thread: packed, in order, without CRC and sequence. */
export interface PackedBatch {
  readonly buffer: ArrayBuffer
  readonly used: number
  readonly count: number
}

/** Knows the bodies of earlier records. */
export interface RepeatFinder {
  /** The newest earlier record with this CRC for which `isSame` holds; 0 when there is none. */
  find(bodyCrc: number, isSame: (sequence: number) => boolean): number
  /** True when the durable record `sequence` has this body. */
  holds(sequence: number, body: Uint8Array): boolean
  add(sequence: number, bodyCrc: number): void
}

export interface SealedBatch {
  readonly block: Block
  /** Pairs: index of the record in the batch, sequence of the record that it repeats. */
  readonly repeats: number[]
}

/** Gives each record of a batch its sequence and CRC, in place, and drops the repeats by moving the rest together. */
export function sealBatch(batch: PackedBatch, first: number, committedAt: number, finder: RepeatFinder | null): SealedBatch {
  const memory = memoryOf(new Uint8Array(batch.buffer, 0, batch.used))
  const directory = new DataView(new ArrayBuffer(batch.count * DIRECTORY_ENTRY_BYTES + 4))
  const earlierOf = finder && repeatLookup(memory, directory, first, finder)
  const repeats: number[] = []
  let count = 0
  let to = 0
  for (let index = 0, at = 0; index < batch.count; index++) {
    const bodyAt = at + FRAME_BYTES + memory.view.getUint32(at, true)
    const end = bodyAt + memory.view.getUint32(at + 4, true)
    const bodyCrc = crcOf(memory, bodyAt, end - bodyAt)
    const earlier = earlierOf !== null && memory.view.getUint32(at + 8, true) === MAY_REPEAT ? earlierOf(bodyCrc, bodyAt, end) : 0
    if (earlier > 0) {
      repeats.push(index, earlier)
    } else {
      if (to !== at) memory.bytes.copyWithin(to, at, end)
      memory.view.setUint32(to + 8, frameCrc(memory.view, to, first + count, bodyCrc), true)
      finder?.add(first + count, bodyCrc)
      directory.setUint32(count * DIRECTORY_ENTRY_BYTES, to, true)
      directory.setUint32(count * DIRECTORY_ENTRY_BYTES + 4, bodyCrc, true)
      count++
      to += end - at
    }
    at = end
  }
  return { block: closeBlock({ first, count, committedAt, bytes: memory.bytes.subarray(0, to) }, directory), repeats }
}

type RepeatLookup = (bodyCrc: number, bodyAt: number, end: number) => number

/** Compares bytes, never CRCs alone: with records of the batch itself, which are not on disk yet, in place. */
function repeatLookup(memory: Memory, directory: DataView, first: number, finder: RepeatFinder): RepeatLookup {
  return (bodyCrc, bodyAt, end) => {
    const body = memory.bytes.subarray(bodyAt, end)
    return finder.find(bodyCrc, sequence => {
      if (sequence < first) return finder.holds(sequence, body)
      return sameBytes(body, bodyOfFrame(memory, directory.getUint32((sequence - first) * DIRECTORY_ENTRY_BYTES, true)))
    })
  }
}

function closeBlock(block: Omit<Block, 'directory'>, entries: DataView): Block {
  const length = block.count * DIRECTORY_ENTRY_BYTES + 4
  const closed = { ...block, directory: new Uint8Array(entries.buffer as ArrayBuffer, 0, length) }
  entries.setUint32(length - 4, directoryCrc(closed), true)
  return closed
}
