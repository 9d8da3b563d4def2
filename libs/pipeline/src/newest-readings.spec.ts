import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import type { Reading } from '#libs/model'
import { CLOCK_TOLERANCE, HOUR, MINUTE } from '#libs/model'
import { BEGIN, plainReading } from '#libs/testkit'
import { NewestReadings } from './newest-readings.js'
import type { Log, StoredReading } from './ports.js'

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} }
const NOW = BEGIN + 4 * HOUR

/** Few instants and revisions, some of a clock far ahead; sequences rise. */
const history: fc.Arbitrary<StoredReading[]> = fc
  .array(
    fc.record({
      station: fc.constantFrom('AG-017', 'CT-002'),
      parameter: fc.constantFrom('COD', 'pH'),
      at: fc.constantFrom(0, 1, 2, 3, 10_000).map(n => BEGIN + n * MINUTE),
      value: fc.constantFrom(1, 2, 3),
      revision: fc.constantFrom(0, 0, 1)
    }),
    { maxLength: 30 }
  )
  .map(all => all.map((fields, n) => plainReading({ ...fields, receivedAt: NOW, sequence: n + 1 })))

const keyOf = (r: Reading): string => `${r.station} ${r.parameter}`
/** By the book: of one instant the highest revision, then the first; of a series the newest that is not ahead, else the newest. */
function expected(all: readonly StoredReading[], before: number): string[] {
  const keys = [...new Set(all.map(keyOf))].sort()
  return keys.map(key => {
    const ofSeries = all.filter(r => keyOf(r) === key).sort((a, b) => b.at - a.at || b.revision - a.revision || a.sequence - b.sequence)
    const { at, value, revision } = (ofSeries.find(r => r.at < before) ?? ofSeries[0]) as StoredReading
    return `${key} ${at} ${value} ${revision}`
  })
}

const shown = (readings: readonly Reading[]): string[] => readings.map(r => `${keyOf(r)} ${r.at} ${r.value} ${r.revision}`)

/** A store that holds what was written up to a sequence. */
function storeOf(all: readonly StoredReading[], upTo: () => number) {
  return {
    latest: async (_: readonly string[] | undefined, before = 0): Promise<Reading[]> => {
      const held = all.filter(r => r.sequence <= upTo())
      return expected(held, before).map(text => {
        const [station, parameter, at, value, revision] = text.split(' ')
        return held.find(r => shown([r])[0] === `${station} ${parameter} ${at} ${value} ${revision}`) as Reading
      })
    }
  }
}

describe('NewestReadings', () => {
  it('shows what was stored before the start, what came in the gap, and what came since, each by the same rule', () =>
    fc.assert(
      fc.asyncProperty(history, fc.nat(30), fc.nat(30), async (all, a, b) => {
        const [first, started] = [Math.min(a, b), Math.max(a, b)]
        let stored = first
        const board = new NewestReadings({ store: storeOf(all, () => stored), stored: () => stored, clock: () => NOW, log: silent })
        await board.fill(first)
        // What lies between was on disk before the start and in no store yet: it comes with a later look.
        board.see(all.filter(r => r.sequence > started))
        stored = started
        await board.fill(started)
        await board.close()
        const before = NOW + CLOCK_TOLERANCE
        expect(shown(await board.latest(undefined, before))).toEqual(expected(all, before))
        const one = all.filter(r => r.station === 'AG-017')
        expect(shown(await board.latest(['AG-017', 'NOBODY'], before))).toEqual(expected(one, before))
      })
    ))

  it('asks a store that is away, or behind, again and goes on meanwhile', async () => {
    let answers = 0
    let stored = 0
    const old = plainReading({ parameter: 'pH' })
    const store = {
      latest: () => (++answers === 1 ? Promise.reject(new Error('away')) : Promise.resolve(answers > 1 ? [old] : []))
    }
    const board = new NewestReadings({ store, stored: () => stored, clock: () => NOW, log: silent })
    await board.fill(5)
    board.see([plainReading()])
    expect(shown(await board.latest())).toEqual(shown([plainReading()]))
    stored = 5
    for (let waited = 0; waited < 10_000 && (await board.latest()).length < 2; waited += 50) await new Promise(r => setTimeout(r, 50))
    expect((await board.latest()).map(r => r.parameter)).toEqual(['COD', 'pH'])
    await board.close()
  })

  it('ends while it waits for a store that is away', async () => {
    const store = { latest: () => Promise.reject(new Error('away')) }
    const board = new NewestReadings({ store, stored: () => 0, clock: () => NOW, log: silent })
    await board.fill(1)
    await board.close()
    expect(await board.latest()).toEqual([])
  })
})
