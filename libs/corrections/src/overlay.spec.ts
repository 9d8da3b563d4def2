import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Flag, Reading } from '#libs/model'
import { isUsable } from '#libs/model'
import type { Change } from './correction.js'
import type { StandingCorrection } from './overlay.js'
import { overlay, standingAt } from './overlay.js'

const SERIES = { station: 'AG-017', parameter: 'COD' }
const reading = (at: number, value: number, more: Partial<Reading> = {}): Reading => ({
  ...SERIES,
  at,
  value,
  unit: 'mg/L',
  status: '00',
  flag: 1,
  flags: [],
  revision: 0,
  receivedAt: at + 1,
  road: 'mqtt',
  ...more
})
const accepted = (id: number, change: Change, acceptedAt = id): StandingCorrection => ({ ...SERIES, id, change, acceptedAt })
const RAW = [10, 20, 30, 40].map(at => reading(at, at))
const brief = (corrections: readonly StandingCorrection[], raw: readonly Reading[] = RAW) =>
  overlay(raw, corrections).map(one => [one.raw.at, one.reading.value, one.reading.flag, one.corrections, one.excluded])
const untouched = (at: number) => [at, at, 1, [], false]

describe('the corrected series', () => {
  it('is the raw one where nobody corrects', () => {
    for (const one of overlay(RAW, [])) expect(one.reading).toBe(one.raw)
    expect(brief([])).toEqual([10, 20, 30, 40].map(untouched))
  })

  it('has other values at the instants named, where there is a reading, and says that nobody has tested them', () => {
    const values = [
      { at: 20, value: 2 },
      { at: 25, value: 9 }
    ]
    expect(brief([accepted(1, { kind: 'replace', values })])).toEqual([untouched(10), [20, 2, 2, [1], false], untouched(30), untouched(40)])
  })

  it('shows what was removed, out of the statistics, both ends with it', () => {
    const found = brief([accepted(1, { kind: 'remove', from: 20, to: 30 })])
    expect(found).toEqual([untouched(10), [20, 20, 4, [1], true], [30, 30, 4, [1], true], untouched(40)])
    expect(overlay(RAW, [accepted(1, { kind: 'remove', from: 20, to: 30 })]).map(({ reading: r }) => isUsable(r))).toEqual([
      true,
      false,
      false,
      true
    ])
  })

  it('scales, and gives flags', () => {
    const scale: Change = { kind: 'scale', from: 20, to: 20, factor: 2, offset: -1 }
    expect(brief([accepted(1, scale)])[1]).toEqual([20, 39, 1, [1], false])
    const failed = [reading(20, 20, { flag: 4, flags: ['out-of-range'] })]
    expect(brief([accepted(1, scale)], failed)).toEqual([[20, 39, 4, [1], false]])
    expect(brief([accepted(1, { kind: 'set-flag', flag: 1, from: 0, to: 50 })], failed)).toEqual([[20, 20, 1, [1], false]])
  })

  it('leaves out what a scale has led beyond every number', () => {
    const raw = [reading(20, Number.MAX_VALUE)]
    const scales = [accepted(1, { kind: 'scale', from: 0, to: 50, factor: 10, offset: 0 })]
    expect(brief(scales, raw)).toEqual([[20, Number.MAX_VALUE, 4, [1], true]])
  })

  it('keeps what the station said of the reading: status, reasons, revision, road', () => {
    const raw = reading(20, 20, { status: '01', flags: ['calibration'], revision: 3, road: 'file' })
    const [one] = overlay([raw], [accepted(1, { kind: 'replace', values: [{ at: 20, value: 1 }] })])
    expect(one?.reading).toEqual({ ...raw, value: 1, flag: 2 })
    expect(one?.raw).toBe(raw)
  })

  it('touches no other series', () => {
    const change: Change = { kind: 'remove', from: 0, to: 50 }
    const strangers = [
      { ...accepted(1, change), station: 'AG-018' },
      { ...accepted(2, change), parameter: 'pH' }
    ]
    expect(brief(strangers)).toEqual([10, 20, 30, 40].map(untouched))
  })
})

describe('of corrections that overlap', () => {
  const scale: Change = { kind: 'scale', from: 0, to: 50, factor: 2, offset: 0 }
  const replace: Change = { kind: 'replace', values: [{ at: 20, value: 7 }] }
  const remove: Change = { kind: 'remove', from: 20, to: 20 }
  const at20 = (...corrections: StandingCorrection[]) => brief(corrections)[1]

  it('the one accepted last decides, on the raw value: nothing is corrected twice', () => {
    expect(at20(accepted(1, scale), accepted(2, scale))).toEqual([20, 40, 1, [2], false])
    expect(at20(accepted(1, scale), accepted(2, replace))).toEqual([20, 7, 2, [2], false])
    expect(at20(accepted(1, scale, 5), accepted(2, replace, 4))).toEqual([20, 40, 2, [1, 2], false])
  })

  it('value and flag are decided apart: what is removed stays scaled, and a value given later counts again', () => {
    expect(at20(accepted(1, scale), accepted(2, remove))).toEqual([20, 40, 4, [1, 2], true])
    expect(at20(accepted(1, remove), accepted(2, scale))).toEqual([20, 40, 4, [1, 2], true])
    expect(at20(accepted(1, remove), accepted(2, replace))).toEqual([20, 7, 2, [2], false])
    expect(at20(accepted(1, replace), accepted(2, remove))).toEqual([20, 7, 4, [1, 2], true])
    expect(at20(accepted(1, remove), accepted(2, { kind: 'set-flag', flag: 3, from: 0, to: 50 }))).toEqual([20, 20, 3, [2], false])
  })

  it('the higher id counts as the later where they were accepted at once', () => {
    expect(at20(accepted(1, replace, 9), accepted(2, scale, 9))).toEqual([20, 40, 2, [1, 2], false])
    expect(at20(accepted(2, replace, 9), accepted(1, scale, 9))).toEqual([20, 7, 2, [2], false])
  })
})

const instants = fc.integer({ min: 0, max: 12 })
const span = fc.tuple(instants, instants).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }))
const number = fc.double({ min: -1e6, max: 1e6, noNaN: true })
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.uniqueArray(fc.record({ at: instants, value: number }), { selector: ({ at }) => at, minLength: 1 }).map(values => ({
    kind: 'replace' as const,
    values
  })),
  span.map(s => ({ kind: 'remove' as const, ...s })),
  fc.tuple(span, number, number).map(([s, factor, offset]) => ({ kind: 'scale' as const, factor, offset, ...s })),
  fc
    .tuple(span, fc.constantFrom(1 as const, 2 as const, 3 as const, 4 as const))
    .map(([s, flag]) => ({ kind: 'set-flag' as const, flag, ...s }))
)
const corrections = fc
  .array(fc.tuple(change, fc.integer({ min: 0, max: 5 }), fc.constantFrom('COD', 'pH')), { maxLength: 8 })
  .map(list => list.map(([c, acceptedAt, parameter], n) => ({ ...accepted(n + 1, c, acceptedAt), parameter })))
const flags = fc.constantFrom<Flag>(1, 2, 3, 4, 9)
const readings = fc
  .uniqueArray(fc.tuple(instants, number, flags, fc.constantFrom('COD', 'pH')), { selector: ([at, , , parameter]) => `${parameter}/${at}` })
  .map(list => list.map(([at, value, flag, parameter]) => reading(at, value, { flag, parameter })))

/** What a reading comes to, said the slow way: every correction in the order of acceptance, the later one overwriting. */
function naive(raw: Reading, all: readonly StandingCorrection[]) {
  let { value, flag } = raw
  let excluded = false
  let [ofValue, ofFlag] = [0, 0]
  const inOrder = [...all].sort((a, b) => a.acceptedAt - b.acceptedAt || a.id - b.id)
  for (const { id, parameter, change: c } of inOrder) {
    if (parameter !== raw.parameter) continue
    const given = c.kind === 'replace' ? c.values.find(({ at }) => at === raw.at)?.value : undefined
    if (c.kind === 'replace' ? given === undefined : raw.at < c.from || raw.at > c.to) continue
    if (c.kind === 'replace') [value, ofValue] = [given ?? 0, id]
    if (c.kind === 'scale') [value, ofValue] = [raw.value * c.factor + c.offset, id]
    if (c.kind !== 'scale') {
      ofFlag = id
      excluded = c.kind === 'remove'
      flag = c.kind === 'remove' ? 4 : c.kind === 'replace' ? 2 : c.flag
    }
  }
  const ids = [...new Set([ofValue, ofFlag])].filter(id => id > 0).sort((a, b) => a - b)
  return { reading: { ...raw, value, flag }, raw, corrections: ids, excluded }
}

describe('the overlay, of anything', () => {
  it('is a function of two sets: neither order nor repeats change it, and the raw readings stay as they were', () => {
    const shuffled = readings.chain(raw =>
      corrections.chain(all =>
        fc.record({
          raw: fc.constant(raw),
          all: fc.constant(all),
          otherRaw: fc.shuffledSubarray(raw, { minLength: raw.length }),
          otherAll: fc.shuffledSubarray([...all, ...all], { minLength: 2 * all.length })
        })
      )
    )
    fc.assert(
      fc.property(shuffled, ({ raw, all, otherRaw, otherAll }) => {
        const before = JSON.stringify([raw, all])
        const result = overlay(raw, all)
        expect(overlay(otherRaw, otherAll)).toEqual(result)
        expect(JSON.stringify([raw, all])).toBe(before)
      })
    )
  })

  it('comes to what the corrections come to one after another', () => {
    fc.assert(
      fc.property(readings, corrections, (raw, all) => {
        const byKey = (one: { raw: Reading }) => `${one.raw.parameter}/${one.raw.at}`
        const found = new Map(overlay(raw, all).map(one => [byKey(one), one]))
        expect(found.size).toBe(raw.length)
        for (const one of raw) expect(found.get(`${one.parameter}/${one.at}`)).toEqual(naive(one, all))
      })
    )
  })
})

describe('corrections that stand at an instant', () => {
  const life = (id: number, acceptedAt: number | null, withdrawnAt: number | null = null) => ({ id, acceptedAt, withdrawnAt })
  const all = [life(1, null), life(2, 10), life(3, 10, 20), life(4, 15)]
  const standing = (asOf: number | null) => standingAt(all, asOf).map(({ id }) => id)

  it('are those accepted by then and not taken back by then', () => {
    expect([9, 10, 14, 15, 19, 20].map(standing)).toEqual([[], [2, 3], [2, 3], [2, 3, 4], [2, 3, 4], [2, 4]])
    expect(standing(null)).toEqual([2, 4])
  })
})
