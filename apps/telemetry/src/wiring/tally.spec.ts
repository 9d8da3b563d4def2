import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type Gauges, Metrics } from './metrics.js'
import { Tally } from './tally.js'

describe('a tally', () => {
  it('counts each value once, under the first bound that holds it', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 20, noNaN: true })), values => {
        const bounds = [1, 5, 10]
        const tally = new Tally(bounds)
        for (const value of values) tally.add(value)
        const between = (low: number, high: number) => values.filter(value => value > low && value <= high).length
        expect(tally.counts().counts).toEqual([between(-1, 1), between(1, 5), between(5, 10), between(10, Infinity)])
      })
    )
  })
})

const bound = (more: Partial<Gauges> = {}): Metrics => {
  const metrics = new Metrics()
  metrics.bind({
    ready: () => true,
    diskFreeBytes: () => Promise.resolve(7),
    journal: () => ({ lastSequence: 0, backlogRecords: 0, backlogBytes: 0, healthy: true, fileBytes: 1, limitBytes: 2 }),
    consumers: () => [],
    delays: () => [{ consumer: 'store', delays: { counts: [1, 0, 2, ...new Array<number>(10).fill(0)], sum: 2.5 } }],
    unreadable: () => 0,
    store: () => ({ stored: 0, replaced: 0, repeated: 0, conflicts: 0 }),
    broker: () => ({ connections: 0, sessions: 0, queued: 0, refused: {} }),
    outbox: () => Promise.resolve({ pending: 0, failed: 0 }),
    listeners: () => 0,
    certificates: null,
    forwarding: null,
    ...more
  })
  return metrics
}

describe('the figures in /metrics', () => {
  it.each([
    ['refuses', () => Promise.reject(new Error('away'))],
    ['does not answer', () => new Promise<never>(() => {})]
  ])('are all there but the outbox’s while the state %s', async (_, outbox) => {
    const text = await bound({ outbox }).registry.metrics()
    expect(text).toContain('quantrac_ready 1')
    expect(text).not.toContain('quantrac_outbox_messages{')
    expect(await bound().registry.metrics()).toContain('quantrac_outbox_messages{state="pending"} 0')
  })
})

describe('the histograms in /metrics', () => {
  it('are cumulative, with their sum and count', async () => {
    const metrics = bound()
    for (const seconds of [0.0005, 0.002, 0.002, 99]) metrics.acknowledged(seconds)
    const text = await metrics.registry.metrics()
    expect(text).toContain('# TYPE quantrac_acknowledgement_seconds histogram')
    expect(text).toContain('quantrac_acknowledgement_seconds_bucket{le="0.001"} 1\n')
    expect(text).toContain('quantrac_acknowledgement_seconds_bucket{le="0.0025"} 3\n')
    expect(text).toContain('quantrac_acknowledgement_seconds_bucket{le="10"} 3\n')
    expect(text).toContain('quantrac_acknowledgement_seconds_bucket{le="+Inf"} 4\n')
    expect(text).toContain('quantrac_acknowledgement_seconds_count 4')
    expect(text).toMatch(/quantrac_acknowledgement_seconds_sum 99\.004/)
    expect(text).toContain('quantrac_reading_delay_seconds_bucket{consumer="store",le="1"} 3\n')
    expect(text).toContain('quantrac_reading_delay_seconds_count{consumer="store"} 3')
    expect(text).toContain('quantrac_ready 1')
    expect(text).toContain('quantrac_disk_free_bytes 7')
    expect(text).toContain('quantrac_journal_limit_bytes 2')
  })
})
