import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Refusal } from '#libs/pipeline'
import type { State, StatePlace } from '../src/state.js'
import { type Bench, codeOfRejection, NOON } from './fixtures.js'

export function refusalsSuite(bench: Bench): void {
  let place: StatePlace
  let state: State
  beforeEach(async () => {
    place = await bench.place()
    state = await bench.open(place, { maxRefusals: 50 })
  })
  afterEach(() => bench.clear())

  function refusal(sequence: number, more: Partial<Refusal> = {}): Refusal {
    return {
      sequence,
      receivedAt: NOON + sequence,
      station: 'AG-BINHHOA',
      road: 'mqtt',
      topic: 'readings',
      reason: 'malformed',
      detail: 'no JSON',
      parameter: null,
      at: null,
      payload: Buffer.from('{{{'),
      payloadBytes: 3,
      ...more
    } as Refusal
  }

  const sequences = async (query: object = {}) =>
    (await state.refusals.list({ limit: 1_000, ...query })).items.map(({ sequence }) => sequence)

  describe('refusals', () => {
    it('keeps rows and cursor together, and a replay adds nothing', async () => {
      const items = [refusal(5), refusal(9, { parameter: 'COD', at: NOON }), refusal(9, { parameter: 'pH', at: NOON })]
      await state.refusals.record(items, 12)
      await state.refusals.record(items, 12)
      expect(await state.refusals.cursor()).toBe(12)
      const { items: listed } = await state.refusals.list({ limit: 10 })
      expect(listed).toEqual([items[2], items[1], items[0]])
    })

    it('shows the first 4 KiB of what came in, and how much it was', async () => {
      const payload = Buffer.alloc(200_000, 7)
      await state.refusals.record([refusal(1, { payload, payloadBytes: payload.length, station: null })], 1)
      const [row] = (await state.refusals.list({ limit: 1 })).items
      expect(row).toMatchObject({ payloadBytes: 200_000, station: null })
      expect(row!.payload).toHaveLength(4_096)
    })

    it('pages newest first, of all or of one station', async () => {
      const items = Array.from({ length: 20 }, (_, index) => refusal(index >> 1, { station: index % 2 === 0 ? 'AG-A' : 'AG-B' }))
      await state.refusals.record(items, 20)
      const first = await state.refusals.list({ limit: 7 })
      const second = await state.refusals.list({ limit: 100, after: first.next! })
      const all = [...first.items, ...second.items]
      expect(all).toEqual([...items].reverse())
      expect(second.next).toBeNull()
      expect(await sequences({ station: 'AG-A' })).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
      for (const after of [
        'nonsense',
        ...['[1,1.5]', '[1,1e300]', '[1e300,1]', '[1,"1"]'].map(text => Buffer.from(text).toString('base64url'))
      ]) {
        expect([after, await codeOfRejection(state.refusals.list({ limit: 7, after }))]).toEqual([after, 'QT_CURSOR_INVALID'])
      }
    })

    it('is bounded, and the noisiest station pays for it', async () => {
      await state.refusals.record([refusal(1, { station: 'AG-QUIET' }), refusal(2, { station: null })], 2)
      for (let batch = 0; batch < 10; batch += 1) {
        const noise = Array.from({ length: 20 }, (_, index) => refusal(10 + batch * 20 + index, { station: 'AG-NOISY' }))
        await state.refusals.record(noise, 30 + batch * 20)
        expect((await sequences()).length).toBeLessThanOrEqual(50)
      }
      expect(await sequences({ station: 'AG-QUIET' })).toEqual([1])
      const all = await sequences()
      expect(all.slice(-2)).toEqual([2, 1])
      expect(all[0]).toBe(209)
      expect(all.length).toBeGreaterThan(40)
    })

    it('stays bounded after a restart, and when one batch is larger than the bound', async () => {
      await state.refusals.record(
        Array.from({ length: 50 }, (_, index) => refusal(index)),
        50
      )
      await state.close()
      state = await bench.open(place, { maxRefusals: 50 })
      await state.refusals.record(
        Array.from({ length: 130 }, (_, index) => refusal(100 + index, { station: null })),
        230
      )
      expect(await sequences()).toHaveLength(50)
    })
  })
}
