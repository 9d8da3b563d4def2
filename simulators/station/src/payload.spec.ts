import { describe, expect, it } from '@jest/globals'
import { encodeSamples } from './payload.js'
import type { Sample } from './station-model.js'

const AT = Date.UTC(2026, 10, 24, 3, 5)
const sample = (at: number): Sample => ({ at, values: [{ parameter: 'COD', value: 82.1, unit: 'mg/L', status: '00' }] })

const QUANTRAC = { dialect: 'quantrac-json', station: 'A1', zoneless: false, textNumbers: false } as const

describe('encodeSamples', () => {
  it('writes one object of the quantrac dialect', () => {
    expect(JSON.parse(encodeSamples([sample(AT)], 17, QUANTRAC))).toEqual({
      at: '2026-11-24T10:05:00+07:00',
      readings: { COD: { value: 82.1, unit: 'mg/L', status: '00' } },
      seq: 17
    })
  })

  it('writes a batch as an array with rising numbers', () => {
    const batch: unknown = JSON.parse(encodeSamples([sample(AT), sample(AT + 500)], 17, QUANTRAC))
    expect(batch).toMatchObject([{ seq: 17 }, { seq: 18, at: '2026-11-24T10:05:00.500+07:00' }])
  })

  it.each([
    [true, '2026-11-24 10:05:00', '82.1'],
    [false, '2026-11-24T10:05:00+07:00', 82.1]
  ])('writes the logger dialect; without a zone and with numbers as text: %s', (habit, time, v) => {
    const wording = { dialect: 'logger-json', station: 'A1', zoneless: habit, textNumbers: habit } as const
    expect(JSON.parse(encodeSamples([sample(AT)], 0, wording))).toMatchObject({
      station: 'A1',
      time,
      params: { COD: { v, u: 'mg/L', st: '00' } }
    })
  })
})
