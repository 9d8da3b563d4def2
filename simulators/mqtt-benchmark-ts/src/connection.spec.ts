import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { groupBy, StubBroker, until } from '../../test/stub-broker.js'
import { Connection, type ConnectionObserver } from './connection.js'
import { publishFrame, type Qos } from './frames.js'
import { type MessageShape, writeNumber } from './shapes.js'

const COUNT = 60

class Notes implements ConnectionObserver {
  readonly taken: number[] = []
  readonly surplusIds: number[] = []
  readonly resumed: boolean[] = []
  readonly reasons: string[] = []
  acknowledged(number: number): void {
    this.taken.push(number)
  }
  surplus(id: number): void {
    this.surplusIds.push(id)
  }
  connected(resumed: boolean): void {
    this.resumed.push(resumed)
  }
  disconnected(reason: string): void {
    this.reasons.push(reason)
  }
}

const numbered = (qos: Qos): MessageShape => ({
  frame: publishFrame('t', Buffer.from('number      0'), qos),
  patch: (bytes, at, number) => writeNumber(bytes, at + 7, 6, number)
})

const numberOf = (payload: string): number => Number(payload.slice(7))
const all = Array.from({ length: COUNT }, (_, n) => n)

describe.each<Qos>([1, 2])('Connection with QoS %i', qos => {
  let broker: StubBroker
  let notes: Notes
  let connection: Connection

  beforeEach(async () => {
    broker = await StubBroker.listen()
    notes = new Notes()
    const session = { clientId: 'c', clean: false, keepAliveSeconds: 60 }
    const options = { host: '127.0.0.1', port: broker.port, session, qos, window: 7, batch: 3, shape: numbered(qos) }
    connection = new Connection(options, notes)
  })

  afterEach(async () => {
    connection.stop()
    await broker.close()
  })

  async function sendAll(): Promise<void> {
    connection.open()
    connection.allow(COUNT)
    await until('every message finished', () => connection.sent === COUNT && connection.inFlight === 0)
  }

  it('sends every message once, in order, never more than its window in flight', async () => {
    let open = 0
    let most = 0
    broker.conduct = packet => {
      if (packet.cmd === 'publish') most = Math.max(most, ++open)
      if ((packet.cmd === 'publish' && qos === 1) || packet.cmd === 'pubrel') open--
      return 'answer'
    }
    await sendAll()
    expect(broker.received.map(m => numberOf(m.payload))).toEqual(all)
    expect(notes.taken).toEqual(all)
    expect(most).toBeLessThanOrEqual(7)
    expect(notes).toMatchObject({ surplusIds: [], resumed: [false], reasons: [] })
  })

  it.each(['cut', 'keep-and-cut'] as const)('sends again with DUP and the same identifiers after the broker chose to %s', async conduct => {
    let publishes = 0
    broker.conduct = packet => (packet.cmd === 'publish' && ++publishes % 13 === 0 ? conduct : 'answer')
    await sendAll()
    const byNumber = groupBy(broker.received, m => numberOf(m.payload))
    expect([...byNumber.keys()].sort((a, b) => a - b)).toEqual(all)
    for (const copies of byNumber.values()) {
      expect(copies.slice(1).every(copy => copy.dup && copy.packetId === copies[0]?.packetId)).toBe(true)
    }
    expect(notes.taken.toSorted((a, b) => a - b)).toEqual(all)
    expect(notes.resumed.length).toBeGreaterThan(2)
    expect(notes.resumed.slice(1).every(Boolean)).toBe(true)
    if (qos === 2) expect(broker.messages.map(m => numberOf(m.payload))).toEqual(all)
  })

  it('sets DUP on what is sent again alone, not on the next message in the same place', async () => {
    let publishes = 0
    broker.conduct = packet => (packet.cmd === 'publish' && ++publishes === 5 ? 'cut' : 'answer')
    await sendAll()
    const dups = broker.received.filter(m => m.dup).map(m => numberOf(m.payload))
    expect(dups.length).toBeGreaterThan(0)
    expect(Math.max(...dups)).toBeLessThan(20)
  })

  it('repeats PUBREL until PUBCOMP comes, without a second PUBLISH of what was received', async () => {
    let releases = 0
    broker.conduct = packet => (packet.cmd === 'pubrel' && ++releases % 5 === 0 ? 'cut' : 'answer')
    await sendAll()
    expect(broker.messages.map(m => numberOf(m.payload))).toEqual(all)
    if (qos === 2) expect(notes.reasons.length).toBeGreaterThan(1)
    expect(notes.taken).toEqual(all)
  })

  it('counts an acknowledgement that comes twice', async () => {
    await sendAll()
    connection.puback(5)
    connection.pubcomp(5)
    expect(notes.surplusIds).toEqual([5, 5])
  })

  it('comes back after a frame that MQTT does not know', async () => {
    connection.open()
    await until('connected', () => connection.ready)
    broker.write(Buffer.from([0x40, 3, 0, 1, 9]))
    await until('connected again', () => notes.resumed.length === 2)
    expect(notes.reasons).toEqual(['a frame of type 4 with 3 bytes'])
  })

  it('gives up a line that shows no sign of life, and takes a new one', async () => {
    connection.open()
    await until('connected', () => connection.ready)
    broker.conduct = packet => (packet.cmd === 'pingreq' ? 'silent' : 'answer')
    connection.keepAlive()
    connection.keepAlive()
    await until('connected again', () => notes.resumed.length === 2)
    expect(notes.reasons).toEqual(['no sign of life'])
  })
})

describe('Connection', () => {
  it('tells a refusal', async () => {
    const broker = await StubBroker.listen({ accepts: () => false })
    const notes = new Notes()
    const session = { clientId: 'c', clean: true, keepAliveSeconds: 60 }
    const connection = new Connection(
      { host: '127.0.0.1', port: broker.port, session, qos: 1, window: 1, batch: 1, shape: numbered(1) },
      notes
    )
    connection.open()
    await until('refused', () => notes.reasons.length > 0)
    connection.stop()
    await broker.close()
    expect(notes.reasons[0]).toBe('refused with CONNACK return code 5')
  })
})
