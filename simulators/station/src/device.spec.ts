import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { SECOND } from '#libs/model'
import { StubBroker, until } from '../../test/stub-broker.js'
import { Device } from './device.js'
import type { Happening } from './occasion.js'
import { StationModel } from './station-model.js'

const ORIGIN = Date.UTC(2026, 10, 24, 3)
const topic = (part: string): string => `quantrac/v1/AG-T1/${part}`

describe('Device', () => {
  let broker: StubBroker
  let device: Device
  let now: number
  let events: string[]

  beforeEach(async () => {
    broker = await StubBroker.listen({ accepts: ({ username, password }) => username === 'AG-T1' && String(password) === 'secret' })
    now = ORIGIN
    events = []
  })

  afterEach(async () => {
    await device.stop()
    await broker.close()
  })

  function make(changes: { capacity?: number; batch?: number; happenings?: Happening[]; secret?: string } = {}): Device {
    const { capacity = 1_000, batch = 1, happenings = [], secret = 'secret' } = changes
    const parameters = [{ code: 'COD', unit: 'mg/L', decimals: 1, min: 0, max: 500 }]
    const peculiar = { happenings, clockErrorMs: 0, clockGainMsPerDay: 0, clockStepMs: 1, gapShare: 0, levels: {} }
    const model = new StationModel({ station: 'AG-T1', kind: 'wastewater', parameters, seed: 1, origin: ORIGIN, ...peculiar })
    const wording = { dialect: 'quantrac-json', station: 'AG-T1', zoneless: false, textNumbers: false } as const
    device = new Device(
      { url: broker.url, station: 'AG-T1', secret, model, wording, batch, capacity, reconnectMs: 20, clock: () => now },
      { event: (station, what) => events.push(`${station} ${what}`) }
    )
    return device
  }

  async function start(changes: Parameters<typeof make>[0] = {}): Promise<void> {
    make(changes).start()
    await until('online', () => broker.retained.get(topic('status')) === 'online')
  }

  /** Lets so many seconds pass, one sample each. */
  function tick(seconds: number): void {
    for (let s = 0; s < seconds; s++) {
      device.tick()
      now += SECOND
    }
  }

  const sequences = (): number[] =>
    broker.messages
      .filter(m => m.topic === topic('readings'))
      .flatMap(m => JSON.parse(m.payload) as { seq: number } | { seq: number }[])
      .map(item => item.seq)

  const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

  it('says online, publishes with QoS 1, remembers what was acknowledged, and says offline when it goes', async () => {
    await start()
    tick(5)
    await until('all acknowledged', () => device.counts().acknowledged === 5)
    expect(sequences()).toEqual(upTo(5))
    expect(broker.messages.every(m => m.qos === 1)).toBe(true)
    expect(device.acknowledged.bySeries().get('AG-T1/COD')).toMatchObject({ count: 5, lastAt: ORIGIN + 4 * SECOND })
    await device.stop()
    expect(broker.retained.get(topic('status'))).toBe('offline')
    expect(device.counts()).toEqual({ published: 5, acknowledged: 5, buffered: 0, dropped: 0 })
  })

  it('keeps what it measures while the line is cut, and sends it in order when it is back', async () => {
    await start({ happenings: [{ kind: 'outage', startS: 3, forS: 40 }] })
    tick(3)
    await until('first three', () => device.counts().acknowledged === 3)
    tick(30)
    await until('the will', () => broker.retained.get(topic('status')) === 'offline')
    expect(device.counts()).toMatchObject({ buffered: 30, acknowledged: 3 })
    tick(12)
    await until('all acknowledged', () => device.counts().acknowledged === 45)
    expect(sequences()).toEqual(upTo(45))
    expect(events).toEqual(['AG-T1 online', 'AG-T1 line-cut', 'AG-T1 line-restored', 'AG-T1 online'])
  })

  it('drops the oldest when its memory is full, and counts them', async () => {
    await start({ capacity: 10, happenings: [{ kind: 'outage', startS: 0, forS: 25 }] })
    tick(25)
    expect(device.counts()).toMatchObject({ buffered: 10, dropped: 15 })
    tick(1)
    await until('the rest', () => device.counts().buffered === 0)
    expect(sequences()).toEqual(upTo(26).slice(16))
  })

  it('sends again, with DUP and in order, what a dying broker did not acknowledge', async () => {
    await start()
    let seen = 0
    broker.conduct = packet => (packet.cmd === 'publish' && packet.topic === topic('readings') && ++seen === 4 ? 'keep-and-cut' : 'answer')
    tick(12)
    await until('all acknowledged', () => device.counts().acknowledged === 12)
    const copies = broker.received.filter(m => m.topic === topic('readings'))
    expect([...new Set(sequences())]).toEqual(upTo(12))
    expect(copies.filter(m => m.dup).length).toBeGreaterThan(0)
    expect(copies.slice(0, 4).every(m => !m.dup)).toBe(true)
  })

  it('collects samples into batches', async () => {
    await start({ batch: 4 })
    tick(9)
    await until('two batches', () => device.counts().acknowledged === 2)
    expect(sequences()).toEqual(upTo(8))
    expect(device.acknowledged.bySeries().get('AG-T1/COD')?.count).toBe(8)
  })

  it('answers a command', async () => {
    await start()
    await until('subscribed', () => events.length > 0)
    const reply = () => broker.messages.find(m => m.topic === topic('commands/reply'))
    const asked = setInterval(() => broker.publish(topic('commands'), '{"command":"take-sample","id":"c1"}'), 20)
    await until('the reply', () => reply() !== undefined)
    clearInterval(asked)
    expect(JSON.parse(reply()?.payload ?? '')).toMatchObject({ id: 'c1', result: 'done', bottle: 1 })
  })

  it('tells once that it is refused, and keeps measuring', async () => {
    make({ secret: 'wrong' }).start()
    tick(3)
    await until('refused', () => events.length > 0)
    await until('tried again', () => broker.connections === 0)
    expect(events).toEqual(['AG-T1 refused'])
    expect(device.counts()).toMatchObject({ buffered: 3, published: 0 })
  })
})
