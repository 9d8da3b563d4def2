import { expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { DAY, HOUR, MINUTE } from '#libs/model'
import { BEGIN } from '#libs/testkit'
import { spansOf } from './spans.js'

const at = (station: string, instant: number) => ({ station, parameter: 'COD', at: BEGIN + instant })
const lengths = (wanted: ReturnType<typeof at>[]) => spansOf(wanted).map(({ from, to, series }) => [from - BEGIN, to - BEGIN, series.size])

it('a back-fill of one station is one stretch', () => {
  const wanted = [...Array(2_000).keys()].map(n => at('A', n * 5 * MINUTE))
  expect(lengths(wanted)).toEqual([[0, 1_999 * 5 * MINUTE, 1]])
})

it('an hour of all stations is one stretch', () => {
  const wanted = [...Array(500).keys()].map(n => at(`S-${n}`, (n % 60) * MINUTE))
  expect(lengths(wanted)).toEqual([[0, 59 * MINUTE, 500]])
})

it('one late reading does not drag the days between along, nor a back-fill the other stations', () => {
  expect(lengths([at('A', 0), at('A', 60 * DAY)])).toHaveLength(2)
  const backfill = [...Array(1_000).keys()].map(n => at('A', n * HOUR))
  expect(lengths([...backfill, at('B', 500 * HOUR)])).toEqual([
    [0, 999 * HOUR, 1],
    [500 * HOUR, 500 * HOUR, 1]
  ])
})

it('every instant is covered for its series', () =>
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom('A', 'B', 'C'), fc.integer({ min: 0, max: 30 * DAY }))), pairs => {
      const wanted = pairs.map(([station, instant]) => at(station, instant))
      const spans = spansOf(wanted)
      for (const { station, at: instant } of wanted) {
        expect(spans.some(({ from, to, series }) => from <= instant && instant <= to && series.has(`${station}/COD`))).toBe(true)
      }
    })
  ))
