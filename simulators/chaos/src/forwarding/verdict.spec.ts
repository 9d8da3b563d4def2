import { describe, expect, it } from '@jest/globals'
import type { ForwardResult } from './proof.js'
import { forwardComplaints, forwardDetails } from './verdict.js'

const result = (changes: Partial<ForwardResult> = {}): ForwardResult => ({
  differences: { rows: 5, missing: 0, doubled: 0, stale: 0, examples: [] },
  serverKills: 2,
  warehouseKills: 3,
  acknowledged: { late: 4, correction: 6 },
  readings: { sent: 8, counted: 8 },
  revised: { rows: 1, highest: 2 },
  forwarded: { accepted: 9 },
  account: { words: 'receiver: known 1', violations: 0 },
  faults: [],
  ...changes
})

describe('the verdict on forwarding', () => {
  it('complains of nothing when the promise was kept, and tells its figures', () => {
    expect(forwardComplaints(result())).toEqual([])
    expect(forwardDetails(result()).join()).toMatch(/server 2, warehouse 3.*acknowledged 10: late 4 correction 6.*known 1/)
  })

  it.each<[string, Partial<ForwardResult>]>([
    ['nothing was published', { differences: { rows: 0, missing: 0, doubled: 0, stale: 0, examples: [] } }],
    ['nothing was acknowledged', { readings: { sent: 0, counted: 0 } }],
    ['8 readings were acknowledged and 7', { readings: { sent: 8, counted: 7 } }],
    ['Idempotency-Key', { account: { words: '', violations: 1 } }],
    ['stale A1', { differences: { rows: 5, missing: 0, doubled: 0, stale: 1, examples: ['stale A1'] } }],
    ['went down', { faults: ['a revision went down'] }]
  ])('complains: %s', (words, changes) => {
    expect(forwardComplaints(result(changes)).join()).toContain(words)
  })
})
