import { describe, expect, it } from '@jest/globals'
import { groupBy, StubBroker } from '../../test/stub-broker.js'
import { runLoad } from './load.js'
import { type Arguments, anonymousClients, loadOptions, parseArguments } from './options.js'
import { formatResult } from './report.js'

const args = (extra: readonly string[], port: number): Arguments =>
  parseArguments(['--port', String(port), '--connections', '4', '--seconds', '0.3', '--warmup', '0.1', ...extra])

async function against(extra: readonly string[], broker: StubBroker) {
  const run = args(extra, broker.port)
  const result = await runLoad(loadOptions(run, anonymousClients(run.connections, 'B-')))
  await broker.close()
  return result
}

describe('runLoad', () => {
  it.each(['1', '2'])('keeps a window of QoS %s going and balances what it sent with what was acknowledged', async qos => {
    const broker = await StubBroker.listen()
    const result = await against(['--qos', qos, '--window', '3'], broker)
    expect(result.total.sent).toBeGreaterThan(0)
    expect(result.total).toEqual({
      sent: broker.received.length,
      acknowledged: result.total.sent,
      lost: 0,
      surplus: 0,
      reconnects: 0,
      sessionsLost: 0
    })
    expect(new Set(broker.received.map(m => m.topic))).toEqual(new Set([1, 2, 3, 4].map(n => `quantrac/v1/B-000${n}/readings`)))
    expect(result.ackMs.count).toBeGreaterThan(0)
    expect(formatResult(result)).toContain('lost 0')
  })

  it('sends at a rate, the same number on each connection', async () => {
    const broker = await StubBroker.listen()
    const result = await against(['--rate', '400'], broker)
    const perClient = [...groupBy(broker.received, m => m.clientId).values()].map(list => list.length)
    expect(Math.max(...perClient) - Math.min(...perClient)).toBeLessThanOrEqual(1)
    expect(result.total.lost).toBe(0)
    expect(formatResult(result)).toContain('open loop')
  })

  it('floods with QoS 0, which nobody acknowledges', async () => {
    const broker = await StubBroker.listen()
    const result = await against(['--qos', '0', '--payload', 'size:50'], broker)
    expect(result.total.sent).toBeGreaterThan(0)
    expect(result.total).toMatchObject({ acknowledged: 0, lost: 0 })
    const numbers = broker.received.filter(m => m.clientId === 'bench-B-0001').map(m => (JSON.parse(m.payload) as { seq: number }).seq)
    expect(numbers).toEqual(numbers.map((_, n) => n))
  })

  it('counts connections that were lost and came back', async () => {
    let publishes = 0
    const broker = await StubBroker.listen({ conduct: packet => (packet.cmd === 'publish' && ++publishes === 40 ? 'cut' : 'answer') })
    const result = await against(['--persistent'], broker)
    expect(result.total).toMatchObject({ reconnects: 1, lost: 0, sessionsLost: 0 })
  })

  it('says why when a broker refuses, and when there is none', async () => {
    const refusing = await StubBroker.listen({ accepts: () => false })
    await expect(against([], refusing)).rejects.toMatchObject({ code: 'QT_LOAD_REFUSED' })
    await refusing.close()
    const gone = await StubBroker.listen()
    const { port } = gone
    await gone.close()
    const stop = AbortSignal.timeout(200)
    await expect(runLoad({ ...loadOptions(args([], port), anonymousClients(4, 'B')), signal: stop })).rejects.toMatchObject({
      code: 'QT_LOAD_UNREACHABLE'
    })
  })
})
