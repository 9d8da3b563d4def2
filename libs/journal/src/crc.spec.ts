import { crc32 } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { addBytes, addWord, crcOf, memoryOf } from './crc.js'

const finish = (running: number): number => ~running >>> 0

describe('CRC-32', () => {
  it('knows the check value of the standard', () => {
    const memory = memoryOf(new TextEncoder().encode('123456789'))
    expect(crcOf(memory, 0, 9)).toBe(0xcbf43926) // the check value of CRC-32/ISO-HDLC
  })

  it('agrees with zlib for any bytes anywhere in memory, short and long', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000, size: 'max' }), fc.nat(20), (bytes, skipped) => {
        const at = Math.min(skipped, bytes.length)
        const length = bytes.length - at
        expect(crcOf(memoryOf(bytes), at, length)).toBe(crc32(bytes.subarray(at)))
        expect(finish(addBytes(-1, memoryOf(bytes).view, at, length))).toBe(crc32(bytes.subarray(at)))
      })
    )
  })

  it('takes words as four little-endian bytes, mixed with bytes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), fc.uint8Array({ maxLength: 40 }), (word, bytes) => {
        const whole = Buffer.alloc(4 + bytes.length)
        whole.writeUInt32LE(word)
        whole.set(bytes, 4)
        expect(finish(addBytes(addWord(-1, word), memoryOf(bytes).view, 0, bytes.length))).toBe(crc32(whole))
      })
    )
  })

  it('reads through a view that does not begin where its memory begins', () => {
    const bytes = new Uint8Array([9, 9, 1, 2, 3, 9]).subarray(2, 5)
    expect(crcOf(memoryOf(bytes), 0, 3)).toBe(crc32(new Uint8Array([1, 2, 3])))
  })
})
