import { z } from 'zod'
import type { Millis } from '#libs/model'
import { canonicalUnit, convert, findParameter } from '#libs/model'
import { WireError } from './error.js'

const DIALECTS = ['quantrac-json', 'logger-json'] as const
export type DialectName = (typeof DIALECTS)[number]

/** Inclusive at both ends. */
export interface Range {
  readonly min: number
  readonly max: number
}

const ParameterCode = z.string().refine(code => findParameter(code) !== undefined, {
  error: issue => `the model has no parameter '${String(issue.input)}'`
})

const ProfileParameter = z
  .strictObject({
    /** Symbol of the model. */
    code: ParameterCode,
    /** Unit of a value that comes without one, and of every value after decoding. */
    unit: z.string(),
    /** The sensor's span in `unit`: outside it a value fails (QARTOD gross range). */
    min: z.number(),
    max: z.number(),
    /** Digits after the point when shown. Values are never rounded to it. */
    decimals: z.int().min(0).max(6)
  })
  .superRefine((parameter, context) => {
    const problem = unitProblem(parameter.code, parameter.unit)
    if (problem) context.addIssue({ code: 'custom', path: ['unit'], message: problem })
    if (parameter.min >= parameter.max)
      context.addIssue({ code: 'custom', path: ['max'], message: 'the span is empty: max must be above min' })
  })

function unitProblem(code: string, unit: string): string | undefined {
  if (canonicalUnit(unit) !== unit) return `the model has no unit '${unit}'`
  const canonical = findParameter(code)?.unit
  const fits = canonical === undefined || convert(1, unit, canonical) !== undefined
  return fits ? undefined : `unit '${unit}' does not fit ${code}, which is measured in ${canonical}`
}

/** `devices/<type>/profile.yaml`: what a type of device measures and how it says so. Data, no code. */
export const Profile = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/),
    title: z.string().min(1),
    titleEn: z.string().min(1),
    dialect: z.enum(DIALECTS),
    /** How often a reading is expected. */
    intervalSeconds: z.int().min(1).max(86_400),
    /** Zone of times that come without one. Without this, such a time is refused. */
    zoneOffset: z
      .string()
      .regex(/^[+-]([01]\d|2[0-3]):[0-5]\d$/, 'a zone offset looks like +07:00')
      .optional(),
    /** The device writes numbers as text, such as "7.10". Without this, such a value is refused. */
    textNumbers: z.boolean().optional(),
    parameters: z.array(ProfileParameter).min(1).max(64),
    /** Names that the device uses beside the symbol: `PM2.5: PM2,5`. */
    aliases: z.record(z.string().min(1), z.string()).optional()
  })
  .superRefine((profile, context) => {
    const codes = profile.parameters.map(p => p.code)
    codes.forEach((code, index) => {
      if (codes.indexOf(code) < index)
        context.addIssue({ code: 'custom', path: ['parameters', index, 'code'], message: `'${code}' stands twice` })
    })
    for (const [alias, code] of Object.entries(profile.aliases ?? {})) {
      const problem = codes.includes(alias)
        ? 'is a parameter itself'
        : codes.includes(code)
          ? undefined
          : `'${code}' is no parameter of this profile`
      if (problem) context.addIssue({ code: 'custom', path: ['aliases', alias], message: problem })
    }
  })
  .readonly()
export type Profile = z.infer<typeof Profile>

/** A parameter as the decoder needs it; all numbers in `unit`. */
export interface CompiledParameter {
  readonly code: string
  readonly unit: string
  readonly decimals: number
  /** What can physically be. */
  readonly possible: Range
  /** What the sensor can measure. */
  readonly span: Range
  /** Where both hold: outside it a value fails. */
  readonly valid: Range
}

/** A profile with its look-ups made once. */
export interface CompiledProfile {
  readonly name: string
  readonly profile: Profile
  readonly intervalMillis: Millis
  /** In the profile's order, each once. */
  readonly parameters: readonly CompiledParameter[]
  /** By symbol and by alias. */
  readonly byName: ReadonlyMap<string, CompiledParameter>
}

/** Makes the look-ups of a checked profile. Throws WireError QT_WIRE_PROFILE where `Profile` would have refused it. */
export function compileProfile(profile: Profile): CompiledProfile {
  const parameters = profile.parameters.map(compileParameter)
  const byName = new Map(parameters.map(p => [p.code, p]))
  for (const [alias, code] of Object.entries(profile.aliases ?? {})) {
    const target = byName.get(code)
    if (!target) throw new WireError('QT_WIRE_PROFILE', `alias '${alias}' names '${code}', which is no parameter of the profile`)
    byName.set(alias, target)
  }
  return { name: profile.name, profile, intervalMillis: profile.intervalSeconds * 1_000, parameters, byName }
}

function compileParameter({ code, unit, min, max, decimals }: Profile['parameters'][number]): CompiledParameter {
  const known = findParameter(code)
  const low = known && convert(known.possible.min, known.unit, unit)
  const high = known && convert(known.possible.max, known.unit, unit)
  if (low === undefined || high === undefined) throw new WireError('QT_WIRE_PROFILE', `no parameter '${code}' in unit '${unit}'`)
  const valid = { min: Math.max(min, low), max: Math.min(max, high) }
  return { code, unit, decimals, possible: { min: low, max: high }, span: { min, max }, valid }
}
