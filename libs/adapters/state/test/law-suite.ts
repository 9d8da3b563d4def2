import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { LawDraft } from '#libs/pipeline'
import type { State, StatePlace } from '../src/state.js'
import { type Bench, codeOfRejection, NOON } from './fixtures.js'

const draft = (more: Partial<LawDraft> = {}): LawDraft => ({
  ...{ kind: 'permit', key: 'P-1', document: { id: 'P-1', column: 'A' }, from: 5, author: 'Lan', via: 'desk-1', reason: 'new permit' },
  ...more
})

export function lawSuite(bench: Bench): void {
  let place: StatePlace
  let state: State
  beforeEach(async () => {
    place = await bench.place()
    state = await bench.open(place)
  })
  afterEach(() => bench.clear())

  describe('changes of the law', () => {
    it('are numbered, kept with author, reason and first instant, and listed newest first', async () => {
      expect([await state.law.edition(), await state.law.standing(0)]).toEqual([0, []])
      expect(await state.law.record(draft(), 0)).toEqual({ ...draft(), edition: 1, changedAt: NOON })
      await state.law.record(draft({ kind: 'regulation', key: 'r', document: null, from: null, via: null }), 1)
      expect(await state.law.edition()).toBe(2)
      const first = await state.law.changes({ limit: 1 })
      expect(first.items).toMatchObject([{ edition: 2, kind: 'regulation', key: 'r', document: null, from: null, via: null }])
      expect(await state.law.changes({ limit: 1, after: first.next ?? '' })).toMatchObject({ items: [{ edition: 1 }], next: null })
      expect(await codeOfRejection(state.law.changes({ limit: 1, after: 'x' }))).toBe('QT_CURSOR_INVALID')
    })

    it('stand as the newest of each document, at any edition', async () => {
      await state.law.record(draft(), 0)
      await state.law.record(draft({ document: { id: 'P-1', column: 'B' } }), 1)
      await state.law.record(draft({ document: null }), 2)
      const standing = async (edition: number) => (await state.law.standing(edition)).map(({ document }) => document)
      expect(await standing(1)).toEqual([{ id: 'P-1', column: 'A' }])
      expect(await standing(2)).toEqual([{ id: 'P-1', column: 'B' }])
      expect(await standing(3)).toEqual([null])
    })

    it('made at once by two people are one change: the other is told to look again', async () => {
      const other = await bench.open(place)
      const both = await Promise.allSettled([state.law.record(draft(), 0), other.law.record(draft({ author: 'Minh' }), 0)])
      expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
      const lost = both.find(one => one.status === 'rejected')
      expect(lost?.status === 'rejected' && (lost.reason as { code: string }).code).toBe('QT_LAW_CHANGED')
      expect(await state.law.edition()).toBe(1)
    })

    it('say how far they have been judged by', async () => {
      expect(await state.law.applied()).toBe(0)
      await state.law.apply(3)
      await state.law.apply(7)
      expect(await state.law.applied()).toBe(7)
    })
  })
}
