import { describe, expect, it } from '@jest/globals'
import { MINUTE } from '#libs/model'
import { lessThan, stillFlow } from './multivariate.js'
import type { Sample } from './sample.js'

const EVERY = 5 * MINUTE
const samples = (...values: (number | undefined)[]): Sample[] => values.map((value, n) => ({ at: n * EVERY, value }))

describe('lessThan', () => {
  it('flags both where the lesser is not less, at the same instant only', () => {
    const bod = samples(10, 50, 60, undefined, 70)
    const cod = [...samples(50, 50, 50, 50), { at: 4 * EVERY + 1, value: 50 }]
    expect(lessThan(bod, cod)).toEqual({ first: [1, 3, 3, 9, 2], second: [1, 3, 3, 2, 2] })
  })

  it('grants a margin', () => {
    expect(lessThan(samples(0, 51, 52), samples(0, 50, 50), 2)).toEqual({ first: [1, 1, 3], second: [1, 1, 3] })
  })
})

describe('stillFlow', () => {
  const settings = { within: 0.1, change: 20, window: 15 * MINUTE, minPoints: 3 }

  it('flags both where nothing flows and the other changes', () => {
    const flow = samples(0, 0.1, -0.1, 0, 5, 0, 0, 0)
    const cod = samples(50, 50, 50, 71, 50, 50, 50, 50)
    // The window of the fourth is the second to the fourth; 21 of change.
    expect(stillFlow(flow, cod, settings)).toEqual({ first: [2, 2, 1, 3, 1, 1, 1, 1], second: [2, 2, 1, 3, 1, 1, 1, 1] })
  })

  it('needs enough of both series, each at its own instants', () => {
    const cod = samples(50, 90, 50, 90).map(({ at, value }) => ({ at: at + 1, value }))
    expect(stillFlow(samples(0, 0, 0, 0), cod, settings)).toEqual({ first: [2, 2, 2, 3], second: [2, 2, 3, 3] })
    expect(stillFlow(samples(0, undefined, 0, 0), cod, settings)).toEqual({ first: [2, 9, 2, 2], second: [2, 2, 2, 2] })
  })
})
