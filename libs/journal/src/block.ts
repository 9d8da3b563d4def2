/**
 * A block: the records of one commit, one row of the table `block`. All numbers are little-endian.
 *
 * - `bytes`     per record: [u32 headLength][u32 bodyLength][u32 crc][head][body], one after the other, nothing between or behind.
 *               crc = CRC-32 over [u64 sequence][u32 headLength][u32 bodyLength][u32 CRC-32 of body][head]: any flipped byte of the
 *               frame, or a frame found under another sequence, fails it; and the body's own CRC comes free for the directory.
 * - `directory` per record: [u32 where its frame begins in `bytes`][u32 CRC-32 of its body], then [u32 crc] over
 *               [u64 first][u32 count][u64 committedAt] and all that stands before it in the directory.
 * - Sequences of a block are first, first + 1, … first + count - 1. A record never spans two blocks.
 * - Reading walks the frames and needs no directory. It serves three ends: to find the next record behind a damaged frame, to find
 *   one record without walking, and to look for repeated bodies without reading them.
 */

import { Buffer } from 'node:buffer'
import { addBytes, addWord, crcOf, type Memory, memoryOf } from './crc.js'

export const FRAME_BYTES = 12
export const DIRECTORY_ENTRY_BYTES = 8

const TWO_32 = 2 ** 32

/** A block as its row holds it. */
export interface Block {
  readonly first: number
  readonly count: number
  readonly committedAt: number
  readonly directory: Uint8Array
  readonly bytes: Uint8Array
}

export interface JournalEntry {
  readonly sequence: number
  /** When the record's commit began, by the writer's clock, in ms since 1970 UTC. */
  readonly committedAt: number
  /** Views into the block that was read: copy what outlives the handling, or a small entry keeps its whole block in memory. */
  readonly head: Uint8Array
  readonly body: Uint8Array
}

/** The CRC of a frame's fields; `head` lies `FRAME_BYTES` behind the frame's start. */
export function frameCrc(view: DataView, at: number, sequence: number, bodyCrc: number): number {
  const headLength = view.getUint32(at, true)
  let crc = addWord(addWord(-1, sequence >>> 0), Math.floor(sequence / TWO_32))
  crc = addWord(addWord(crc, headLength), view.getUint32(at + 4, true))
  crc = addWord(crc, bodyCrc)
  return ~addBytes(crc, view, at + FRAME_BYTES, headLength) >>> 0
}

/** End of the sound frame of `sequence` that begins at `at`; -1 when there is none. */
export function soundFrameEnd(memory: Memory, at: number, sequence: number): number {
  const { bytes, view } = memory
  if (at + FRAME_BYTES > bytes.length) return -1
  const bodyAt = at + FRAME_BYTES + view.getUint32(at, true)
  const bodyLength = view.getUint32(at + 4, true)
  if (bodyAt + bodyLength > bytes.length) return -1
  const crc = frameCrc(view, at, sequence, crcOf(memory, bodyAt, bodyLength))
  return crc === view.getUint32(at + 8, true) ? bodyAt + bodyLength : -1
}

/** The directory's own CRC. */
export function directoryCrc(block: Omit<Block, 'bytes'>): number {
  const { first, count, committedAt, directory } = block
  let crc = addWord(addWord(-1, first >>> 0), Math.floor(first / TWO_32))
  crc = addWord(crc, count)
  crc = addWord(addWord(crc, committedAt >>> 0), Math.floor(committedAt / TWO_32))
  return ~addBytes(crc, memoryOf(directory).view, 0, count * DIRECTORY_ENTRY_BYTES) >>> 0
}

/** True when the directory and the row's other fields are as they were written. */
export function isDirectorySound(block: Omit<Block, 'bytes'>): boolean {
  const { count, directory } = block
  if (count < 1 || directory.length !== count * DIRECTORY_ENTRY_BYTES + 4) return false
  return memoryOf(directory).view.getUint32(directory.length - 4, true) === directoryCrc(block)
}

/** The body of the frame at `at`, as its lengths have it. */
export function bodyOfFrame({ bytes, view }: Memory, at: number): Uint8Array {
  const bodyAt = at + FRAME_BYTES + view.getUint32(at, true)
  return bytes.subarray(bodyAt, bodyAt + view.getUint32(at + 4, true))
}

export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && Buffer.compare(one, other) === 0
}

/** Walks a block record by record, past damaged ones. */
export class BlockCursor {
  readonly #memory: Memory
  /** Sequence behind the last record. */
  readonly end: number
  /** Where the next frame begins; -1 when it cannot be known. */
  #at = 0
  #directory: DataView | null | undefined

  /** Sequence of the record that `next` looks at. */
  sequence: number

  constructor(readonly block: Block) {
    this.#memory = memoryOf(block.bytes)
    this.end = block.first + block.count
    this.sequence = block.first
  }

  get done(): boolean {
    return this.sequence >= this.end
  }

  /** Where the next frame is expected; after the last record this is the length of the block's bytes. */
  get position(): number {
    return this.#at
  }

  /** The record at `sequence`, or null when it is damaged; moves on by one in both cases. */
  next(): JournalEntry | null {
    const at = this.#at
    const sequence = this.sequence++
    const end = at < 0 ? -1 : soundFrameEnd(this.#memory, at, sequence)
    if (end < 0) return this.#recover(at, sequence)
    this.#at = end
    const { bytes, view } = this.#memory
    const headLength = view.getUint32(at, true)
    const start = bytes.byteOffset + at + FRAME_BYTES
    return {
      sequence,
      committedAt: this.block.committedAt,
      head: new Uint8Array(bytes.buffer as ArrayBuffer, start, headLength),
      body: new Uint8Array(bytes.buffer as ArrayBuffer, start + headLength, end - at - FRAME_BYTES - headLength)
    }
  }

  /** Moves to a later record of this block. */
  skipTo(sequence: number): void {
    if (sequence === this.sequence) return
    const start = this.#startOf(sequence)
    if (start >= 0) {
      this.sequence = sequence
      this.#at = start
    } else while (this.sequence < sequence) this.next()
  }

  /** A frame that fails where it was expected may stand where the directory says; if not, the next one is looked for. */
  #recover(at: number, sequence: number): JournalEntry | null {
    const listed = this.#startOf(sequence)
    if (listed >= 0 && listed !== at) {
      this.sequence = sequence
      this.#at = listed
      return this.next()
    }
    this.#at = this.#startOf(sequence + 1)
    if (this.#at < 0) this.#at = this.#statedEnd(at)
    return null
  }

  #startOf(sequence: number): number {
    if (this.#directory === undefined) this.#directory = isDirectorySound(this.block) ? memoryOf(this.block.directory).view : null
    if (this.#directory === null || sequence >= this.end) return -1
    return this.#directory.getUint32((sequence - this.block.first) * DIRECTORY_ENTRY_BYTES, true)
  }

  /** Where the frame at `at` says that it ends: good enough when only its content is damaged. */
  #statedEnd(at: number): number {
    const { bytes, view } = this.#memory
    if (at < 0 || at + FRAME_BYTES > bytes.length) return -1
    const end = at + FRAME_BYTES + view.getUint32(at, true) + view.getUint32(at + 4, true)
    return end <= bytes.length ? end : -1
  }
}
