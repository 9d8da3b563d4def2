import { describe, expect, it } from '@jest/globals'
import type { StationState, Verdict } from '#libs/model'
import { reading, TEN } from '../test/fixtures.js'
import type { StationView } from './station-state.js'
import { stationState } from './station-state.js'

const newest = (verdict: Verdict, other: object = {}) => ({ reading: reading('AG-X', TEN, 1, other), verdict })
const open = (severity: Verdict) => ({ kind: 'limit' as const, severity })
const SILENT = { kind: 'silence' as const, severity: 'not-evaluated' as const }
const FAULT = newest('not-evaluated', { status: '02', flag: 4, flags: ['device-fault'] })
const ADJUSTING = newest('not-evaluated', { status: '01', flag: 4, flags: ['calibration'] })

describe("a station's state", () => {
  it.each<[StationState, string, StationView]>([
    ['unknown', 'before the first reading', { newest: [], open: [] }],
    ['no-limit', 'where no parameter has a limit', { newest: [newest('no-limit'), newest('no-limit')], open: [] }],
    ['good', 'where one parameter has a limit and keeps it', { newest: [newest('no-limit'), newest('within')], open: [] }],
    ['tendency', 'by the worst parameter', { newest: [newest('within'), newest('tendency')], open: [] }],
    ['preparing', 'before tendency', { newest: [newest('tendency'), newest('preparing')], open: [] }],
    ['exceeds', 'before preparing', { newest: [newest('preparing'), newest('exceeds')], open: [] }],
    ['exceeds', 'while an alarm is open, though the value is back', { newest: [newest('within')], open: [open('exceeds')] }],
    ['adjusting', 'before any band', { newest: [newest('exceeds'), ADJUSTING], open: [open('exceeds')] }],
    ['fault', 'before calibration', { newest: [ADJUSTING, FAULT], open: [] }],
    ['fault', 'for a value that cannot be', { newest: [newest('not-evaluated', { flag: 4, flags: ['out-of-range'] })], open: [] }],
    [
      'adjusting',
      'for such a value while calibrating',
      { newest: [newest('not-evaluated', { status: '01', flag: 4, flags: ['calibration', 'out-of-range'] })], open: [] }
    ],
    ['offline', 'before everything', { newest: [FAULT, ADJUSTING, newest('exceeds')], open: [open('exceeds'), SILENT] }],
    [
      'unknown',
      'where limits exist but nothing can be held against them',
      { newest: [newest('not-evaluated', { status: '05' })], open: [] }
    ]
  ])('is %s %s', (state, _, view) => {
    expect(stationState(view)).toBe(state)
  })
})
