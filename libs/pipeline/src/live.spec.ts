import { describe, expect, it } from '@jest/globals'
import type { RecordBatch } from './journal-source.js'
import type { LiveReadings } from './live.js'
import { Live } from './live.js'

class Tape {
  last: number
  reads = 0
  constructor(last: number) {
    this.last = last
  }
  lastSequence(): number {
    return this.last
  }
  read(after: number): RecordBatch {
    this.reads++
    const upTo = Math.min(this.last, after + 100)
    const records = []
    for (let sequence = after + 1; sequence <= upTo; sequence++) {
      records.push({ sequence, record: { kind: 'readings', station: 'AG-01', readings: [] } as never })
    }
    return { records, upTo }
  }
}

const settled = () => new Promise(resolve => setTimeout(resolve, 5))

function listener() {
  const heard: number[] = []
  return { heard, hear: async (event: LiveReadings) => void heard.push(event.sequence) }
}

describe('Live', () => {
  it('tells what comes from now on, and nothing before', async () => {
    const tape = new Tape(50)
    const live = new Live(tape)
    const { heard, hear } = listener()
    const end = new AbortController()
    const done = live.listen(null, hear, end.signal)
    await settled()
    expect(heard).toEqual([])
    tape.last = 53
    live.wake()
    await settled()
    expect(heard).toEqual([51, 52, 53])
    end.abort()
    await done
    expect(live.listeners).toBe(0)
  })

  it('goes on after a break without a gap', async () => {
    const live = new Live(new Tape(50))
    const { heard, hear } = listener()
    const end = new AbortController()
    const done = live.listen(47, hear, end.signal)
    await settled()
    expect(heard).toEqual([48, 49, 50])
    end.abort()
    await done
  })

  it('moves a listener forward that fell too far behind', async () => {
    const live = new Live(new Tape(50_000))
    const { heard, hear } = listener()
    const end = new AbortController()
    const done = live.listen(1, hear, end.signal)
    await settled()
    expect(heard[0]).toBe(40_001)
    end.abort()
    await done
  })

  it('a listener that hangs delays no other', async () => {
    const tape = new Tape(1)
    const live = new Live(tape)
    const end = new AbortController()
    let release: () => void = () => {}
    const stuck = live.listen(0, () => new Promise<void>(resolve => (release = resolve)), end.signal)
    const { heard, hear } = listener()
    const quick = live.listen(0, hear, end.signal)
    await settled()
    tape.last = 3
    live.wake()
    await settled()
    expect(heard).toEqual([1, 2, 3])
    end.abort()
    release()
    await Promise.all([stuck, quick])
  })

  it('reads nothing while nobody listens', () => {
    const tape = new Tape(10)
    const live = new Live(tape)
    live.wake()
    expect(tape.reads).toBe(0)
  })
})
