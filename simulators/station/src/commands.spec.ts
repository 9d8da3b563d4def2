import { describe, expect, it } from '@jest/globals'
import { Commands } from './commands.js'

const NOW = Date.UTC(2026, 10, 24, 3, 5)
const answer = (commands: Commands, command: unknown, now = NOW): unknown => JSON.parse(commands.answer(JSON.stringify(command), now))

describe('Commands', () => {
  it('takes samples into one bottle after another, twelve of them', () => {
    const commands = new Commands()
    const bottles = Array.from(
      { length: 13 },
      (_, n) => (answer(commands, { command: 'take-sample', id: `c${n}` }) as { bottle: number }).bottle
    )
    expect(bottles).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 1])
  })

  it('does a repeated command once and gives its first answer again', () => {
    const commands = new Commands()
    const first = answer(commands, { command: 'take-sample', id: 'c1', reason: 'alarm' })
    expect(first).toEqual({ command: 'take-sample', id: 'c1', result: 'done', bottle: 1, at: '2026-11-24T10:05:00+07:00' })
    expect(answer(commands, { command: 'take-sample', id: 'c1' }, NOW + 60_000)).toEqual(first)
    expect(answer(commands, { command: 'take-sample', id: 'c2' })).toMatchObject({ bottle: 2 })
  })

  it('says what it does not understand', () => {
    const commands = new Commands()
    expect(answer(commands, { command: 'dance', id: 'c1' })).toMatchObject({ result: 'unknown-command', id: 'c1' })
    expect(answer(commands, { command: 'ping' })).toMatchObject({ result: 'malformed' })
    expect(JSON.parse(commands.answer('{', NOW))).toMatchObject({ result: 'malformed' })
    expect(answer(commands, { command: 'ping', id: 'c2' })).toMatchObject({ result: 'done' })
  })
})
