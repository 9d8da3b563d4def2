import { describe, expect, it } from '@jest/globals'
import type { Window } from '#libs/aggregates'
import { DAY, HOUR, MINUTE } from '#libs/model'
import type { AggregateQuery } from '#libs/pipeline'
import { ReadingsAsked } from '#libs/pipeline'
import { BEGIN, naiveRange, plainReading } from '#libs/testkit'
import { AskedViews } from './asked-views.js'
import { toCursor } from './schemas.js'

const SERIES = { station: 'AG-017', parameter: 'COD' }
const NOW = BEGIN + 30 * DAY
const nobody = { accepted: async () => [] }

describe('pages of the past', () => {
  const stored = [1, 2, 3, 4, 5].map(n =>
    plainReading({ at: BEGIN + n, receivedAt: n % 2 === 0 ? BEGIN + DAY : BEGIN + 5, revision: n === 4 ? 1 : 0 })
  )
  const readings = new ReadingsAsked(
    { range: async ({ station, parameter, ...span }) => naiveRange(stored, { station, parameter }, span) },
    nobody
  )
  const asked: Window[][] = []
  const queries: AggregateQuery[] = []
  const hours = [0, 1, 2, 3].map(n => ({ period: 'hour' as const, start: BEGIN + n * HOUR, end: BEGIN + (n + 1) * HOUR }))
  const views = new AskedViews({
    readings,
    published: {
      find: () => Promise.reject(new Error('not of the past')),
      windows: async query => {
        queries.push(query)
        return hours.filter(({ end }) => end > query.from && end <= query.to).slice(0, query.limit + 1)
      },
      view: () => {
        throw new Error('nothing was summed up')
      }
    },
    aggregates: {
      sumUp: async (_, windows) => {
        asked.push([...windows])
        return new Map()
      }
    },
    clock: () => NOW
  })
  const page = (more: object) => views.readings(SERIES, { limit: 2, as: 'raw', asOf: BEGIN + 10, ...more })

  it('end where the raw ones end, whatever was known of them', async () => {
    const first = await page({})
    expect([first.items.length, first.replacedLater.length, first.next]).toEqual([1, 0, toCursor(BEGIN + 2)])
    // The reading that is looked at to see that there is more belongs to the next page.
    expect((await page({ limit: 3 })).replacedLater).toEqual([])
    const second = await page({ after: first.next })
    expect([second.items.length, second.replacedLater.length, second.next]).toEqual([1, 1, toCursor(BEGIN + 4)])
    const last = await page({ after: second.next })
    expect([last.items.length, last.replacedLater.length, last.next]).toEqual([1, 0, null])
  })

  it('sum up no window that begins later than a clock may run ahead', async () => {
    const asOf = BEGIN + 2 * HOUR - 5 * MINUTE
    const of = (instant: number, limit = 10) => views.aggregates(SERIES, { period: 'hour', limit, as: 'raw', asOf: instant })
    expect(await of(asOf)).toEqual({ items: [], next: null, as: 'raw', asOf: expect.any(String) })
    await of(asOf + 1)
    expect(asked.map(windows => windows.length)).toEqual([2, 3])
    // A month that begins by then ends no later than this: nothing beyond is looked at.
    expect(queries[0]?.to).toBe(BEGIN + 2 * HOUR + 31 * DAY)
    expect((await of(asOf, 1)).next).toBe(toCursor(BEGIN + HOUR))
    expect((await of(asOf, 2)).next).toBeNull()
  })

  it('are not of the future', async () => {
    await expect(page({ asOf: NOW + 1 })).rejects.toMatchObject({ problem: { status: 400, errors: [{ field: 'asOf' }] } })
    expect((await page({ asOf: NOW })).items).toHaveLength(2)
  })
})
