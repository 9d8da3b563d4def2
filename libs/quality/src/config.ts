import { z } from 'zod'
import { DURATION, durationOf } from '#libs/model'
import { DEFAULT_SIGMA_POINTS, DEFAULT_SIGMA_WINDOW } from './rate.js'

/** `90s`, `15m`, `2h`, `1d`, as in the rules of alarms; milliseconds after parsing. */
const Duration = z.string().regex(DURATION, 'a time span looks like 15m').transform(durationOf)

/** Parses by the schema that the value calls for, so that a mistake is reported in the words of what was meant. */
const chosen = <T>(choose: (value: unknown) => z.ZodType<T>) =>
  z.unknown().transform((value, context): T => {
    const parsed = choose(value).safeParse(value)
    if (parsed.success) return parsed.data
    for (const issue of parsed.error.issues) context.addIssue({ code: 'custom', path: [...issue.path], message: issue.message })
    return z.NEVER
  })

/** A time, or a number of something that each schema names. */
export type Extent = { readonly time: number } | { readonly times: number }
const Time = Duration.transform((time): Extent => ({ time }))
const extent = (number: z.ZodNumber) =>
  chosen<Extent>(value => (typeof value === 'number' ? number.transform((times): Extent => ({ times })) : Time))

const Span = z.tuple([z.number(), z.number()]).refine(([low, high]) => low < high, 'a span is [least, greatest]')
const Threshold = z.number().gt(0)
const needsOne = 'give suspect, fail or both'
const hasOne = (test: { suspect?: unknown; fail?: unknown }): boolean => test.suspect !== undefined || test.fail !== undefined

/** The sensor's own span comes from the device profile and fails; this is the user's, within it. */
const GrossRangeTest = z.strictObject({ suspect: Span })

const ClimatologyTest = z
  .array(
    z
      .strictObject({ months: z.array(z.int().min(1).max(12)).min(1), span: Span, fail: Span.optional() })
      .refine(({ span, fail }) => !fail || (fail[0] <= span[0] && fail[1] >= span[1]), 'the span must lie within fail')
  )
  .min(1)
  .refine(seasons => isDistinct(seasons.flatMap(season => season.months)), 'a month may stand in one season only')

const isDistinct = (items: readonly unknown[]): boolean => new Set(items).size === items.length

const SpikeTest = z
  .strictObject({
    suspect: Threshold.optional(),
    fail: Threshold.optional(),
    method: z.enum(['average', 'differential']).default('average')
  })
  .refine(hasOne, needsOne)
  .refine(({ suspect, fail }) => suspect === undefined || fail === undefined || suspect <= fail, 'suspect must not be above fail')

/** Either by rate, or by standard deviations of the time before (the QARTOD manual's form: 3 of 25 h). */
const RateOfChangeTest = z
  .strictObject({
    perHour: Threshold.optional(),
    failPerHour: Threshold.optional(),
    sigmas: Threshold.optional(),
    window: Duration.optional(),
    minPoints: z.int().min(2).optional()
  })
  .refine(test => (test.perHour === undefined) !== (test.sigmas === undefined), 'give perHour or sigmas')
  .refine(({ perHour, failPerHour }) => failPerHour === undefined || (perHour ?? 0) <= failPerHour, 'perHour must not be above failPerHour')
  .refine(({ sigmas, failPerHour }) => sigmas === undefined || failPerHour === undefined, 'failPerHour goes with perHour')
  .refine(
    ({ sigmas, window, minPoints }) => sigmas !== undefined || (window === undefined && minPoints === undefined),
    'window and minPoints go with sigmas'
  )
  .transform(({ perHour, failPerHour, sigmas, window = DEFAULT_SIGMA_WINDOW, minPoints = DEFAULT_SIGMA_POINTS }) =>
    sigmas === undefined ? { perHour: perHour ?? Number.POSITIVE_INFINITY, failPerHour } : { sigmas, window, minPoints }
  )

/** How long a value may stay the same: a time, or how often it may be repeated. */
const Stay = extent(z.number().int().min(1).max(10_000))
/** `tolerance` 0: exactly the same value. */
const FlatLineTest = z
  .strictObject({ suspect: Stay.optional(), fail: Stay.optional(), tolerance: z.number().min(0).default(0) })
  .refine(hasOne, needsOne)

/** `minPoints`: half of what the window should hold, unless said otherwise. */
const AttenuatedTest = z
  .strictObject({
    window: Duration,
    suspect: Threshold.optional(),
    fail: Threshold.optional(),
    type: z.enum(['std', 'range']).default('std'),
    minPoints: z.int().min(2).optional()
  })
  .refine(hasOne, needsOne)
  .refine(({ suspect, fail }) => suspect === undefined || fail === undefined || fail <= suspect, 'fail must not be above suspect')

/** Thresholds of one parameter, in the unit of the device profile. A test without thresholds is off (regulations.md 9). */
const Thresholds = z.strictObject({
  grossRange: GrossRangeTest.optional(),
  climatology: ClimatologyTest.optional(),
  spike: SpikeTest.optional(),
  rateOfChange: RateOfChangeTest.optional(),
  flatLine: FlatLineTest.optional(),
  attenuated: AttenuatedTest.optional()
})
export type Thresholds = z.infer<typeof Thresholds>

const orOff = <T>(test: z.ZodType<T>) => chosen<T | 'off'>(value => (value === 'off' ? z.literal('off') : test)).optional()
/** Of one station: a test given here takes the place of the profile's as a whole; `off` takes it away. */
const Overrides = z.strictObject({
  grossRange: orOff(GrossRangeTest),
  climatology: orOff(ClimatologyTest),
  spike: orOff(SpikeTest),
  rateOfChange: orOff(RateOfChangeTest),
  flatLine: orOff(FlatLineTest),
  attenuated: orOff(AttenuatedTest)
})
export type Overrides = z.infer<typeof Overrides>

const Code = z.string().min(1)
const RuleId = z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'a rule id is kebab-case, such as bod-below-cod')

const LessThanRule = z.strictObject({
  id: RuleId,
  lessThan: z.strictObject({ lesser: Code, greater: Code, margin: z.number().min(0).default(0) })
})
const StillFlowRule = z.strictObject({
  id: RuleId,
  stillFlow: z.strictObject({
    flow: Code,
    within: z.number().min(0),
    parameter: Code,
    change: Threshold,
    window: Duration,
    minPoints: z.int().min(2).default(3)
  })
})
const NoRule = z.strictObject({ id: RuleId, off: z.literal(true) })
export type RuleSettings = z.infer<typeof LessThanRule> | z.infer<typeof StillFlowRule>
export type StationRule = RuleSettings | z.infer<typeof NoRule>

const named = (value: unknown, key: string): boolean => typeof value === 'object' && value !== null && key in value
const ProfileRule = chosen<RuleSettings>(value => (named(value, 'stillFlow') ? StillFlowRule : LessThanRule))
const OwnRule = chosen<StationRule>(value => (named(value, 'off') ? NoRule : named(value, 'stillFlow') ? StillFlowRule : LessThanRule))

const ruleList = <T extends z.ZodType<{ id: string }>>(rule: T) =>
  z
    .array(rule)
    .default([])
    .refine(rules => isDistinct(rules.map(({ id }) => id)), 'a rule id stands twice')

const ProfileQuality = z.strictObject({
  /** How far the nearest neighbour may be: in intervals of the station, or a time. */
  maxStep: extent(z.number().min(1).max(1_000)).default({ times: 3 }),
  parameters: z.record(Code, Thresholds).default({}),
  rules: ruleList(ProfileRule)
})

const StationQuality = z.strictObject({
  parameters: z.record(Code, Overrides).default({}),
  /** Beside the profile's. One with the id of a rule of the profile takes its place; `off: true` takes that away. */
  rules: ruleList(OwnRule)
})

/**
 * Which quality tests run on what: by device profile, with exceptions by station. Everything is off until it is set.
 * Its shape is checked here; what it says, by `compileQuality`.
 */
export const Quality = z.strictObject({
  profiles: z.record(Code, ProfileQuality).default({}),
  stations: z.record(Code, StationQuality).default({})
})
export type Quality = z.infer<typeof Quality>
export type ProfileQuality = z.infer<typeof ProfileQuality>
export type StationQuality = z.infer<typeof StationQuality>
