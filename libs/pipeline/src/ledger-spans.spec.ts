import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import type { Spans } from './ledger-spans.js'
import { cover, pairsOf, parseSpans, spansText, unite } from './ledger-spans.js'

const instants = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 60 })
const tolerance = fc.integer({ min: 0, max: 30 })

const covered = (order: readonly number[], within: number): Spans => {
  const spans: Spans = []
  for (const at of order) cover(spans, at, within)
  return spans
}

/** Walks through the sorted instants: as plain as can be. */
function naive(order: readonly number[], within: number): [number, number][] {
  const spans: [number, number][] = []
  for (const at of [...new Set(order)].sort((a, b) => a - b)) {
    const last = spans.at(-1)
    if (last && at - last[1] <= within) last[1] = at
    else spans.push([at, at])
  }
  return spans
}

describe('spans', () => {
  it('depend on the set of instants, not on their order', () =>
    fc.assert(
      fc.property(
        instants.chain(all => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }), tolerance)),
        ([all, other, within]) => {
          expect(pairsOf(covered(all, within))).toEqual(naive(all, within))
          expect(covered(other, within)).toEqual(covered(all, within))
          expect(covered([...other, ...all], within)).toEqual(covered(all, within))
        }
      ),
      { numRuns: 500 }
    ))

  it('unite to what they would have been together', () =>
    fc.assert(
      fc.property(instants, instants, tolerance, (some, others, within) => {
        expect(unite([covered(some, within), covered(others, within)], within)).toEqual(covered([...some, ...others], within))
      })
    ))

  it('come back from their text', () =>
    fc.assert(
      fc.property(instants, tolerance, fc.integer({ min: 0, max: 2_000_000_000_000 }), (all, within, origin) => {
        const spans = covered(
          all.map(at => at + origin),
          within
        )
        expect(parseSpans(spansText(spans, origin), origin)).toEqual(spans)
      })
    ))
})
