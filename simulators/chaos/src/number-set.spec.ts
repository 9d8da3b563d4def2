import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { NumberSet } from './number-set.js'

const numbers = fc.array(fc.nat(20_000), { maxLength: 200 })
const setOf = (list: readonly number[]): NumberSet => {
  const set = new NumberSet()
  for (const number of list) set.add(number)
  return set
}

describe('NumberSet', () => {
  it('is a set', () => {
    fc.assert(
      fc.property(numbers, numbers, (list, asked) => {
        const ours = setOf(list)
        const theirs = new Set(list)
        expect(ours.size).toBe(theirs.size)
        expect(asked.map(n => ours.has(n))).toEqual(asked.map(n => theirs.has(n)))
      })
    )
  })

  it('says of each number whether it is new, and how many another set lacks', () => {
    const set = new NumberSet()
    expect([set.add(9), set.add(9), set.add(100_000)]).toEqual([true, false, true])
    expect(set.countMissingIn(setOf([9, 8]))).toBe(1)
    expect(setOf([9, 8]).countMissingIn(set)).toBe(1)
    expect(set.countMissingIn(set)).toBe(0)
  })
})
