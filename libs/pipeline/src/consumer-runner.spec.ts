import { describe, expect, it } from '@jest/globals'
import type { Consumer } from './consumer-runner.js'
import { ConsumerRunner } from './consumer-runner.js'
import type { RecordBatch, SequencedRecord } from './journal-source.js'
import type { Log } from './ports.js'

/** A journal of numbered records in memory that can grow; batches of three. */
class Numbers {
  last: number
  readonly first: number
  constructor(last: number, first = 1) {
    this.last = last
    this.first = first
  }
  firstSequence(): number {
    return this.first
  }
  lastSequence(): number {
    return this.last
  }
  read(after: number): RecordBatch {
    const begin = Math.max(after, this.first - 1)
    const upTo = Math.min(this.last, begin + 3)
    const records: SequencedRecord[] = []
    for (let sequence = begin + 1; sequence <= upTo; sequence++) records.push({ sequence, record: { kind: 'reply' } as never })
    return { records, upTo }
  }
}

class Collector implements Consumer {
  readonly name = 'collector'
  readonly seen: number[] = []
  cursor: number
  failures = 0
  #reached: { count: number; resolve: () => void } | null = null

  constructor(cursor = 0) {
    this.cursor = cursor
  }
  async start(): Promise<number> {
    return this.cursor
  }
  kept(): number {
    return this.cursor
  }
  async consume(records: readonly SequencedRecord[], upTo: number): Promise<void> {
    if (this.failures > 0) {
      this.failures--
      throw Object.assign(new Error('far side away'), { code: 'QT_TEST_AWAY' })
    }
    this.seen.push(...records.map(r => r.sequence))
    this.cursor = upTo
    if (this.#reached && this.seen.length >= this.#reached.count) this.#reached.resolve()
  }
  reach(count: number): Promise<void> {
    if (this.seen.length >= count) return Promise.resolve()
    return new Promise(resolve => (this.#reached = { count, resolve }))
  }
}

const quiet = (): Log & { lines: string[] } => {
  const lines: string[] = []
  const line = (fields: object, message: string) => void lines.push(`${JSON.stringify(fields)} ${message}`)
  return { lines, info: line, warn: line, error: line }
}

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1)

describe('ConsumerRunner', () => {
  it('hands over every record once and in order, also those that come later', async () => {
    const source = new Numbers(10)
    const consumer = new Collector()
    const runner = new ConsumerRunner(consumer, { source, log: quiet(), gatherMs: 0 })
    runner.start()
    await consumer.reach(10)
    source.last = 17
    runner.wake()
    await consumer.reach(17)
    await runner.close()
    expect(consumer.seen).toEqual(upTo(17))
    expect(runner.position).toEqual({ name: 'collector', sequence: 17, kept: 17, trouble: null })
  })

  it('goes on after the cursor that the consumer kept', async () => {
    const consumer = new Collector(4)
    const runner = new ConsumerRunner(consumer, { source: new Numbers(6), log: quiet(), gatherMs: 0 })
    runner.start()
    await consumer.reach(2)
    await runner.close()
    expect(consumer.seen).toEqual([5, 6])
  })

  it('says that records are gone which the consumer has not seen', async () => {
    const consumer = new Collector(4)
    const log = quiet()
    const runner = new ConsumerRunner(consumer, { source: new Numbers(12, 10), log, gatherMs: 0 })
    runner.start()
    await consumer.reach(3)
    await runner.close()
    expect(consumer.seen).toEqual([10, 11, 12])
    expect(log.lines.filter(line => line.includes('QT_JOURNAL_GAP'))).toHaveLength(1)
  })

  it('reads everything again when its cursor is beyond the journal: that is another journal, or an older one', async () => {
    const consumer = new Collector(50)
    const log = quiet()
    const runner = new ConsumerRunner(consumer, { source: new Numbers(5), log, gatherMs: 0 })
    runner.start()
    await consumer.reach(5)
    await runner.close()
    expect(consumer.seen).toEqual(upTo(5))
    expect(log.lines.filter(line => line.includes('QT_JOURNAL_BEHIND'))).toHaveLength(1)
  })

  it('tries the same batch again when the consumer throws, logs the trouble once, and tells when it is over', async () => {
    const consumer = new Collector()
    consumer.failures = 2
    const log = quiet()
    const runner = new ConsumerRunner(consumer, { source: new Numbers(5), log, gatherMs: 0 })
    runner.start()
    await new Promise(resolve => setTimeout(resolve, 20))
    expect(runner.position).toMatchObject({ sequence: 0, trouble: { code: 'QT_TEST_AWAY', message: 'far side away' } })
    await consumer.reach(5)
    await runner.close()
    expect(consumer.seen).toEqual(upTo(5))
    expect(runner.position.trouble).toBeNull()
    expect(log.lines.filter(line => line.includes('QT_TEST_AWAY'))).toHaveLength(1)
    expect(log.lines.at(-1)).toContain('goes on')
  })

  it('asks a far side that is away at the start again', async () => {
    const consumer = new Collector(2)
    const begin = consumer.start.bind(consumer)
    let away = 2
    consumer.start = () => (away-- > 0 ? Promise.reject(Object.assign(new Error('away'), { code: 'QT_TEST_AWAY' })) : begin())
    const log = quiet()
    const runner = new ConsumerRunner(consumer, { source: new Numbers(5), log, gatherMs: 0 })
    runner.start()
    await new Promise(resolve => setTimeout(resolve, 20))
    expect(runner.started).toBe(false)
    expect(runner.position.trouble).toEqual({ code: 'QT_TEST_AWAY', message: 'away' })
    await consumer.reach(3)
    await runner.close()
    expect(consumer.seen).toEqual([3, 4, 5])
    expect(runner.started).toBe(true)
    expect(log.lines.filter(line => line.includes('QT_TEST_AWAY'))).toHaveLength(1)
  })

  it('ends while it is idle and while it waits after a failure', async () => {
    const failing = new Collector()
    failing.failures = 1_000
    for (const consumer of [new Collector(), failing]) {
      const runner = new ConsumerRunner(consumer, { source: new Numbers(3), log: quiet() })
      runner.start()
      await new Promise(resolve => setTimeout(resolve, 10))
      await runner.close()
    }
    expect(failing.seen).toEqual([])
  })
})
