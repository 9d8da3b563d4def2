import { describe, expect, it } from '@jest/globals'
import type { ProofResult } from './proof.js'
import { complaints, formatDetails, formatVerdict, together, verdictOf } from './verdict.js'

const alarms = { transitions: 8, delivered: 8, missing: 0, unexpected: 0, raised: 4, expectedRaised: 4 }
const result = (changes: Partial<ProofResult> = {}): ProofResult => ({
  acknowledged: 1_000,
  stored: 1_000,
  lost: 0,
  surplus: 0,
  repeatedRecords: 0,
  alarms,
  webhookRepeats: 2,
  faults: [],
  sessionsLost: 0,
  p99Ms: 8.25,
  ...changes
})

describe('the verdict', () => {
  it('is one line in the agreed words', () => {
    expect(formatVerdict(verdictOf(50, result()))).toBe('cycles 50 acked 1000 stored 1000 lost 0 duplicated 0 p99_puback_ms 8.3')
    expect(formatDetails(result())).toContain('missing 0')
  })

  it('counts both kinds of duplicates, and sums several proofs', () => {
    const one = verdictOf(2, result({ surplus: 1, repeatedRecords: 2 }))
    expect(one.duplicated).toBe(3)
    expect(together([one, verdictOf(3, result({ lost: 1, p99Ms: 40 }))])).toEqual({
      cycles: 5,
      acknowledged: 2_000,
      stored: 2_000,
      lost: 1,
      duplicated: 3,
      p99Ms: 40
    })
  })

  it('complains of nothing when the promise was kept', () => {
    expect(complaints(result())).toEqual([])
  })

  it.each<[string, Partial<ProofResult>]>([
    ['nothing was acknowledged', { acknowledged: 0 }],
    ['are lost', { lost: 1 }],
    ['stand twice', { surplus: 1 }],
    ['repeat another', { repeatedRecords: 1 }],
    ['never arrived', { alarms: { ...alarms, missing: 1 } }],
    ['second key', { alarms: { ...alarms, unexpected: 1 } }],
    ['the messages mean 4', { alarms: { ...alarms, raised: 3 } }],
    ['a fault', { faults: ['a fault of the sender'] }]
  ])('complains: %s', (words, changes) => {
    expect(complaints(result(changes)).join()).toContain(words)
  })
})
