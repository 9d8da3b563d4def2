import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Refusal } from '#libs/pipeline'
import type { State } from '../src/state.js'
import { type Bench, NOON, raised } from './fixtures.js'

const refusal = (sequence: number): Refusal => ({
  sequence,
  receivedAt: NOON,
  station: 'AG-BINHHOA',
  road: 'mqtt',
  topic: 'readings',
  reason: 'not-json',
  detail: 'no JSON',
  parameter: null,
  at: null,
  payload: Buffer.from('{{{'),
  payloadBytes: 3
})

export function journalTieSuite(bench: Bench): void {
  let state: State
  beforeEach(async () => {
    state = await bench.open(await bench.place())
  })
  afterEach(() => bench.clear())

  describe('the journal that a state follows', () => {
    it('is none at first, then the one that was adopted last', async () => {
      expect(await state.journal.identity()).toBeNull()
      await state.journal.adopt('aaaa', 0)
      await state.journal.adopt('bbbb', 0)
      expect(await state.journal.identity()).toBe('bbbb')
    })

    it('takes back what was read beyond its last record, and nothing else', async () => {
      await state.alarmLog.saveSnapshot(5, new Uint8Array([1]))
      await state.alarmLog.record([raised('a')], 9)
      await state.refusals.record([refusal(4), refusal(8)], 8)
      await state.journal.adopt('aaaa', 6)
      expect(await state.alarmLog.cursor()).toBe(6)
      expect((await state.alarmLog.snapshot())?.sequence).toBe(5)
      expect(await state.refusals.cursor()).toBe(6)
      expect((await state.refusals.list({ limit: 10 })).items.map(({ sequence }) => sequence)).toEqual([4])
      expect((await state.alarms.list({ limit: 10 })).items).toHaveLength(1)
      await state.journal.adopt('bbbb', 2)
      expect(await state.alarmLog.snapshot()).toBeNull()
    })
  })
}
