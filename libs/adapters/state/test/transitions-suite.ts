import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { State } from '../src/state.js'
import { type Bench, cleared, NOON, raised } from './fixtures.js'

export function transitionsSuite(bench: Bench): void {
  let state: State
  beforeEach(async () => {
    state = await bench.open(await bench.place())
  })
  afterEach(() => bench.clear())

  describe('a reader of recorded transitions', () => {
    it('sees each in the order in which it was recorded, page by page', async () => {
      const recorded = [raised('b'), raised('a'), cleared('a', NOON - 60_000)] // the last one by late data: earlier, and recorded later
      await state.alarmLog.record(recorded, 1)
      const first = await state.transitions.after(0, 2)
      const rest = await state.transitions.after(first.at(-1)?.position ?? 0, 2)
      expect([...first, ...rest].map(({ transition }) => transition)).toEqual(recorded)
      expect(await state.transitions.after(rest.at(-1)?.position ?? 0, 2)).toEqual([])
    })

    it('keeps a place of its own, which never moves back and is no journal consumer’s', async () => {
      expect(await state.transitions.place('boards')).toBe(0)
      await state.transitions.passed('boards', 7)
      await state.transitions.passed('boards', 3)
      expect(await state.transitions.place('boards')).toBe(7)
      expect(await state.alarmLog.cursor()).toBe(0)
    })
  })
}
