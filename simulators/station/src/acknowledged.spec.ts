import { describe, expect, it } from '@jest/globals'
import { Acknowledged } from './acknowledged.js'

describe('Acknowledged', () => {
  it('keeps the count and the newest reading of each series, in whatever order they come', () => {
    const memory = new Acknowledged()
    const reading = (at: number, value: number) => ({ at, values: [{ parameter: 'COD', value, unit: 'mg/L', status: '00' }] })
    memory.add('A1', [reading(2_000, 5), reading(1_000, 4)])
    memory.add('A2', [reading(9_000, 1)])
    memory.add('A1', [reading(1_500, 7)])
    expect(Object.fromEntries(memory.bySeries())).toEqual({
      'A1/COD': { count: 3, lastAt: 2_000, lastValue: 5 },
      'A2/COD': { count: 1, lastAt: 9_000, lastValue: 1 }
    })
  })
})
