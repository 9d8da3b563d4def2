import { describe, expect, it } from '@jest/globals'
import type { JournalHealth } from '#libs/journal'
import type { ConsumerPosition } from '#libs/pipeline'
import { Health } from './health.js'

const position = (name: string, sequence: number, trouble: ConsumerPosition['trouble'] = null): ConsumerPosition => ({
  name,
  sequence,
  kept: sequence,
  trouble
})

const report = (journal: JournalHealth, positions: readonly ConsumerPosition[]) =>
  new Health({ journal: () => journal, lastSequence: () => 100, positions: () => positions }).report()

describe('Health', () => {
  it('is ready while messages can be kept, and tells how far behind each consumer is', () => {
    expect(report({ state: 'ok' }, [position('store', 97), position('alarms', 100)])).toEqual({
      status: 'ready',
      problems: [],
      consumers: [
        { name: 'store', sequence: 97, lag: 3 },
        { name: 'alarms', sequence: 100, lag: 0 }
      ]
    })
  })

  it.each([
    ['full', 'QT_JOURNAL_FULL'],
    ['failing', 'QT_JOURNAL_IO']
  ] as const)('is not ready while the journal is %s, with its code', (state, code) => {
    const { status, problems } = report({ state, code, message: 'no room' }, [])
    expect(status).toBe('not-ready')
    expect(problems).toEqual([{ part: 'journal', code, message: 'no room' }])
  })

  it('stays ready while a consumer waits for its far side, and says so', () => {
    const { status, problems } = report({ state: 'ok' }, [position('store', 5, { code: 'QT_STORE_FULL', message: 'disk full' })])
    expect(status).toBe('ready')
    expect(problems).toEqual([{ part: 'consumer store', code: 'QT_STORE_FULL', message: 'disk full' }])
  })
})
