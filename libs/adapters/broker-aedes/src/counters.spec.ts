import { describe, expect, it } from '@jest/globals'
import { Counters } from './counters.js'

describe('counters', () => {
  it('a flood of refusals is counted whole, and logged once a minute for each reason, with the number left out', () => {
    let now = 0
    const lines: object[] = []
    const log = { info: () => undefined, warn: (fields: object) => void lines.push(fields), error: () => undefined }
    const counters = new Counters(log, () => now)
    for (let n = 0; n < 1_000; n++) counters.refuse('bad-credentials', { address: '192.0.2.7' })
    counters.refuse('keep-alive', {})
    now = 60_000
    counters.refuse('bad-credentials', { address: '192.0.2.8' })
    expect(lines).toEqual([
      { reason: 'bad-credentials', address: '192.0.2.7', alsoSince: 0 },
      { reason: 'keep-alive', alsoSince: 0 },
      { reason: 'bad-credentials', address: '192.0.2.8', alsoSince: 999 }
    ])
    expect(counters.refused()).toMatchObject({ 'bad-credentials': 1_001, 'keep-alive': 1, 'foreign-topic': 0 })
  })
})
