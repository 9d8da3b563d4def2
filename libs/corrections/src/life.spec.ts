import { describe, expect, it } from '@jest/globals'
import type { CorrectionState, Person } from './correction.js'
import { CORRECTION_STATES, STATE_CODES } from './correction.js'
import type { Command, CorrectionEvent } from './life.js'
import { CORRECTION_EVENTS, decide, isSamePerson, nextState } from './life.js'

/** The whole table, pair by pair; `-` is illegal. */
const EXPECTED = `
          edit  submit  approve  reject   cancel    reopen
draft     draft waiting -        -        cancelled -
waiting   -     -       accepted rejected cancelled draft
rejected  -     -       -        -        cancelled draft
accepted  -     -       -        -        cancelled -
cancelled -     -       -        -        -         -
`

const [header = '', ...rows] = EXPECTED.trim().split('\n')
const events = header.trim().split(/\s+/) as CorrectionEvent[]
const pairs = rows.flatMap(row => {
  const [state, ...targets] = row.trim().split(/\s+/)
  return events.map((event, index) => ({ state: state as CorrectionState, event, target: targets[index] }))
})

const lan: Person = { name: 'Lan', via: 'desk-1' }
const minh: Person = { name: 'Minh', via: 'desk-2' }
const command = (event: CorrectionEvent, more: Partial<Command> = {}): Command => ({
  event,
  version: 3,
  by: minh,
  comment: 'seen',
  ...more
})
const standing = (state: CorrectionState, writers: readonly Person[] = [lan]) => ({ state, version: 3, writers })

describe("a correction's life", () => {
  it('is tested for every state and event', () => {
    expect(pairs.length).toBe(CORRECTION_STATES.length * CORRECTION_EVENTS.length)
    expect(new Set(pairs.map(({ state, event }) => `${state} ${event}`)).size).toBe(pairs.length)
  })

  it.each(pairs)('$state, $event: $target', ({ state, event, target }) => {
    expect(nextState(state, event) ?? '-').toBe(target)
    const decision = decide(standing(state), command(event))
    expect(decision).toMatchObject(target === '-' ? { ok: false, code: 'QT_CORRECTION_STATE' } : { ok: true, state: target })
  })

  it('has the ministry’s numbers', () => {
    expect(STATE_CODES).toEqual({ draft: 0, waiting: 2, rejected: 3, accepted: 4, cancelled: 5 })
  })

  it.each([2, 4])('refuses who has seen version %d of 3, whatever is wanted', version => {
    for (const { state, event } of pairs) {
      expect(decide(standing(state), command(event, { version }))).toMatchObject({ ok: false, code: 'QT_CORRECTION_CONFLICT' })
    }
  })
})

describe('four eyes', () => {
  const samePerson = { ok: false, code: 'QT_CORRECTION_SAME_PERSON' }

  it('are needed into the corrected series and out of it, and nowhere else', () => {
    for (const { state, event, target } of pairs.filter(pair => pair.target !== '-')) {
      const needed = event === 'approve' || (state === 'accepted' && event === 'cancel')
      expect([state, event, decide(standing(state), command(event, { by: lan }))]).toMatchObject([
        state,
        event,
        needed ? samePerson : { ok: true, state: target }
      ])
    }
  })

  it('are no writer’s: neither the author’s nor those of who edited it', () => {
    expect(decide(standing('waiting', [lan, minh]), command('approve'))).toMatchObject(samePerson)
    expect(decide(standing('waiting', [lan, minh]), command('approve', { by: { name: 'Hoa', via: 'desk-3' } }))).toMatchObject({ ok: true })
  })

  it('are not those of another name with the same credential, nor of the same name with another one', () => {
    expect(decide(standing('waiting'), command('approve', { by: { name: 'Minh', via: 'desk-1' } }))).toMatchObject(samePerson)
    expect(decide(standing('waiting'), command('approve', { by: { name: ' LAN ', via: 'desk-2' } }))).toMatchObject(samePerson)
  })

  it.each([
    ['Nguyễn  Văn A', 'nguyễn văn a', true],
    ['Nguyễn Văn A'.normalize('NFD'), 'Nguyễn Văn A'.normalize('NFC'), true],
    ['Ｌａｎ', 'lan', true],
    ['Nguyen Van A', 'Nguyễn Văn A', false]
  ])('%s and %s: one person %s', (a, b, same) => {
    expect(isSamePerson({ name: a, via: null }, { name: b, via: null })).toBe(same)
  })
})

describe('who acts', () => {
  const invalid = { ok: false, code: 'QT_CORRECTION_INVALID' }

  it.each([
    ['waiting', 'reject'],
    ['accepted', 'cancel']
  ] as const)('of %s, %s, says why', (state, event) => {
    for (const comment of [null, '', '  ']) expect(decide(standing(state), command(event, { comment }))).toMatchObject(invalid)
    expect(decide(standing(state), command(event, { comment: 'probe was dry' }))).toMatchObject({ ok: true })
  })

  it('may keep silent where nothing is decided against anybody', () => {
    for (const { state, event, target } of pairs.filter(({ target }) => target !== '-' && target !== 'rejected')) {
      if (state !== 'accepted')
        expect(decide(standing(state), command(event, { comment: null }))).toMatchObject({ ok: true, state: target })
    }
  })

  it('has a name, and does not write a book', () => {
    for (const name of ['', ' ', 'x'.repeat(101)]) {
      expect(decide(standing('draft'), command('submit', { by: { name, via: null } }))).toMatchObject(invalid)
    }
    expect(decide(standing('draft'), command('submit', { comment: 'x'.repeat(2_001) }))).toMatchObject(invalid)
  })
})
