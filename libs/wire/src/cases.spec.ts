import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import { z } from 'zod'
import type { Reading, Station } from '#libs/model'
import { formatInstant, parseInstant } from '#libs/model'
import type { CompiledProfile, DecodeResult } from './index.js'
import { compileProfile, decodeReadings, Profile } from './index.js'

/*
 * Every folder devices/<type>/cases/<name> is a test: input.* goes through the type's profile and must come out as expected.json
 * says (devices/README.md describes both). A new device type is a new folder; this file stays as it is.
 */
const DEVICES = 'devices'
const MIN_CASES = 8

/** What an input.yaml may hold: pieces one after another, or a batch of equal items. */
const Generated = z.union([
  z.strictObject({
    parts: z.array(z.union([z.strictObject({ text: z.string(), times: z.int().optional() }), z.strictObject({ hex: z.string() })]))
  }),
  z.strictObject({
    batch: z.strictObject({
      count: z.int(),
      item: z.record(z.string(), z.unknown()),
      time: z.strictObject({ key: z.string(), from: z.string(), everySeconds: z.number() }).optional()
    })
  })
])

const Context = z.strictObject({
  receivedAt: z.string().default('2026-11-24T10:05:02+07:00'),
  station: z.string().default('AG-CASE-01'),
  /** What the station measures; missing = everything of the profile. */
  parameters: z.array(z.string()).optional()
})

const ExpectedReading = z.strictObject({
  parameter: z.string(),
  at: z.string(),
  value: z.number(),
  unit: z.string(),
  status: z.string(),
  flag: z.number(),
  flags: z.array(z.string()),
  revision: z.number(),
  reported: z.strictObject({ value: z.number(), unit: z.string() }).optional()
})
const Expected = z.union([
  z.strictObject({ refusal: z.string() }),
  z.strictObject({
    readings: z.array(ExpectedReading),
    refused: z.array(z.strictObject({ parameter: z.string().nullable(), at: z.string().nullable(), reason: z.string() }))
  }),
  z.strictObject({ counts: z.strictObject({ readings: z.number(), refused: z.number() }), first: ExpectedReading, last: ExpectedReading })
])

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

function readInput(folder: string): Uint8Array {
  const inputs = readdirSync(folder).filter(name => name.startsWith('input.'))
  if (inputs.length !== 1) throw new Error(`${folder} must have one input.*, not ${inputs.length}`)
  const bytes = readFileSync(join(folder, inputs[0] as string))
  return inputs[0] === 'input.yaml' ? generate(Generated.parse(parse(bytes.toString('utf8')))) : bytes
}

function generate(input: z.infer<typeof Generated>): Uint8Array {
  if ('parts' in input)
    return Buffer.concat(
      input.parts.map(part => ('hex' in part ? Buffer.from(part.hex, 'hex') : encode(part.text.repeat(part.times ?? 1))))
    )
  const { count, item, time } = input.batch
  const from = time ? (parseInstant(time.from) as number) : 0
  const items = Array.from({ length: count }, (_, i) =>
    time ? { [time.key]: formatInstant(from + i * time.everySeconds * 1_000), ...item } : item
  )
  return encode(JSON.stringify(items))
}

function stationOf(profile: CompiledProfile, context: z.infer<typeof Context>): Station {
  return {
    code: context.station,
    name: 'Trạm mẫu',
    kind: 'wastewater',
    profile: profile.name,
    zone: 'Mẫu',
    agency: 'Mẫu',
    position: { longitude: 105.3, latitude: 10.5 },
    parameters: context.parameters ?? profile.parameters.map(p => p.code),
    example: true
  }
}

/** A reading as expected.json writes it: without what every reading of the message shares. */
function written({ station: _s, receivedAt: _r, road: _d, at, ...rest }: Reading): z.infer<typeof ExpectedReading> {
  return { ...rest, at: formatInstant(at), flags: [...rest.flags] }
}

/** The result in the words of expected.json, as briefly as that file says it. */
function summarize(result: DecodeResult, expected: z.infer<typeof Expected>): unknown {
  if (!result.ok) return { refusal: result.refusal.reason }
  const readings = result.readings.map(written)
  if ('counts' in expected)
    return { counts: { readings: readings.length, refused: result.refused.length }, first: readings[0], last: readings.at(-1) }
  return {
    readings,
    refused: result.refused.map(({ parameter, at, reason }) => ({ parameter, at: at === null ? null : formatInstant(at), reason }))
  }
}

const foldersOf = (dir: string): string[] =>
  existsSync(dir)
    ? readdirSync(dir, { withFileTypes: true })
        .filter(entry => entry.isDirectory())
        .map(entry => entry.name)
        .sort()
    : []
const types = foldersOf(DEVICES).filter(type => type !== 'registry')

describe.each(types)('devices/%s', type => {
  const profile = compileProfile(Profile.parse(parse(readFileSync(join(DEVICES, type, 'profile.yaml'), 'utf8'))))
  const cases = foldersOf(join(DEVICES, type, 'cases'))

  it.each(cases)('%s', name => {
    const folder = join(DEVICES, type, 'cases', name)
    const contextFile = join(folder, 'context.yaml')
    const context = Context.parse(existsSync(contextFile) ? parse(readFileSync(contextFile, 'utf8')) : {})
    const expected = Expected.parse(JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')))
    const receivedAt = parseInstant(context.receivedAt) as number
    const result = decodeReadings(profile, stationOf(profile, context), readInput(folder), { receivedAt, road: 'mqtt' })
    expect(summarize(result, expected)).toEqual(expected)
    const shared = result.ok ? result.readings.map(r => [r.station, r.receivedAt, r.road]) : []
    expect(shared).toEqual(shared.map(() => [context.station, receivedAt, 'mqtt']))
  })

  it(`is described and has at least ${MIN_CASES} cases`, () => {
    expect(profile.name).toBe(type)
    expect(cases.length).toBeGreaterThanOrEqual(MIN_CASES)
    const readme = readFileSync(join(DEVICES, type, 'README.md'), 'utf8')
    expect(profile.parameters.filter(p => !readme.includes(`\`${p.code}\``)).map(p => p.code)).toEqual([])
    expect(readme).toContain('mosquitto_pub')
  })
})

it('finds the device types', () =>
  expect(types).toEqual(expect.arrayContaining(['discharge-monitor', 'hydrology-gauge', 'salinity-buoy', 'rice-field', 'fish-pond'])))
