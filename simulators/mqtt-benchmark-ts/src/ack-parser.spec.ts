import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { generate, type Packet } from 'mqtt-packet'
import { AckParser, MalformedFrame } from './ack-parser.js'

type Heard = readonly [string, ...unknown[]]

function recorder() {
  const heard: Heard[] = []
  const sink = {
    connack: (sessionPresent: boolean, returnCode: number) => void heard.push(['connack', sessionPresent, returnCode]),
    puback: (id: number) => void heard.push(['puback', id]),
    pubrec: (id: number) => void heard.push(['pubrec', id]),
    pubcomp: (id: number) => void heard.push(['pubcomp', id]),
    pingresp: () => void heard.push(['pingresp'])
  }
  return { heard, parser: new AckParser(sink) }
}

const id = fc.integer({ min: 1, max: 65_535 })
const ack = fc.record({ cmd: fc.constantFrom('puback', 'pubrec', 'pubcomp'), messageId: id })
const connack = fc.record({ cmd: fc.constant('connack'), sessionPresent: fc.boolean(), returnCode: fc.nat(5) })
const message = fc.record({
  cmd: fc.constant('publish'),
  topic: fc.constant('t'),
  payload: fc.nat(40_000).map(length => 'x'.repeat(length)),
  qos: fc.constant(0)
})
const anything = fc.oneof(
  ack,
  ack,
  ack,
  connack,
  message,
  fc.constant({ cmd: 'pingresp' }),
  fc.constant({ cmd: 'suback', messageId: 7, granted: [1] })
)

/** What the parser ought to report of a packet; nothing of those that it passes over. */
function expected(packet: object): Heard[] {
  const { cmd, messageId, sessionPresent, returnCode } = packet as Record<string, unknown>
  if (cmd === 'connack') return [['connack', sessionPresent, returnCode]]
  if (cmd === 'pingresp') return [['pingresp']]
  return cmd === 'publish' || cmd === 'suback' ? [] : [[cmd as string, messageId]]
}

describe('AckParser', () => {
  it('reports what mqtt-packet wrote, wherever the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 40 }), fc.array(fc.nat(64)), (packets, cuts) => {
        const { heard, parser } = recorder()
        let rest = Buffer.concat(packets.map(packet => generate(packet as Packet)))
        for (const cut of cuts) {
          parser.push(rest.subarray(0, cut))
          rest = rest.subarray(cut)
        }
        parser.push(rest)
        expect(heard).toEqual(packets.flatMap(expected))
      })
    )
  })

  it('takes no more of a buffer than it is told', () => {
    const { heard, parser } = recorder()
    parser.push(Buffer.from([0x40, 2, 0, 1, 0x40, 2, 0, 2]), 4)
    expect(heard).toEqual([['puback', 1]])
  })

  it.each([
    ['a PUBACK of three bytes', [0x40, 3, 0, 1, 9]],
    ['a CONNACK without a return code', [0x20, 1, 0]],
    ['a length of five bytes', [0x30, 0xff, 0xff, 0xff, 0xff, 1]]
  ])('throws at %s', (_name, bytes) => {
    expect(() => recorder().parser.push(Buffer.from(bytes))).toThrow(MalformedFrame)
  })
})
