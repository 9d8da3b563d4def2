import { describe, expect, it } from '@jest/globals'
import { groupBy, StubBroker, until } from '../../test/stub-broker.js'
import { numberedStations } from './registry.js'
import { Senders } from './senders.js'

describe('Senders', () => {
  it('lose and invent nothing while the broker dies under them, and repeat only with DUP', async () => {
    const broker = await StubBroker.listen({
      accepts: ({ username, password, clientId }) => username === clientId && String(password) === `s-${clientId}`
    })
    const stations = numberedStations(4, 1_764_000_000_000).map(numbered => ({ ...numbered, secret: `s-${numbered.station}` }))
    const senders = new Senders({ host: '127.0.0.1', port: broker.port, stations, window: 5 })
    let packets = 0
    broker.conduct = () => (++packets % 97 === 0 ? 'keep-and-cut' : packets % 61 === 0 ? 'cut' : 'answer')
    senders.open()
    senders.go()
    await until('some load', () => senders.acknowledged > 600)
    broker.cut()
    senders.finish()
    await until('the end', () => senders.inFlight === 0)
    senders.stop()
    await broker.close()

    expect(senders.refusals).toEqual([])
    expect(senders.sessionsLost).toBe(0)
    expect(senders.ackTimes.count).toBeLessThan(senders.acknowledged)
    const byClient = groupBy(broker.received, m => m.clientId)
    expect([...byClient.values()].map(list => list[0]?.qos)).toEqual(expect.arrayContaining([1, 1, 2, 2]))
    for (const [client, list] of byClient) {
      const numbers = groupBy(list, m => (JSON.parse(m.payload) as { readings: { Flow: number } }).readings.Flow)
      expect([...numbers.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: senders.sentOf(client) }, (_, n) => n))
      expect([...numbers.values()].every(copies => copies.slice(1).every(copy => copy.dup))).toBe(true)
      expect(senders.acknowledgedOf(client).size).toBe(senders.sentOf(client))
    }
    const handedOn = broker.messages.filter(m => m.qos === 2).map(m => `${m.clientId} ${m.payload}`)
    expect(new Set(handedOn).size).toBe(handedOn.length)
  })

  it('tell a refusal by the broker', async () => {
    const broker = await StubBroker.listen({ accepts: () => false })
    const senders = new Senders({
      host: '127.0.0.1',
      port: broker.port,
      window: 1,
      stations: numberedStations(1, 0).map(n => ({ ...n, secret: 'x' }))
    })
    senders.open()
    await until('refused', () => senders.refusals.length > 0)
    senders.stop()
    await broker.close()
    expect(senders.refusals[0]).toBe('KILL-001: refused with CONNACK return code 5')
  })
})
