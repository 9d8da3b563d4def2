import { describe, expect, it } from '@jest/globals'
import type { Reading } from '#libs/model'
import { fromCursor, given, ReadingsQuery, toCursor } from './schemas.js'
import { readingsCsv, readingView } from './views.js'

const reading: Reading = {
  station: 'AG-01',
  parameter: 'COD',
  at: Date.UTC(2026, 10, 24, 17, 0, 0, 250),
  value: 82.1,
  unit: 'mg/L',
  status: '00',
  flag: 1,
  flags: ['status-assumed', 'unit-converted'],
  revision: 2,
  receivedAt: Date.UTC(2026, 10, 24, 17, 0, 1),
  road: 'mqtt',
  reported: { value: 0.0821, unit: 'g/L' }
}

describe('readings on the wire', () => {
  it('are told in UTC+7, across midnight, with what the station sent', () => {
    expect(readingView(reading)).toMatchObject({ at: '2026-11-25T00:00:00.250+07:00', reported: { value: 0.0821, unit: 'g/L' } })
  })

  it('have no `reported` where nothing was converted', () => {
    const { reported: _, ...plain } = reading
    expect(Object.keys(readingView(plain))).not.toContain('reported')
  })

  it('are CSV with a header line and CRLF ends', () => {
    const tested = { ...reading, tests: { spike: 1, 'flat-line': 3 } as const }
    expect(readingsCsv([readingView(tested)], 'raw').split('\r\n')).toEqual([
      'station,parameter,at,value,unit,status,flag,flags,revision,receivedAt,road,tests',
      'AG-01,COD,2026-11-25T00:00:00.250+07:00,82.1,mg/L,00,1,status-assumed unit-converted,2,2026-11-25T00:00:01+07:00,mqtt,spike:1 flat-line:3',
      ''
    ])
  })

  it('have the raw value and the corrections beside the corrected one in CSV too', () => {
    const corrected = { ...readingView(reading), corrections: [3, 17], excluded: true, raw: { value: 80, flag: 2 as const } }
    const untouched = { ...readingView(reading), corrections: [], excluded: false }
    const [header, ...lines] = readingsCsv([corrected, untouched], 'corrected').split('\r\n')
    expect(header).toMatch(/,road,rawValue,rawFlag,excluded,corrections,tests$/)
    expect(lines.map(line => line.split(',').slice(-5).join())).toEqual(['80,2,true,3 17,', '82.1,1,false,,', ''])
  })
})

describe('queries', () => {
  it.each([
    ['2026-11-24T10:05:00+07:00', Date.UTC(2026, 10, 24, 3, 5)],
    ['2026-11-24T10:05:00 07:00', Date.UTC(2026, 10, 24, 3, 5)], // a plus that was not escaped
    ['1790000000000', 1_790_000_000_000]
  ])('take the instant %s', (text, at) => {
    expect(ReadingsQuery.parse({ from: text })).toMatchObject({ from: at, limit: 500 })
  })

  it.each(['2026-11-24', '2026-11-24T10:05:00', '-5', 'now'])('refuse the instant %s', text => {
    expect(ReadingsQuery.safeParse({ from: text }).success).toBe(false)
  })

  it('keep only what was given, and cursors go round', () => {
    expect(given({ a: 1, b: undefined })).toEqual({ a: 1 })
    expect(fromCursor(toCursor('AG-01\nCOD'))).toBe('AG-01\nCOD')
  })
})
