import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { REPEAT_WINDOW, RepeatIndex } from './repeats.js'

const yes = (): boolean => true

describe('the index of repeats', () => {
  it('finds the newest record of a hash that is the same', () => {
    const index = new RepeatIndex(1)
    for (const [at, hash] of [7, 8, 7, 7].entries()) index.add(at + 1, hash)
    expect(index.find(7, yes)).toBe(4)
    expect(index.find(7, sequence => sequence < 4)).toBe(3)
    expect(index.find(7, sequence => sequence === 2)).toBe(0)
    expect(index.find(9, yes)).toBe(0)
  })

  it('tells hashes of one chain apart', () => {
    const index = new RepeatIndex(1)
    index.add(1, 5)
    index.add(2, 5 + 2 * REPEAT_WINDOW)
    expect(index.find(5, yes)).toBe(1)
  })

  it('looks back over exactly the newest 65,536 records', () => {
    const index = new RepeatIndex(1)
    index.add(1, 1)
    for (let sequence = 2; sequence <= REPEAT_WINDOW; sequence++) index.add(sequence, sequence)
    expect(index.find(1, yes)).toBe(1)
    index.add(REPEAT_WINDOW + 1, 0)
    expect(index.find(1, yes)).toBe(0)
    expect(index.find(2, yes)).toBe(2)
  })

  it('is as it was after taking a failed batch back', () => {
    const hash = fc.integer({ min: 0, max: 6 })
    fc.assert(
      fc.property(fc.array(hash, { maxLength: 50 }), fc.array(hash, { maxLength: 50 }), (kept, failed) => {
        const first = 2 * REPEAT_WINDOW - 20 // so that the slots wrap round
        const [index, untouched] = [new RepeatIndex(first), new RepeatIndex(first)]
        for (const [at, value] of kept.entries()) {
          index.add(first + at, value)
          untouched.add(first + at, value)
        }
        for (const [at, value] of failed.entries()) index.add(first + kept.length + at, value)
        index.takeBack(first + kept.length)
        for (let value = 0; value <= 6; value++) {
          const seen = (of: RepeatIndex): number[] => {
            const all: number[] = []
            of.find(value, sequence => all.push(sequence) < 0)
            return all
          }
          expect(seen(index)).toEqual(seen(untouched))
        }
      })
    )
  })
})
