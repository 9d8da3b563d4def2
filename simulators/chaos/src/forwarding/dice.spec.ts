import { describe, expect, it } from '@jest/globals'
import { Deck, Dice } from './dice.js'

describe('Dice', () => {
  it('falls the same way for the same seed and name alone', () => {
    const throws = (seed: number, name: string) => {
      const dice = new Dice(seed, name)
      return Array.from({ length: 20 }, () => dice.whole(1, 6))
    }
    expect(throws(1, 'a')).toEqual(throws(1, 'a'))
    expect(throws(1, 'a')).not.toEqual(throws(2, 'a'))
    expect(throws(1, 'a')).not.toEqual(throws(1, 'b'))
  })

  it('keeps to its ends, and reaches both', () => {
    const dice = new Dice(3, 'ends')
    const drawn = Array.from({ length: 300 }, () => dice.whole(1, 3))
    expect(new Set(drawn)).toEqual(new Set([1, 2, 3]))
    expect(dice.happens(0)).toBe(false)
    expect(dice.happens(1)).toBe(true)
  })
})

describe('Deck', () => {
  it('gives every card once before one comes again', () => {
    const dice = new Dice(4, 'deck')
    const deck = new Deck(['a', 'b', 'c', 'd'])
    for (let round = 0; round < 5; round++) expect(Array.from({ length: 4 }, () => deck.draw(dice)).sort()).toEqual(['a', 'b', 'c', 'd'])
  })
})
