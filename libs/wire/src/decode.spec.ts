import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { z } from 'zod'
import type { Reading, Station } from '#libs/model'
import { DAY, findParameter, MINUTE } from '#libs/model'
import type { CompiledProfile, DecodeResult } from './index.js'
import {
  compileProfile,
  decodeReadings,
  decodeStatus,
  MAX_PAYLOAD_BYTES,
  Profile,
  REFUSAL_REASONS,
  REFUSALS,
  ReadingsPayload
} from './index.js'

const number = (code: string, unit: string, max: number): object => ({ code, unit, min: 0, max, decimals: 1 })
const base = {
  name: 'monitor',
  title: 'Trạm',
  titleEn: 'Station',
  dialect: 'quantrac-json',
  intervalSeconds: 300,
  parameters: [number('COD', 'mg/L', 500), number('TSS', 'mg/L', 500), number('pH', '-', 14), number('Temp', 'oC', 60)],
  aliases: { cod: 'COD' }
}
const profileWith = (change: object = {}): CompiledProfile => compileProfile(Profile.parse({ ...base, ...change }))
const profile = profileWith()
const station: Station = {
  code: 'AG-01',
  name: 'Bình Hòa',
  kind: 'wastewater',
  profile: 'monitor',
  zone: 'Bình Hòa',
  agency: 'Sở Nông nghiệp và Môi trường',
  position: { longitude: 105.3, latitude: 10.5 },
  parameters: ['COD', 'pH', 'Temp'],
  example: true
}
const at = '2026-11-24T10:05:00+07:00'
const instant = Date.UTC(2026, 10, 24, 3, 5)
const received = { receivedAt: instant + 2_000, road: 'mqtt' } as const
const bytes = (payload: unknown): Uint8Array => new TextEncoder().encode(typeof payload === 'string' ? payload : JSON.stringify(payload))
const decode = (payload: unknown, by = profile): DecodeResult => decodeReadings(by, station, bytes(payload), received)

function kept(result: DecodeResult): readonly Reading[] {
  if (!result.ok) throw new Error(`refused: ${result.refusal.reason} ${result.refusal.detail}`)
  return result.readings
}
const reasonOf = (result: DecodeResult): string => (result.ok ? 'none' : result.refusal.reason)
const refusedOf = (result: DecodeResult): [string | null, string][] => (result.ok ? result.refused.map(r => [r.parameter, r.reason]) : [])

describe('a reading', () => {
  it('is whole', () => {
    expect(decode({ at, readings: { COD: { value: 0.0821, unit: 'g/L', status: '00' } }, revision: 3, seq: 7 })).toEqual({
      ok: true,
      readings: [
        {
          station: 'AG-01',
          parameter: 'COD',
          at: instant,
          value: 82.1,
          unit: 'mg/L',
          status: '00',
          flag: 1,
          flags: ['unit-converted'],
          revision: 3,
          receivedAt: instant + 2_000,
          road: 'mqtt',
          reported: { value: 0.0821, unit: 'g/L' }
        }
      ],
      refused: []
    })
  })

  it('has no `reported` where another spelling of the same unit was sent', () => {
    const [reading] = kept(decode({ at, readings: { COD: { value: 82.1, unit: 'mg/l', status: '00' } } }))
    expect(reading).toMatchObject({ value: 82.1, unit: 'mg/L', flags: [] })
    expect(reading).not.toHaveProperty('reported')
  })

  it('goes by its symbol where an alias was sent', () => {
    expect(kept(decode({ at, readings: { cod: 1 } }))).toMatchObject([{ parameter: 'COD', value: 1 }])
  })

  it('loses the noise of a conversion, not its digits', () => {
    const value = (sent: number): number | undefined => kept(decode({ at, readings: { COD: { value: sent, unit: 'g/L' } } }))[0]?.value
    expect(value(0.1 + 0.2)).toBe(300)
    expect(value(0.0123456789)).toBe(12.3456789)
  })

  it('keeps the digits that were sent in the profile’s unit', () => {
    expect(kept(decode('{"at":0,"readings":{"COD":0.30000000000000004}}'))[0]?.value).toBe(0.30000000000000004)
    expect(kept(decode('{"at":0,"readings":{"COD":-0}}'))[0]?.value).toBe(0)
  })

  it('of a parameter of the profile that this station does not measure is refused', () => {
    expect(refusedOf(decode({ at, readings: { TSS: 1, COD: 2 } }))).toEqual([['TSS', 'unknown-parameter']])
  })

  it('keeps its place beside others, repeats included', () => {
    const readings = kept(
      decode([
        { at, readings: { pH: 7, COD: 1, cod: 2 } },
        { at, readings: { COD: 3 } }
      ])
    )
    expect(readings.map(r => [r.parameter, r.value])).toEqual([
      ['pH', 7],
      ['COD', 1],
      ['COD', 2],
      ['COD', 3]
    ])
  })
})

describe('a flag', () => {
  const graded = (reading: unknown, time: unknown = at): [number, readonly string[]] | undefined => {
    const [first] = kept(decode({ at: time, readings: { COD: reading } }))
    return first && [first.flag, first.flags]
  }

  it.each([
    ['passes at the lower end of the span', { value: 0, status: '00' }, [1, []]],
    ['passes at the upper end of the span', { value: 500, status: '00' }, [1, []]],
    ['fails above it', { value: 500.01, status: '00' }, [4, ['out-of-range']]],
    ['fails below it', { value: -0.01, status: '00' }, [4, ['out-of-range']]],
    ['says when the status was assumed', 82.1, [1, ['status-assumed']]],
    ['says both', { value: 900 }, [4, ['out-of-range', 'status-assumed']]],
    ['fails while calibrating, whatever the value', { value: 900, status: '01' }, [4, ['calibration']]],
    ['fails with a faulty device', { value: 82.1, status: '02' }, [4, ['device-fault']]],
    ['fails with a maker’s own status', { value: 82.1, status: '03' }, [4, ['status-other']]],
    ['fails with status 99', { value: 82.1, status: '99' }, [4, ['status-other']]],
    ['judges the converted value', { value: 0.6, unit: 'g/L', status: '00' }, [4, ['out-of-range', 'unit-converted']]]
  ])('%s', (_what, reading, expected) => expect(graded(reading)).toEqual(expected))

  it('suspects a clock that is more than five minutes ahead', () => {
    const receivedAt = instant + 2_000
    expect(graded({ value: 1, status: '00' }, receivedAt + 5 * MINUTE)).toEqual([1, []])
    expect(graded({ value: 1, status: '00' }, receivedAt + 5 * MINUTE + 1)).toEqual([3, ['clock-ahead']])
    expect(graded({ value: 900, status: '00' }, receivedAt + DAY)).toEqual([4, ['clock-ahead', 'out-of-range']])
  })

  it('does not mind the past', () => expect(graded({ value: 1, status: '00' }, instant - 60 * DAY)).toEqual([1, []]))

  it('goes by the profile of the moment, also for a station that was decoded by another before', () => {
    const narrow = profileWith({ parameters: [number('COD', 'mg/L', 50)] })
    const flagBy = (by: CompiledProfile): number | undefined => kept(decode({ at, readings: { COD: 60 } }, by))[0]?.flag
    expect([flagBy(profile), flagBy(narrow), flagBy(profile)]).toEqual([1, 4, 1])
  })

  it('fails where the parameter cannot be, though the sensor says it can', () => {
    const wide = profileWith({ parameters: [{ code: 'pH', unit: '-', min: -5, max: 20, decimals: 1 }], aliases: {} })
    const readings = { pH: { value: 14.5, status: '00' } }
    expect(kept(decode({ at, readings }, wide))).toMatchObject([{ flag: 4, flags: ['out-of-range'] }])
    expect(findParameter('pH')?.possible.max).toBe(14)
  })
})

describe('an instant', () => {
  const time = (value: unknown, change: object = {}): string | number | undefined => {
    const result = decode({ at: value, readings: { COD: 1 } }, profileWith(change))
    return result.ok ? result.readings[0]?.at : result.refusal.reason
  }

  it.each<[unknown, number | string]>([
    [at, instant],
    [instant, instant],
    ['2026-11-24T03:05:00.250Z', instant + 250],
    ['2026-11-24T10:05:00', 'no-zone'],
    ['2026-11-24 10:05:00.5', 'no-zone'],
    ['24/11/2026 10:05', 'bad-instant'],
    ['2026-02-30T10:05:00Z', 'bad-instant'],
    [instant + 0.5, 'bad-instant'],
    [-1, 'bad-instant'],
    [7_258_118_400_000, 'bad-instant'],
    [String(instant), 'bad-instant'],
    [null, 'bad-instant'],
    [[], 'bad-instant']
  ])('%j is %s', (value, expected) => expect(time(value)).toBe(expected))

  it('without a zone is taken in the profile’s, one with a zone as it stands', () => {
    const change = { zoneOffset: '+07:00' }
    expect(time('2026-11-24T10:05:00', change)).toBe(instant)
    expect(time('2026-11-24 10:05:00.250', change)).toBe(instant + 250)
    expect(time('2026-11-24T03:05:00Z', change)).toBe(instant)
    expect(time('2026-02-30T10:05:00', change)).toBe('bad-instant')
  })
})

describe('a wrong value', () => {
  it.each([
    ['"82.1"', 'not-a-number'],
    ['"NaN"', 'not-a-number'],
    ['1e999', 'not-a-number'],
    ['null', 'not-a-number'],
    ['true', 'not-a-number'],
    ['[82.1]', 'not-a-number'],
    ['{}', 'not-a-number'],
    ['{"v":82.1}', 'not-a-number'],
    ['{"value":"82.1","unit":7}', 'not-a-number'],
    ['{"value":82.1,"unit":"furlong"}', 'unknown-unit'],
    ['{"value":82.1,"unit":"m"}', 'unknown-unit'],
    ['{"value":82.1,"unit":null}', 'unknown-unit'],
    ['{"value":82.1,"status":"0"}', 'wrong-status'],
    ['{"value":82.1,"status":"000"}', 'wrong-status'],
    ['{"value":82.1,"status":"OK"}', 'wrong-status'],
    ['{"value":82.1,"status":0}', 'wrong-status'],
    ['{"value":1e308,"unit":"g/L"}', 'not-a-number']
  ])('%s is refused as %s, and the others are kept', (value, reason) => {
    const result = decode(`{"at":${instant},"readings":{"pH":7,"COD":${value},"Temp":30}}`)
    expect(refusedOf(result)).toEqual([['COD', reason]])
    expect(kept(result).map(r => r.parameter)).toEqual(['pH', 'Temp'])
  })

  it('shows what stood there, cut off and cleaned', () => {
    const result = decode({ at, readings: { [`\ud800${'x'.repeat(200)}`]: 1, COD: 'é\u0000'.repeat(200) } })
    const [name, value] = result.ok ? result.refused : []
    expect(name?.parameter).toBe(`\ufffd${'x'.repeat(63)}`)
    expect(value).toMatchObject({ at: instant, reason: 'not-a-number' })
    expect(value?.detail).toHaveLength(120)
  })

  it.each([-1, 65_536, 1.5, '1', null, [], {}])('revision %j refuses each reading', revision => {
    const result = decode({ at, readings: { COD: 1, pH: 7 }, revision })
    expect(result).toMatchObject({
      ok: true,
      readings: [],
      refused: [{ parameter: 'COD', at: instant, reason: 'bad-revision' }, { parameter: 'pH' }]
    })
  })

  it('a wrong seq, or a key that nobody knows, does no harm', () => {
    expect(kept(decode({ at, readings: { COD: 1 }, seq: 'seven', battery: 12.1 }))).toHaveLength(1)
    expect(kept(decode({ at, readings: { COD: { value: 1, quality: 'good' } } }))).toHaveLength(1)
  })
})

describe('text numbers', () => {
  const texts = profileWith({ textNumbers: true })
  const value = (text: unknown): number | string | undefined => {
    const result = decode({ at, readings: { COD: text } }, texts)
    return result.ok ? (result.readings[0]?.value ?? result.refused[0]?.reason) : result.refusal.reason
  }

  it.each([
    ['82.1', 82.1],
    [' 82.10 ', 82.1],
    ['-3', -3],
    ['+1e2', 100],
    [{ value: '7' }, 7],
    [82.1, 82.1],
    ['82,1', 'not-a-number'],
    ['', 'not-a-number'],
    ['NaN', 'not-a-number'],
    ['Infinity', 'not-a-number'],
    ['1e999', 'not-a-number'],
    ['0x10', 'not-a-number'],
    ['1_000', 'not-a-number'],
    ['.5', 'not-a-number'],
    [null, 'not-a-number']
  ])('%j is %s', (text, expected) => expect(value(text)).toBe(expected))
})

describe('a message', () => {
  it.each<[string, unknown]>([
    ['not-json', ''],
    ['not-json', '{"at":'],
    ['not-json', '{"at":0,"readings":{"COD":NaN}}'],
    ['wrong-shape', '7'],
    ['wrong-shape', 'null'],
    ['wrong-shape', '"text"'],
    ['wrong-shape', {}],
    ['wrong-shape', { at }],
    ['wrong-shape', { at, readings: [1, 2] }],
    ['wrong-shape', { at: 7, readings: null }],
    ['bad-instant', { readings: { COD: 1 } }],
    ['no-readings', { at, readings: {} }],
    ['no-readings', []],
    ['too-many-items', Array.from({ length: 1_001 }, () => 0)],
    ['too-deep', `{"at":0,"readings":{"COD":${'['.repeat(15)}${']'.repeat(15)}}}`],
    ['too-deep', '['.repeat(MAX_PAYLOAD_BYTES)],
    ['payload-too-large', ' '.repeat(MAX_PAYLOAD_BYTES + 1)],
    [
      'too-many-readings',
      Array.from({ length: 1_000 }, () => ({ at: 0, readings: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`p${i}`, 1])) }))
    ]
  ])('%s', (reason, payload) => expect(reasonOf(decode(payload))).toBe(reason))

  it('that is not UTF-8 is refused as such', () => {
    for (const noise of [[0xff, 0xfe, 0x00], [0x22, 0xc3, 0x28, 0x22], [...'[[[[[[[[[[[[[[[[[['].map(c => c.charCodeAt(0)).concat(0xc0)]) {
      expect(reasonOf(decodeReadings(profile, station, Uint8Array.from(noise), received))).toBe('not-utf8')
    }
  })

  it('may be exactly as large and as deep as is allowed', () => {
    const plain = JSON.stringify({ at, readings: { COD: 1 } })
    expect(kept(decode(plain.padEnd(MAX_PAYLOAD_BYTES)))).toHaveLength(1)
    expect(refusedOf(decode(`{"at":0,"readings":{"COD":${'['.repeat(14)}${']'.repeat(14)}}}`))).toEqual([['COD', 'not-a-number']])
    expect(kept(decode(Array.from({ length: 1_000 }, (_, i) => ({ at: i, readings: { COD: 1 } }))))).toHaveLength(1_000)
  })

  it('counts brackets outside texts only', () => {
    expect(kept(decode({ at, readings: { COD: 1 }, note: `${'['.repeat(40)}\\"${'{'.repeat(40)}` }))).toHaveLength(1)
  })

  it('may begin with a byte order mark', () => expect(kept(decode(`\ufeff{"at":0,"readings":{"COD":1}}`))).toHaveLength(1))

  it('takes the last of a key that stands twice', () => {
    expect(kept(decode(`{"at":0,"readings":{"COD":1,"COD":2}}`)).map(r => r.value)).toEqual([2])
  })

  it('cannot reach a prototype', () => {
    const result = decode(`{"__proto__":{"at":5},"at":0,"readings":{"__proto__":{"COD":9},"constructor":1,"toString":2,"COD":1}}`)
    expect(kept(result)).toMatchObject([{ parameter: 'COD', at: 0, value: 1 }])
    expect(refusedOf(result).map(([name]) => name)).toEqual(['__proto__', 'constructor', 'toString'])
    expect(({} as Record<string, unknown>)['COD']).toBeUndefined()
    expect(refusedOf(decode('{"at":0,"readings":{"COD":{"__proto__":{"value":1}}}}'))).toEqual([['COD', 'not-a-number']])
  })
})

describe('a batch', () => {
  it('keeps its good items beside bad ones and counts each reading that fell', () => {
    const result = decode([
      { at, readings: { COD: 1 } },
      { at: '2026-11-24T10:05:00', readings: { COD: 2, pH: 7 } },
      { at: 'soon', readings: {} },
      7,
      null,
      { at, readings: { COD: 3 }, revision: -1 },
      { at, readings: { COD: 4 }, revision: 1 }
    ])
    expect(kept(result).map(r => [r.value, r.revision])).toEqual([
      [1, 0],
      [4, 1]
    ])
    expect(refusedOf(result)).toEqual([
      ['COD', 'no-zone'],
      ['pH', 'no-zone'],
      [null, 'bad-instant'],
      [null, 'wrong-shape'],
      [null, 'wrong-shape'],
      ['COD', 'bad-revision']
    ])
  })

  it('of bad items only is no refusal of the whole', () => {
    expect(decode([{ at: 'soon', readings: { COD: 1 } }])).toMatchObject({
      ok: true,
      readings: [],
      refused: [{ parameter: 'COD', at: null, reason: 'bad-instant' }]
    })
  })
})

describe('the dialect logger-json', () => {
  const logger = profileWith({ dialect: 'logger-json', zoneOffset: '+07:00' })
  const message = {
    station: 'AG-01',
    time: '2026-11-24 10:05:00',
    fw: '2.1',
    link: '4G',
    params: { COD: { v: 82.1, u: 'mg/L', st: '01' }, pH: { v: 7 } }
  }

  it('says the same in other words', () => {
    expect(kept(decode(message, logger))).toMatchObject([
      { parameter: 'COD', at: instant, value: 82.1, status: '01', flag: 4, revision: 0 },
      { parameter: 'pH', at: instant, value: 7, status: '00', flags: ['status-assumed'] }
    ])
  })

  it('may leave the station out, but may not name another', () => {
    const { station: _, ...rest } = message
    expect(kept(decode(rest, logger))).toHaveLength(2)
    expect(reasonOf(decode({ ...message, station: 'AG-02' }, logger))).toBe('wrong-station')
    expect(reasonOf(decode({ ...message, station: 7 }, logger))).toBe('wrong-station')
    expect(refusedOf(decode([{ ...message, station: 'AG-02' }, message], logger))).toEqual([
      ['COD', 'wrong-station'],
      ['pH', 'wrong-station']
    ])
  })

  it('names what is wrong with its own keys', () => {
    const params = { COD: { v: null }, pH: { v: 7, u: 'mg/L' }, Temp: { v: 30, st: '1' } }
    expect(refusedOf(decode({ ...message, params }, logger))).toEqual([
      ['COD', 'not-a-number'],
      ['pH', 'unknown-unit'],
      ['Temp', 'wrong-status']
    ])
    expect(reasonOf(decode({ at, readings: { COD: 1 } }, logger))).toBe('wrong-shape')
    expect(reasonOf(decode(message))).toBe('wrong-shape')
  })
})

describe('any bytes', () => {
  const sound = (result: DecodeResult): void => {
    if (!result.ok) return expect(REFUSAL_REASONS).toContain(result.refusal.reason)
    for (const r of result.readings) {
      expect(
        Number.isFinite(r.value) && Number.isInteger(r.at) && /^\d\d$/.test(r.status) && station.parameters.includes(r.parameter)
      ).toBe(true)
    }
    expect(result.refused.every(r => REFUSAL_REASONS.includes(r.reason) && r.detail.length <= 120)).toBe(true)
  }

  it('are decoded or refused, never thrown at', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), noise => sound(decodeReadings(profile, station, noise, received))))
  })

  it('that are nearly right are decoded or refused, never thrown at', () => {
    const key = fc.constantFrom('at', 'readings', 'COD', 'pH', 'value', 'unit', 'status', 'revision', '__proto__', 'constructor', 'x')
    const { value } = fc.letrec(tie => ({
      value: fc.oneof(
        { maxDepth: 5, withCrossShrink: true },
        fc.constantFrom<unknown>(null, true, 0, -1, 82.1, 1e300, at, '00', 'g/L', '', 'NaN'),
        fc.array(tie('value'), { maxLength: 3 }),
        fc
          .array(fc.tuple(key, tie('value')), { maxLength: 5 })
          .map(pairs => `{${pairs.map(([k, v]) => `${JSON.stringify(k)}:${jsonOf(v)}`).join(',')}}`)
      )
    }))
    // Texts that begin with a brace are objects already: written by hand, because an object literal cannot hold `__proto__`.
    const jsonOf = (v: unknown): string =>
      typeof v === 'string' && v.startsWith('{') ? v : Array.isArray(v) ? `[${v.map(jsonOf).join(',')}]` : JSON.stringify(v)
    for (const by of [profile, profileWith({ dialect: 'logger-json' }), profileWith({ textNumbers: true })]) {
      fc.assert(
        fc.property(value, v => sound(decode(jsonOf(v), by))),
        { numRuns: 500 }
      )
    }
  })
})

it('reads a station’s status and nothing else', () => {
  expect([decodeStatus(bytes('online')), decodeStatus(bytes('offline'))]).toEqual([true, false])
  for (const text of ['', 'Online', 'online ', 'offline\n', 'offlinex', '{"online":true}'])
    expect(decodeStatus(bytes(text))).toBeUndefined()
})

it('has words in both languages for every reason', () => {
  for (const reason of REFUSAL_REASONS) {
    expect(REFUSALS[reason].vi.length * REFUSALS[reason].en.length).toBeGreaterThan(0)
    expect(REFUSALS[reason].vi).not.toBe(REFUSALS[reason].en)
  }
})

it('describes the payload for the API as it is decoded', () => {
  const message = { at, readings: { COD: 82.1, pH: { value: 7.1, unit: '-', status: '00' } }, revision: 0, seq: 1734 }
  for (const good of [message, [message, { ...message, at: instant }]]) {
    expect(ReadingsPayload.safeParse(good).success).toBe(true)
    expect(refusedOf(decode(good))).toEqual([])
  }
  for (const wrong of [{ ...message, at: null }, { ...message, readings: { COD: '82.1' } }, { ...message, revision: -1 }, { at }]) {
    expect(ReadingsPayload.safeParse(wrong).success).toBe(false)
  }
  expect(JSON.stringify(z.toJSONSchema(ReadingsPayload))).toContain('"maxItems":1000')
})
