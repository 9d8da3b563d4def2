import { describe, expect, it } from '@jest/globals'
import { plainReading } from '#libs/testkit'
import { checkStorable, PointDraft, pointLine, seriesPrefix } from './points.js'
import { nanoseconds, slotAt, slotOf } from './slots.js'

const line = (differences: Parameters<typeof plainReading>[0], replaces = false): string => {
  const reading = plainReading({ at: 1_000, receivedAt: 1_700, ...differences })
  return pointLine(seriesPrefix('reading', reading), reading, replaces)
}

describe('the line of a reading', () => {
  it('leaves out what is usual', () => {
    expect(line({})).toBe('reading,parameter=COD,station=AG-017 value=82.5,sequence=1i,received_at=1700i 1000')
  })

  it('says all where it replaces a point: fields that are not written anew would stay', () => {
    const rest = 'flag=1i,status="00",revision=0i,extra=""'
    expect(line({}, true)).toBe(`reading,parameter=COD,station=AG-017 value=82.5,sequence=1i,received_at=1700i,${rest} 1000`)
  })

  it('names what is unusual', () => {
    const text = line({
      flag: 3,
      status: '02',
      revision: 4,
      unit: 'g/L',
      road: 'file',
      flags: ['device-fault'],
      reported: { value: -0, unit: 'K' }
    })
    const extra =
      '{\\"unit\\":\\"g/L\\",\\"road\\":\\"file\\",\\"flags\\":[\\"device-fault\\"],\\"reported\\":{\\"value\\":-0,\\"unit\\":\\"K\\"}}'
    expect(text).toContain(`,flag=3i,status="02",revision=4i,extra="${extra}" 1000`)
  })

  it('escapes what has a meaning in line protocol', () => {
    const key = { station: 'A B=C,D', parameter: 'PM2,5' }
    expect(seriesPrefix('reading', key)).toBe('reading,parameter=PM2\\,5,station=A\\ B\\=C\\,D ')
    expect(line({ status: 'a "b" \\c' })).toContain('status="a \\"b\\" \\\\c"')
  })

  it.each([-0, 5e-324, 1.797_693_134_862_315_7e308, 0.1 + 0.2, 1e21, -1e-7])('writes %p so that it reads back the same', value => {
    const [, text = ''] = /value=([^,]+),/.exec(line({ value })) ?? []
    expect(Number(text)).toBe(value)
  })
})

describe('a point as it comes in', () => {
  const draft = (fields: Record<string, string>) => {
    const point = new PointDraft()
    for (const [name, text] of Object.entries(fields)) point.set(name, text)
    return point.stored({ station: 'AG-017', parameter: 'COD' }, 1_000)
  }
  const whole = { value: '82.5', sequence: '1', received_at: '1700' }

  it('has what is usual where nothing is said', () => {
    expect(draft(whole)).toEqual(plainReading({ at: 1_000, receivedAt: 1_700 }))
    expect(draft({ ...whole, extra: '', flag: '', revision: '' })).toEqual(plainReading({ at: 1_000, receivedAt: 1_700 }))
  })

  it.each(['value', 'sequence', 'received_at'])('is none without %s', name => {
    expect(draft({ ...whole, [name]: '' })).toBeUndefined()
  })
})

describe('a reading that no point can hold', () => {
  it.each([
    { at: -1 },
    { at: 0.5 },
    { value: Number.NaN },
    { sequence: 2 ** 60 },
    { station: '' },
    { station: 'A\\' },
    { parameter: 'a\nb' }
  ])('%j is a bug of ours', difference => {
    expect(() => checkStorable(plainReading(difference))).toThrow(expect.objectContaining({ code: 'QT_INFLUX_MISUSE' }))
  })
})

describe('several points of one instant', () => {
  it('have places that follow from their text and never meet', () => {
    const taken = new Set<number>()
    for (let n = 0; n < 500; n++) {
      const slot = slotOf('the same', taken)
      expect(taken.has(slot)).toBe(false)
      taken.add(slot)
    }
    expect(slotOf('the same')).toBe([...taken][0])
  })

  it.each([
    ['2026-11-24T00:00:00Z', 0],
    ['2026-11-24T00:00:00.5Z', 0],
    ['2026-11-24T00:00:00.123000456Z', 456],
    ['2026-11-24T00:00:00.000999999Z', 999_999],
    ['2026-11-24T00:00:00.0001Z', 100_000]
  ])('read out of %s', (time, slot) => {
    expect(slotAt(time)).toBe(slot)
  })

  it('written as nanoseconds', () => {
    expect([nanoseconds(0, 7), nanoseconds(1_000, 7)]).toEqual(['7', '1000000007'])
  })
})
