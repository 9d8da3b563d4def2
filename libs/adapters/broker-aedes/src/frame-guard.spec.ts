import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { generate } from 'mqtt-packet'
import { FrameGuard } from './frame-guard.js'

const connect = generate({ cmd: 'connect', clientId: 'c', protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 60 })
const publishOf = (bytes: number): Buffer =>
  generate({ cmd: 'publish', topic: 'topic', payload: Buffer.alloc(bytes), qos: 0, dup: false, retain: false })
/** Bytes after the fixed header: two of length, then the topic. */
const bodyOf = (payloadBytes: number): number => 2 + 'topic'.length + payloadBytes

/** The bytes in pieces that end where `cuts` say. */
function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const ends = [...cuts.map(cut => cut % bytes.length).sort((one, other) => one - other), bytes.length]
  return ends.map((end, n) => bytes.subarray(n === 0 ? 0 : ends[n - 1], end))
}

describe('the frame guard', () => {
  it('lets a stream within the limits pass and cuts one with a larger packet, however it is cut into pieces', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 10 })
    fc.assert(
      fc.property(sizes, fc.array(fc.nat(), { maxLength: 20 }), (payloads, cuts) => {
        const limit = 300
        const guard = new FrameGuard({ packetBytes: limit, connectBytes: 100 })
        const stream = Buffer.concat([connect, ...payloads.map(publishOf), Buffer.from([0xc0, 0])])
        const faults = pieces(stream, cuts).map(piece => guard.scan(piece))
        const found = faults.find(fault => fault !== null) ?? null
        expect(found).toBe(payloads.some(payload => bodyOf(payload) > limit) ? 'packet-too-large' : null)
      })
    )
  })

  it('knows a packet that is too large from its header', () => {
    const guard = new FrameGuard({ packetBytes: 1_000, connectBytes: 100 })
    guard.scan(connect)
    expect(guard.scan(publishOf(2_000).subarray(0, 3))).toBe('packet-too-large')
  })

  it.each([
    ['something else than a CONNECT first', Buffer.from([0x30, 0x00])],
    ['a length of five bytes', Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0x01])]
  ])('cuts %s', (_name, bytes) => {
    expect(new FrameGuard({ packetBytes: 2 ** 30, connectBytes: 2 ** 30 }).scan(bytes)).toBe('protocol-error')
  })
})
