import { chance, seedOf } from '../../../station/src/index.js'

/** Choices that look random and are the same for the same seed and name. */
export class Dice {
  readonly #seed: number
  #step = 0

  constructor(seed: number, name: string) {
    this.#seed = seedOf(`${seed}/${name}`)
  }

  /** 0 <= value < 1. */
  next(): number {
    return chance(this.#seed, this.#step++)
  }

  between(least: number, most: number): number {
    return least + this.next() * (most - least)
  }

  /** A whole number, both ends included. */
  whole(least: number, most: number): number {
    return Math.floor(this.between(least, most + 1))
  }

  happens(share: number): boolean {
    return this.next() < share
  }

  pick<T>(list: readonly [T, ...T[]]): T {
    return list[Math.floor(this.next() * list.length)] ?? list[0]
  }
}

/** Cards that are all drawn once, in a random order, before one comes again: short proofs meet every kind too. */
export class Deck<T> {
  readonly #cards: readonly [T, ...T[]]
  #left: T[] = []

  constructor(cards: readonly [T, ...T[]]) {
    this.#cards = cards
  }

  draw(dice: Dice): T {
    if (this.#left.length === 0) this.#left = [...this.#cards]
    const [card] = this.#left.splice(dice.whole(0, this.#left.length - 1), 1)
    return card ?? this.#cards[0]
  }
}
