import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { generate, type Packet, parser } from 'mqtt-packet'
import { connectFrame, encodeLength, PINGREQ, publishFrame, pubrelFrames, type Qos } from './frames.js'

const word = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme-ascii' })

function parse(bytes: Buffer): Packet[] {
  const packets: Packet[] = []
  const frames = parser({ protocolVersion: 4 })
  frames.on('packet', packet => packets.push(packet))
  frames.parse(bytes)
  return packets
}

describe('frames', () => {
  it('CONNECT is what mqtt-packet makes of it', () => {
    const options = fc.record({ clientId: word, username: word, password: word, clean: fc.boolean(), keepalive: fc.nat(65_535) })
    fc.assert(
      fc.property(options, ({ clientId, username, password, clean, keepalive }) => {
        const ours = connectFrame({ clientId, clean, keepAliveSeconds: keepalive, username, password })
        const theirs = { cmd: 'connect', clientId, username, password: Buffer.from(password), clean, keepalive } as const
        expect(ours).toEqual(generate({ ...theirs, protocolId: 'MQTT', protocolVersion: 4 }))
      })
    )
  })

  it('CONNECT without a user has neither field', () => {
    expect(parse(connectFrame({ clientId: 'a', clean: true, keepAliveSeconds: 9 }))[0]).toMatchObject({
      clientId: 'a',
      keepalive: 9,
      clean: true
    })
    expect(connectFrame({ clientId: 'a', clean: true, keepAliveSeconds: 9 }).length).toBe(15)
  })

  it('PUBLISH is what mqtt-packet makes of it, and its offsets point at the parts', () => {
    const qos = fc.constantFrom<Qos>(0, 1, 2)
    fc.assert(
      fc.property(word, fc.uint8Array({ maxLength: 400 }), qos, fc.integer({ min: 1, max: 65_535 }), (topic, body, q, messageId) => {
        const payload = Buffer.from(body)
        const { bytes, idOffset, payloadOffset } = publishFrame(topic, payload, q)
        if (q > 0) bytes.writeUInt16BE(messageId, idOffset)
        expect(bytes).toEqual(generate({ cmd: 'publish', topic, payload, qos: q, dup: false, retain: false, messageId }))
        expect(bytes.subarray(payloadOffset)).toEqual(payload)
      })
    )
  })

  it('PUBRELs and PINGREQ parse', () => {
    const ids = [1, 256, 65_535]
    expect(parse(pubrelFrames(ids)).map(p => [p.cmd, p.messageId])).toEqual(ids.map(id => ['pubrel', id]))
    expect(parse(PINGREQ)[0]?.cmd).toBe('pingreq')
  })

  it('refuses what MQTT cannot carry', () => {
    expect(encodeLength(268_435_455)).toEqual(Buffer.from([0xff, 0xff, 0xff, 0x7f]))
    expect(() => encodeLength(268_435_456)).toThrow(RangeError)
    expect(() => publishFrame('t'.repeat(65_536), Buffer.alloc(0), 1)).toThrow(RangeError)
  })
})
