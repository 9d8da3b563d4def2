import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Change, Correction, Person, Proposal } from '#libs/pipeline'
import type { CorrectionResult } from '../src/corrections.js'
import type { State, StatePlace } from '../src/state.js'
import { type Bench, codeOfRejection, NOON } from './fixtures.js'

const lan: Person = { name: 'Lan', via: 'desk-1' }
const minh: Person = { name: 'Minh', via: 'desk-2' }
const remove = (from: number, to: number): Change => ({ kind: 'remove', from, to })
const proposal = (more: Partial<Proposal> = {}): Proposal => ({
  station: 'AG-017',
  parameter: 'COD',
  change: remove(NOON, NOON + 10),
  reason: 'the pump was off',
  ...more
})

function made(result: CorrectionResult): Correction {
  if (!result.ok) throw new Error(`${result.code}: ${result.message}`)
  return result.correction
}
const codeOf = (result: CorrectionResult): string => (result.ok ? 'ok' : result.code)

export function correctionsSuite(bench: Bench): void {
  let place: StatePlace
  let state: State
  beforeEach(async () => {
    place = await bench.place()
    state = await bench.open(place)
  })
  afterEach(() => bench.clear())

  const draft = async (more: Partial<Proposal> = {}) => made(await state.corrections.create(proposal(more), lan))
  const act = (id: number, version: number, event: 'submit' | 'approve' | 'reject' | 'cancel' | 'reopen', by = minh) =>
    state.corrections.act(id, { event, version, by, comment: 'looked at' })
  const accept = async (more: Partial<Proposal> = {}): Promise<Correction> => {
    const { id } = await draft(more)
    await act(id, 1, 'submit', lan)
    return made(await act(id, 2, 'approve'))
  }

  describe('a correction', () => {
    it('is a draft of its author, found again as it was made', async () => {
      const one = await draft()
      expect(one).toMatchObject({ ...proposal(), id: 1, state: 'draft', version: 1, writers: [lan], createdAt: NOON, acceptedAt: null })
      expect(await state.corrections.get(one.id)).toEqual(one)
      expect(await state.corrections.get(2)).toBeNull()
      expect(await state.corrections.history(2)).toEqual([])
    })

    it('keeps all that was done to it: who, when, to which state, with which words', async () => {
      const { id } = await draft()
      const change: Change = { kind: 'replace', values: [{ at: NOON, value: 0.1 + 0.2 }] }
      bench.now += 1
      made(await state.corrections.edit(id, { version: 1, by: minh, comment: 'one value only' }, { change, reason: 'spike' }))
      const steps = [
        ['submit', lan],
        ['reject', minh],
        ['reopen', lan],
        ['submit', lan],
        ['approve', { name: 'Hoa', via: null }],
        ['cancel', { name: 'Hoa', via: null }]
      ] as const
      for (const [n, [event, by]] of steps.entries()) {
        bench.now += 1
        made(await act(id, n + 2, event, by))
      }
      const history = await state.corrections.history(id)
      expect(history.map(({ version, event, at, by, state: to }) => [version, event, at - NOON, by.name, to])).toEqual([
        [1, 'create', 0, 'Lan', 'draft'],
        [2, 'edit', 1, 'Minh', 'draft'],
        [3, 'submit', 2, 'Lan', 'waiting'],
        [4, 'reject', 3, 'Minh', 'rejected'],
        [5, 'reopen', 4, 'Lan', 'draft'],
        [6, 'submit', 5, 'Lan', 'waiting'],
        [7, 'approve', 6, 'Hoa', 'accepted'],
        [8, 'cancel', 7, 'Hoa', 'cancelled']
      ])
      expect(history.slice(0, 3)).toMatchObject([
        { comment: null, change: remove(NOON, NOON + 10), reason: 'the pump was off', by: lan },
        { comment: 'one value only', change, reason: 'spike', by: minh },
        { comment: 'looked at', change: null, reason: null }
      ])
      expect(await state.corrections.get(id)).toEqual({
        ...proposal({ change, reason: 'spike' }),
        id,
        state: 'cancelled',
        version: 8,
        writers: [lan, minh],
        createdAt: NOON,
        changedAt: NOON + 7,
        approver: { name: 'Hoa', via: null },
        acceptedAt: NOON + 6,
        withdrawnAt: NOON + 7
      })
    })

    it('is not written where the rules refuse: unknown, seen in another version, in another state, by its writer, without sense', async () => {
      const one = await draft()
      const edit = { change: remove(1, 2), reason: 'other' }
      expect(codeOf(await act(99, 1, 'submit'))).toBe('QT_CORRECTION_UNKNOWN')
      expect(codeOf(await act(one.id, 2, 'submit'))).toBe('QT_CORRECTION_CONFLICT')
      expect(codeOf(await act(one.id, 1, 'approve'))).toBe('QT_CORRECTION_STATE')
      expect(codeOf(await state.corrections.create(proposal({ change: remove(2, 1) }), lan))).toBe('QT_CORRECTION_INVALID')
      expect(codeOf(await state.corrections.create(proposal(), { name: ' ', via: null }))).toBe('QT_CORRECTION_INVALID')
      const seen = { version: 1, by: minh, comment: null }
      expect(codeOf(await state.corrections.edit(one.id, seen, { ...edit, reason: '' }))).toBe('QT_CORRECTION_INVALID')
      expect(await state.corrections.get(one.id)).toEqual(one)
      made(await act(one.id, 1, 'submit', lan))
      expect(codeOf(await act(one.id, 2, 'approve', lan))).toBe('QT_CORRECTION_SAME_PERSON')
      expect(codeOf(await state.corrections.edit(one.id, { ...seen, version: 2 }, edit))).toBe('QT_CORRECTION_STATE')
      expect(await state.corrections.history(one.id)).toHaveLength(2)
    })

    it('lets one of two win who change it at once, and tells the other', async () => {
      const { id } = await draft()
      const others = await Promise.all([bench.open(place), bench.open(place)])
      const edits = others.map((other, n) =>
        other.corrections.edit(id, { version: 1, by: minh, comment: null }, { change: remove(n, n), reason: `of ${n}` })
      )
      const codes = (await Promise.all(edits)).map(codeOf)
      expect(codes.sort()).toEqual(['QT_CORRECTION_CONFLICT', 'ok'])
      expect(await state.corrections.history(id)).toHaveLength(2)
    })

    it('is one of a thousand that nobody has decided, at most, and is changed two hundred times, at most', async () => {
      const few = await bench.open(place, { maxOpenCorrections: 2 })
      const { id } = await draft()
      await draft()
      expect(codeOf(await few.corrections.create(proposal(), lan))).toBe('QT_CORRECTION_LIMIT')
      await act(id, 1, 'cancel')
      const again = made(await few.corrections.create(proposal(), lan))
      const edit = (version: number) =>
        state.corrections.edit(again.id, { version, by: lan, comment: null }, { change: remove(version, version), reason: 'again' })
      for (let version = 1; version < 200; version += 1) made(await edit(version))
      expect(codeOf(await edit(200))).toBe('QT_CORRECTION_LIMIT')
      expect(codeOf(await act(again.id, 200, 'cancel'))).toBe('ok')
    })
  })

  describe('corrections', () => {
    it('are listed newest first, by station, parameter and state, page by page', async () => {
      for (const [station, parameter] of [
        ['AG-017', 'COD'],
        ['AG-017', 'pH'],
        ['AG-018', 'COD'],
        ['AG-017', 'COD']
      ] as const)
        await draft({ station, parameter })
      await act(4, 1, 'submit', lan)
      const ids = async (query: object) => (await state.corrections.list({ limit: 10, ...query })).items.map(({ id }) => id)
      expect(await ids({})).toEqual([4, 3, 2, 1])
      expect(await ids({ station: 'AG-017' })).toEqual([4, 2, 1])
      expect(await ids({ station: 'AG-017', parameter: 'COD' })).toEqual([4, 1])
      expect(await ids({ state: 'draft' })).toEqual([3, 2, 1])
      const first = await state.corrections.list({ limit: 3 })
      expect(first.items.map(({ id }) => id)).toEqual([4, 3, 2])
      expect(await state.corrections.list({ limit: 3, after: first.next ?? '' })).toMatchObject({ items: [{ id: 1 }], next: null })
      expect(await codeOfRejection(state.corrections.list({ limit: 3, after: 'x' }))).toBe('QT_CURSOR_INVALID')
    })

    it('that were accepted are found by what they are about, in the order of acceptance, also when the clock goes back', async () => {
      const one = await accept({ change: remove(NOON, NOON + 10) })
      bench.now -= 5_000
      const two = await accept({ change: { kind: 'replace', values: [{ at: NOON + 10, value: 1 }] } })
      await accept({ parameter: 'pH' })
      await accept({ station: 'AG-018' })
      await draft()
      expect(two.acceptedAt).toBe((one.acceptedAt ?? 0) + 1)
      made(await act(one.id, 3, 'cancel'))
      const found = async (from: number, to: number, limit = 10) =>
        (await state.corrections.accepted({ station: 'AG-017', parameter: 'COD', from: NOON + from, to: NOON + to, limit })).map(
          ({ id, withdrawnAt }) => [id, withdrawnAt !== null]
        )
      expect(await found(10, 20)).toEqual([
        [one.id, true],
        [two.id, false]
      ])
      expect(await found(10, 20, 1)).toEqual([[one.id, true]])
      expect(await found(0, 9)).toEqual([[one.id, true]])
      expect(await found(11, 20)).toEqual([])
      expect(await found(-9, -1)).toEqual([])
    })

    it('numbers are given once, whoever makes them', async () => {
      const states = [state, await bench.open(place), await bench.open(place)]
      const all = await Promise.all([...Array(15).keys()].map(n => states[n % 3]!.corrections.create(proposal(), lan)))
      expect(all.map(result => made(result).id).sort((a, b) => a - b)).toEqual([...Array(15).keys()].map(n => n + 1))
    })
  })
}
