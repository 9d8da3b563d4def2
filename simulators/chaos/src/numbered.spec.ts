import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { COD_LIMIT, codOf, instantOf, type Numbered, numberAt, numberedShape, raisesUpTo, valueIn } from './numbered.js'

const BASE = 1_764_000_000_000
const numbered = (index: number): Numbered => ({ station: 'KILL-001', index, base: BASE })
const number = fc.integer({ min: 0, max: 604_799 })

/** Raised by 2 of the last 3, cleared by 2 below: counted by hand, reading by reading. */
function raisesCounted(of: Numbered, count: number): number {
  let raises = 0
  let active = false
  for (let n = 1; n < count; n++) {
    const last = [n - 2, n - 1, n].filter(m => m >= 0)
    const high = last.filter(m => codOf(of, m) > COD_LIMIT).length
    if (!active && high >= 2) {
      raises++
      active = true
    } else if (active && codOf(of, n) <= COD_LIMIT && codOf(of, n - 1) <= COD_LIMIT) active = false
  }
  return raises
}

describe('numbered messages', () => {
  it('say their number in their instant and in Flow, and COD as it follows from it', () => {
    const shape = numberedShape(numbered(5), 1)
    fc.assert(
      fc.property(number, n => {
        const { bytes, payloadOffset } = shape.frame
        shape.patch(bytes, payloadOffset, n)
        const message = JSON.parse(bytes.toString('utf8', payloadOffset)) as {
          at: number
          readings: { Flow: number; COD: { value: number } }
        }
        expect(message.at).toBe(instantOf(numbered(5), n))
        expect(numberAt(numbered(5), message.at)).toBe(n)
        expect(message.readings.Flow).toBe(valueIn(numbered(5), 'Flow', n))
        expect(message.readings.COD.value).toBe(valueIn(numbered(5), 'COD', n))
      })
    )
  })

  it.each([0, 1, 115, 116, 119, 120, 121, 235, 236, 1_000])('know how many alarms the first %i of them raise', count => {
    expect(raisesUpTo(numbered(5), count)).toBe(raisesCounted(numbered(5), count))
    expect(raisesUpTo(numbered(6), count)).toBe(0)
  })
})
