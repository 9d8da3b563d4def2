/** A set of small whole numbers, one bit each: what was acknowledged, or found again. */
export class NumberSet {
  #bits = new Uint8Array(1_024)
  #size = 0

  get size(): number {
    return this.#size
  }

  has(number: number): boolean {
    return ((this.#bits[number >>> 3] ?? 0) & (1 << (number & 7))) !== 0
  }

  /** False when it was there already. */
  add(number: number): boolean {
    if (this.has(number)) return false
    const index = number >>> 3
    if (index >= this.#bits.length) {
      const grown = new Uint8Array(Math.max(index + 1, this.#bits.length * 2))
      grown.set(this.#bits)
      this.#bits = grown
    }
    this.#bits[index] = (this.#bits[index] as number) | (1 << (number & 7))
    this.#size++
    return true
  }

  /** Members of this set that the other one lacks. */
  countMissingIn(other: NumberSet): number {
    let missing = 0
    for (let number = 0; number < this.#bits.length * 8; number++) if (this.has(number) && !other.has(number)) missing++
    return missing
  }
}
