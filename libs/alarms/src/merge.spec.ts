import { describe, expect, it } from '@jest/globals'
import { COD_90, feed, rulesFor, TEN } from '../test/fixtures.js'
import type { Alarm } from './alarm.js'
import { Engine } from './engine.js'
import { acknowledge, mergeAlarm } from './merge.js'

const transitions = feed(new Engine(rulesFor([COD_90])), [85, 86, 95, 96, 40, 40])
const [raised, escalated, cleared] = transitions
const by = { at: TEN + 1, by: 'lan', comment: 'đã gọi nhà máy' }

/** The alarm after the transitions, acknowledged in between where `null` stands. */
function life(...steps: (typeof raised | null)[]): Alarm {
  let kept: Alarm | undefined
  for (const step of steps) kept = mergeAlarm(kept, step ?? acknowledge(kept!, by)!)
  return kept!
}

describe('merging what the engine says with what people did', () => {
  it('has the transitions that it needs', () => {
    expect(transitions.map(({ kind }) => kind)).toEqual(['raised', 'escalated', 'cleared'])
  })

  it('walks through ISA-18.2', () => {
    expect(life(raised).state).toBe('unacknowledged-active')
    expect(life(raised, null).state).toBe('acknowledged-active')
    expect(life(raised, null, escalated).state).toBe('unacknowledged-active')
    expect(life(raised, escalated, null, cleared).state).toBe('normal')
    expect(life(raised, cleared).state).toBe('rtn-unacknowledged')
    expect(life(raised, cleared, null).state).toBe('normal')
  })

  it('never overwrites an acknowledgement', () => {
    const alarm = life(raised, null, escalated, cleared)
    expect(alarm).toMatchObject({ acknowledgedBy: 'lan', acknowledgedAt: by.at, comment: by.comment, severity: 'exceeds', value: 96 })
  })

  it('leaves an alarm that was shelved where it is', () => {
    const shelved: Alarm = { ...life(raised), state: 'shelved' }
    expect(mergeAlarm(shelved, cleared!)).toMatchObject({ state: 'shelved', clearedAt: cleared!.at })
    expect(mergeAlarm(shelved, escalated!).state).toBe('shelved')
  })

  it('changes nothing when a raising is recorded again', () => {
    const kept = life(raised, null)
    expect(mergeAlarm(kept, raised!)).toEqual(kept)
  })

  it('refuses an acknowledgement where there is nothing to acknowledge', () => {
    expect(acknowledge(life(raised, null), by)).toBeUndefined()
    expect(acknowledge(life(raised, cleared, null), by)).toBeUndefined()
    expect(acknowledge(life(raised), by)).toMatchObject({ kind: 'acknowledged', at: by.at, alarm: { state: 'acknowledged-active' } })
  })
})
